import type { Logger, Platform, Timer } from "@rmq/platform";
import { javaHash, RequestCode, ResponseCode, toJson } from "@rmq/protocol";
import type { PeerRequest, Response } from "@rmq/remoting";
import { refused } from "../client_error.ts";
import type { ConsumerData, Heartbeat } from "./network.ts";

/** What heartbeats need of their surroundings. */
export interface HeartbeatParts {
  readonly platform: Platform;
  readonly logger: Logger;
  readonly clientId: string;
  readonly periodMs: number;
  readonly timeoutMs: number;
  readonly invoke: (address: string, request: PeerRequest, timeoutMs: number) => Promise<Response>;
  /** Where heartbeats go: masters, and slaves too when there are consumers. */
  readonly addresses: (slavesToo: boolean) => string[];
}

/** What is known of one broker. */
interface Heard {
  version: number;
  /** It takes heartbeats without subscriptions that it knows already (V2). */
  knowsFingerprints: boolean;
  /** Fingerprint of the last heartbeat with all subscriptions, 0: none. */
  fingerprint: number;
  sending: Promise<void> | null;
  /** Producer groups that it has heard of on this connection. */
  told: ReadonlySet<string>;
  failing: boolean;
}

const encoder = new TextEncoder();

/** Tells brokers of our groups. (MQClientInstance.sendHeartbeatToAllBroker, prepareHeartbeatData) */
export class Heartbeats implements Heartbeat {
  readonly #parts: HeartbeatParts;
  readonly #producers = new Set<string>();
  readonly #consumers = new Map<string, ConsumerData>();
  readonly #heard = new Map<string, Heard>();
  readonly #timer: Timer;

  constructor(parts: HeartbeatParts) {
    this.#parts = parts;
    this.#timer = parts.platform.clock.every(parts.periodMs, () => void this.sendNow());
  }

  /** Names of the groups. */
  get groups(): { producers: string[]; consumers: string[] } {
    return { producers: [...this.#producers], consumers: [...this.#consumers.keys()] };
  }

  /** Whether brokers are to hear of anything. */
  get idle(): boolean {
    return this.#producers.size + this.#consumers.size === 0;
  }

  setProducer(group: string): void {
    this.#producers.add(group);
  }

  removeProducer(group: string): Promise<void> {
    if (!this.#producers.delete(group)) return Promise.resolve();
    return this.#unregister({ producerGroup: group });
  }

  setConsumer(data: ConsumerData): void {
    this.#consumers.set(data.groupName, data);
  }

  removeConsumer(group: string): Promise<void> {
    if (!this.#consumers.delete(group)) return Promise.resolve();
    return this.#unregister({ consumerGroup: group });
  }

  /** Version ordinal of the broker, as it last said; null before. */
  version(address: string): number | null {
    return this.#heard.get(address)?.version ?? null;
  }

  /** Forgets what was told over a connection that is gone: the broker may be another one by now. */
  disconnected(address: string): void {
    const heard = this.#heard.get(address);
    if (heard === undefined) return;
    heard.fingerprint = 0;
    heard.told = new Set();
  }

  /** Whether the broker was told already, or is being told. */
  knows(address: string): boolean {
    return this.#heard.has(address);
  }

  async sendNow(address?: string): Promise<void> {
    if (address !== undefined) return await this.#beat(address);
    if (this.idle) return;
    const addresses = this.#parts.addresses(this.#consumers.size > 0);
    for (const gone of [...this.#heard.keys()]) if (!addresses.includes(gone)) this.#heard.delete(gone);
    await Promise.all(addresses.map((each) => this.#beat(each)));
  }

  /** Resolves when all known brokers have been told of a producer group, or have failed. */
  async tellOnce(producerGroup: string): Promise<void> {
    this.setProducer(producerGroup);
    const missing = this.#parts.addresses(false).filter((each) => !this.#heard.get(each)?.told.has(producerGroup));
    await Promise.all(missing.map((each) => this.#beat(each)));
  }

  /** To those that were never told. */
  sendToNew(): void {
    if (this.idle) return;
    for (const address of this.#parts.addresses(this.#consumers.size > 0)) {
      if (!this.knows(address)) void this.#beat(address);
    }
  }

  /** Tells all brokers that every group leaves. */
  async close(): Promise<void> {
    this.#timer.cancel();
    const { producers, consumers } = this.groups;
    await Promise.all([
      ...producers.map((group) => this.removeProducer(group)),
      ...consumers.map((group) => this.removeConsumer(group)),
    ]);
  }

  #beat(address: string): Promise<void> {
    let heard = this.#heard.get(address);
    if (heard === undefined) {
      heard = { version: 0, knowsFingerprints: false, fingerprint: 0, sending: null, told: new Set(), failing: false };
      this.#heard.set(address, heard);
    }
    // What changed while one is under way is told by the next one, behind it.
    const before = heard.sending ?? Promise.resolve();
    const own = heard;
    const sending: Promise<void> = before.then(() => this.#send(address, own)).finally(() => {
      if (own.sending === sending) own.sending = null;
    });
    return heard.sending = sending;
  }

  async #send(address: string, heard: Heard): Promise<void> {
    const producers = new Set(this.#producers);
    const whole = this.#body(true);
    const fingerprint = javaHash(whole) || 1;
    const short = heard.knowsFingerprints && heard.fingerprint === fingerprint && this.#consumers.size > 0;
    try {
      const response = await this.#ask(address, short ? this.#body(false) : whole, fingerprint, short);
      heard.version = response.version;
      heard.told = producers;
      heard.knowsFingerprints = response.fields.get("IS_SUPPORT_HEART_BEAT_V2") === "true";
      const changed = short && response.fields.get("IS_SUB_CHANGE") === "true";
      heard.fingerprint = changed ? 0 : fingerprint;
      if (changed) await this.#send(address, heard);
      heard.failing = false;
    } catch (error) {
      heard.fingerprint = 0;
      if (!heard.failing) this.#parts.logger.warn("a broker takes no heartbeat", { address, error: String(error) });
      heard.failing = true;
    }
  }

  async #ask(address: string, data: string, fingerprint: number, short: boolean): Promise<Response> {
    const text = `${data.slice(0, -1)},"heartbeatFingerprint":${fingerprint},"withoutSub":${short}}`;
    const request = { code: RequestCode.HEART_BEAT, fields: {}, body: encoder.encode(text) };
    const response = await this.#parts.invoke(address, request, this.#parts.timeoutMs);
    if (response.code !== ResponseCode.SUCCESS) throw refused("a heartbeat", response.code, response.remark);
    return response;
  }

  /** `HeartbeatData` without its last members. */
  #body(subscriptions: boolean): string {
    const consumers = [...this.#consumers.values()].map((data) => ({
      ...data,
      subscriptionDataSet: subscriptions
        ? data.subscriptionDataSet.map((each) => ({ ...each, classFilterMode: false }))
        : [],
    }));
    return toJson({
      clientID: this.#parts.clientId,
      consumerDataSet: consumers,
      producerDataSet: [...this.#producers].map((groupName) => ({ groupName })),
    });
  }

  async #unregister(group: { producerGroup?: string; consumerGroup?: string }): Promise<void> {
    const { clientId, invoke, timeoutMs } = this.#parts;
    const request = { code: RequestCode.UNREGISTER_CLIENT, fields: { clientID: clientId, ...group } };
    const told = [...this.#heard].filter(([, { failing }]) => !failing).map(([address]) => address);
    // A broker that does not hear it finds out by the connection or by missing heartbeats.
    await Promise.all(told.map((address) => invoke(address, request, timeoutMs).catch(() => null)));
  }
}
