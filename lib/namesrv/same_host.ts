import type { Platform } from "@rmq/platform";
import { parseAddress, type RemotingConnection } from "@rmq/remoting";
import type { RouteTable } from "./route_table.ts";
import type { BrokerData } from "./route_types.ts";

const INTERFACES_KEPT_MS = 5000;

/**
 * Shows a client that came over loopback the loopback address of a broker on the same host (design §8): the way over
 * the interface may be closed to it, and its address changes when a laptop moves.
 */
export class SameHost {
  readonly #platform: Platform;
  readonly #table: RouteTable;
  #addresses: ReadonlySet<string> = new Set();
  #readMs = -Infinity;

  constructor(platform: Platform, table: RouteTable) {
    this.#platform = platform;
    this.#table = table;
  }

  /** Whether a connection began on this host. */
  isLocal(connection: RemotingConnection): boolean {
    const { host } = connection.proxied ?? connection.remote;
    return isLoopback(host) || this.#ours().has(host);
  }

  /** The brokers as this connection should see them. Brokers see what was registered: they look for themselves in it. */
  view(brokers: readonly BrokerData[], connection: RemotingConnection): readonly BrokerData[] {
    if (!isLoopback((connection.proxied ?? connection.remote).host) || this.#table.owns(connection)) return brokers;
    return brokers.map((broker) => this.#viewed(broker));
  }

  #viewed(broker: BrokerData): BrokerData {
    const brokerAddrs = new Map<number, string>();
    for (const [id, addr] of broker.brokerAddrs) brokerAddrs.set(id, this.#loopbackFor(broker.cluster, addr) ?? addr);
    return { ...broker, brokerAddrs };
  }

  #loopbackFor(cluster: string, addr: string): string | null {
    const owner = this.#table.ownerOf(cluster, addr) as RemotingConnection | null;
    if (owner === null || !this.isLocal(owner)) return null;
    try {
      const { host, port } = parseAddress(addr);
      if (isLoopback(host) || !this.#ours().has(host)) return null;
      return host.includes(":") ? `[::1]:${port}` : `127.0.0.1:${port}`;
    } catch {
      return null;
    }
  }

  #ours(): ReadonlySet<string> {
    const nowMs = this.#platform.clock.monotonicUs() / 1000;
    if (nowMs - this.#readMs >= INTERFACES_KEPT_MS) {
      this.#readMs = nowMs;
      this.#addresses = new Set(this.#platform.net.interfaces().map((each) => each.address));
    }
    return this.#addresses;
  }
}

function isLoopback(host: string): boolean {
  return host === "::1" || host.startsWith("127.");
}
