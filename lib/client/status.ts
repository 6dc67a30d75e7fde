import type { ConsumerStatus } from "./consumer/consumer_status.ts";
import type { RemotingNetwork } from "./network/remoting_network.ts";
import type { SendParts } from "./producer/send_call.ts";

/** What the client is doing now. */
export interface ClientStatus {
  /** Who it is to brokers. */
  readonly clientId: string;
  /** `host:port` of the name server that is asked first. */
  readonly nameServer: string;
  /** Known brokers: address, broker id, whether a connection is open, and `MQVersion` ordinal once it is known. */
  readonly brokers: readonly {
    readonly brokerName: string;
    readonly brokerId: number;
    readonly address: string;
    readonly connected: boolean;
    readonly version: number | null;
  }[];
  /** Topics whose routes are kept, with the namespace. */
  readonly topics: readonly string[];
  /** Groups that brokers are told of, with the namespace. */
  readonly groups: { readonly producers: readonly string[]; readonly consumers: readonly string[] };
  /** What is consumed here, by group. */
  readonly consumers: readonly ConsumerStatus[];
  /** Sends without an answer. */
  readonly pendingSends: number;
  /** Bytes of their bodies. */
  readonly pendingSendBytes: number;
  /** Broker groups that sends pass over for a while. */
  readonly avoidedBrokers: readonly string[];
  /** True from `close` on. */
  readonly closed: boolean;
}

/** Gathers it. */
export function statusOf(
  network: RemotingNetwork,
  parts: SendParts,
  consumers: readonly ConsumerStatus[],
): ClientStatus {
  const brokers = [...network.routes.brokers.values()].flatMap(({ brokerName, addresses }) =>
    [...addresses].map(([brokerId, address]) => ({
      brokerName,
      brokerId,
      address,
      connected: network.connected(address) !== null,
      version: network.heartbeat.version(address),
    }))
  );
  return {
    clientId: network.clientId,
    nameServer: network.nameServers.current,
    brokers,
    topics: network.routes.topics,
    groups: network.heartbeat.groups,
    consumers,
    pendingSends: parts.pendingCalls,
    pendingSendBytes: parts.pendingBytes,
    avoidedBrokers: parts.faults?.avoided ?? [],
    closed: network.closed,
  };
}
