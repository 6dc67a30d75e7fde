/**
 * Apache RocketMQ's configuration keys as data, and the reading of `broker.conf`, `namesrv.conf`, variables and flags
 * by them (admin.md §3, §4).
 *
 * @module
 */
export { ConfigError } from "./config_error.ts";
export type { AcceptedKeys, Component, KeyKind, UsedKey, UsedKeys, ValueOf, ValuesOf } from "./key.ts";
export { brokerKeys } from "./keys/broker.ts";
export { namesrvKeys } from "./keys/namesrv.ts";
export { ownBrokerKeys, ownServerKeys } from "./keys/own.ts";
export { brokerPortKeys, namesrvPortKeys, remotingKeys, tlsKeys } from "./keys/remoting.ts";
export { storeKeys } from "./keys/store.ts";
export { listProperties } from "./listing.ts";
export { nearestName } from "./nearest.ts";
export { parseProperties } from "./properties.ts";
export { type ConfigSources, resolve, type Resolved } from "./resolve.ts";
export { type Origin, Settings } from "./settings.ts";
export {
  acceptedKeys,
  type BrokerValues,
  type KeyGroup,
  keyGroups,
  knownNames,
  type NamesrvValues,
  type ServerKind,
  type ServerValues,
  usedKeys,
  type ValuesByKind,
} from "./table.ts";
export { allowedValues, type Value } from "./value.ts";
