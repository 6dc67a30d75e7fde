import { type Header, KnownProperty, Properties } from "@rmq/protocol";
import type { BrokerSettings } from "../settings.ts";

/** Properties that the broker adds to what a client sends (storage sheet §18: MSG_REGION, TRACE_ON, CLUSTER, UNIQ_KEY). */
export class BrokerProperties {
  private readonly constant: Uint8Array;
  private readonly outer = new Properties();

  constructor(settings: BrokerSettings, private readonly uniqueIds: () => string) {
    const text = `MSG_REGION\u0001${settings.regionId}\u0002TRACE_ON\u0001${settings.traceOn}\u0002` +
      `CLUSTER\u0001${settings.brokerClusterName}\u0002`;
    this.constant = new TextEncoder().encode(text);
  }

  /** Completes the properties of a single message; what a client claims under the broker's names is replaced. */
  complete(properties: Properties): void {
    if (properties.has(KnownProperty.POP_CK)) properties.delete(KnownProperty.POP_CK);
    if (properties.has(KnownProperty.MSG_REGION)) properties.delete(KnownProperty.MSG_REGION);
    if (properties.has(KnownProperty.TRACE_ON)) properties.delete(KnownProperty.TRACE_ON);
    if (properties.has(KnownProperty.CLUSTER)) properties.delete(KnownProperty.CLUSTER);
    if (!properties.has(KnownProperty.UNIQ_KEY)) properties.set(KnownProperty.UNIQ_KEY, this.uniqueIds());
    properties.appendEncoded(this.constant);
  }

  /** Whether the sender does not want to wait for the disk (WAIT=false). */
  waitIsFalse(properties: Properties): boolean {
    const start = properties.start(KnownProperty.WAIT);
    return properties.has(KnownProperty.WAIT) && properties.end(KnownProperty.WAIT) - start === 5 &&
      (properties.bytes[start] | 0x20) === 0x66 && properties.text(KnownProperty.WAIT)?.toLowerCase() === "false";
  }

  /** What counts of a batch's own properties: they are not stored. */
  readOuter(header: Header, field: number): { wait: boolean; uniqueKey: string | null; properties: Properties } {
    const properties = this.outer;
    properties.readHeader(header, field);
    return { wait: !this.waitIsFalse(properties), uniqueKey: properties.text(KnownProperty.UNIQ_KEY), properties };
  }
}
