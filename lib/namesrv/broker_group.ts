import type { BrokerData, DataVersion, RegistrationHead } from "./route_types.ts";

/** Broker id of a master. */
export const MASTER_ID = 0;

/** The brokers of one name. */
export interface Broker {
  readonly brokerName: string;
  cluster: string;
  enableActingMaster: boolean;
  zoneName: string | null;
  readonly addrs: Map<number, string>;
  /** False once queues of this name were dropped, so that a repeated registration brings them back. */
  intact: boolean;
}

/** A broker that has registered and was heard of since. */
export interface LiveBroker {
  readonly clusterName: string;
  readonly brokerAddr: string;
  lastHeardMs: number;
  readonly expiryMs: number;
  readonly dataVersion: DataVersion;
  readonly owner: object;
  readonly haServerAddr: string | null;
  readonly fingerprint: number | null;
  /** Whether its topics were taken: a master's, or those of the smallest slave. */
  readonly prime: boolean;
}

/** Key of a broker that is alive. */
export function liveKey(clusterName: string, brokerAddr: string): string {
  return `${clusterName}\n${brokerAddr}`;
}

/** Whether a broker speaks for its name: the master, or the smallest id of brokers that know of acting masters. */
export function isPrime({ brokerId, enableActingMaster }: RegistrationHead, broker: Broker): boolean {
  return brokerId === MASTER_ID || (enableActingMaster !== null && brokerId === minOf(broker.addrs));
}

/** The smallest id. */
export function minOf(addrs: ReadonlyMap<number, string>): number | undefined {
  let min: number | undefined;
  for (const id of addrs.keys()) if (min === undefined || id < min) min = id;
  return min;
}

/** A name's brokers as answers show them. */
export function brokerData(broker: Broker): BrokerData {
  const { brokerName, cluster, enableActingMaster, zoneName } = broker;
  const brokerAddrs = new Map([...broker.addrs].sort(([one], [other]) => one - other));
  return { brokerName, cluster, enableActingMaster, zoneName, brokerAddrs };
}

/** Equality of table versions as Apache's DataVersion has it. */
export function sameVersion(one: DataVersion | null, other: DataVersion | null): boolean {
  return one !== null && other !== null && one.counter === other.counter &&
    one.stateVersion === other.stateVersion && one.timestamp === other.timestamp;
}
