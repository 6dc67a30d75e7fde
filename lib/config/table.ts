import type { AcceptedKeys, Component, UsedKeys, ValuesOf } from "./key.ts";
import { acceptedBroker } from "./keys/accepted_broker.ts";
import {
  acceptedAuth,
  acceptedClient,
  acceptedController,
  acceptedNamesrv,
  acceptedServer,
} from "./keys/accepted_others.ts";
import { acceptedStore } from "./keys/accepted_store.ts";
import { brokerKeys } from "./keys/broker.ts";
import { namesrvKeys } from "./keys/namesrv.ts";
import { ownBrokerKeys, ownServerKeys } from "./keys/own.ts";
import { brokerPortKeys, namesrvPortKeys, remotingKeys, tlsKeys } from "./keys/remoting.ts";
import { storeKeys } from "./keys/store.ts";

/** Which server's configuration: each takes other keys. */
export type ServerKind = "broker" | "namesrv";

/** Every key that any server reads, with the type of its value. */
export type ServerValues = ValuesOf<typeof remotingKeys & typeof tlsKeys & typeof ownServerKeys>;

/** Every key that a broker reads, with the type of its value. */
export type BrokerValues =
  & ServerValues
  & ValuesOf<typeof brokerKeys & typeof brokerPortKeys & typeof storeKeys & typeof ownBrokerKeys>;

/** Every key that a name server reads, with the type of its value. */
export type NamesrvValues = ServerValues & ValuesOf<typeof namesrvKeys & typeof namesrvPortKeys>;

/** The value types of each kind of server. */
export interface ValuesByKind {
  /** `broker.conf` */
  broker: BrokerValues;
  /** `namesrv.conf` */
  namesrv: NamesrvValues;
}

/** Keys of one component. */
export interface KeyGroup {
  /** The Java class that holds them, or `rmq`. */
  readonly component: Component;
  /** What is read here. */
  readonly used: UsedKeys;
  /** What is known and changes nothing here. */
  readonly accepted: AcceptedKeys;
}

const nothing = {};
const both: readonly KeyGroup[] = [
  { component: "NettyClientConfig", used: nothing, accepted: acceptedClient },
  { component: "TlsSystemConfig", used: tlsKeys, accepted: nothing },
];

const groups: Readonly<Record<ServerKind, readonly KeyGroup[]>> = {
  broker: [
    { component: "BrokerConfig", used: brokerKeys, accepted: acceptedBroker },
    { component: "MessageStoreConfig", used: storeKeys, accepted: acceptedStore },
    { component: "NettyServerConfig", used: { ...brokerPortKeys, ...remotingKeys }, accepted: acceptedServer },
    { component: "AuthConfig", used: nothing, accepted: acceptedAuth },
    ...both,
    { component: "rmq", used: { ...ownServerKeys, ...ownBrokerKeys }, accepted: nothing },
  ],
  namesrv: [
    { component: "NamesrvConfig", used: namesrvKeys, accepted: acceptedNamesrv },
    { component: "NettyServerConfig", used: { ...namesrvPortKeys, ...remotingKeys }, accepted: acceptedServer },
    { component: "ControllerConfig", used: nothing, accepted: acceptedController },
    ...both,
    { component: "rmq", used: ownServerKeys, accepted: nothing },
  ],
};

/** The keys of a kind of server, by component, in the order in which they are printed. */
export function keyGroups(kind: ServerKind): readonly KeyGroup[] {
  return groups[kind];
}

/** What a kind of server reads, by name. */
export function usedKeys(kind: ServerKind): UsedKeys {
  return Object.assign({}, ...groups[kind].map((group) => group.used));
}

/** What a kind of server knows without reading it: name to Apache's default. */
export function acceptedKeys(kind: ServerKind): AcceptedKeys {
  return Object.assign({}, ...groups[kind].map((group) => group.accepted));
}

/** Every name that any server of Apache's, or we, know: a file that several servers share warns of none of them. */
export function knownNames(): ReadonlySet<string> {
  const kinds: ServerKind[] = ["broker", "namesrv"];
  return new Set(kinds.flatMap((kind) => [...Object.keys(usedKeys(kind)), ...Object.keys(acceptedKeys(kind))]));
}
