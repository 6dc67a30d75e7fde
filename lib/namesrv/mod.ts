/**
 * The name server: which brokers there are and which topics they have (remoting.md §8.2, §13; ha-and-cluster.md §8).
 *
 * @module
 */
export { type Namesrv, type NamesrvServer, startNamesrv } from "./namesrv.ts";
export { namesrvServer, namesrvSettings } from "./configured.ts";
export { namesrvDefaults, type NamesrvSettings } from "./settings.ts";
export { type BegunRegistration, type RouteSettings, RouteTable } from "./route_table.ts";
export type {
  BrokerData,
  DataVersion,
  MinBrokerIdChange,
  QueueData,
  Registered,
  RegisteredTopic,
  Registration,
  RegistrationBody,
  RegistrationHead,
  TopicQueueMapping,
  TopicRoute,
  Unregistration,
} from "./route_types.ts";
