/**
 * The broker: receives, stores and delivers messages, keeps consumer offsets, and registers with the name servers.
 *
 * @module
 */
export { type Broker, type BrokerOptions, startBroker } from "./broker.ts";
export { brokerOptions, brokerSettings, storeOptions } from "./configured.ts";
export type { BrokerSettings } from "./settings.ts";
