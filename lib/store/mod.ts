/**
 * The message store: commit log, consume queues, index, checkpoint, recovery and retention, byte-compatible with the
 * directory of an Apache RocketMQ broker.
 *
 * @module
 */
export { ConfigFile } from "./config_file.ts";
export type { DispatchEntry } from "./dispatch.ts";
export { type GetRequest, type GetResult, GetStatus, getStatusNames } from "./get.ts";
export { openStore } from "./open_store.ts";
export { defaultStoreOptions, type StoreOptions } from "./options.ts";
export type { QueueState } from "./queue_state.ts";
export { AppendStatus, type Store, StoreError, type StoreStats } from "./store.ts";
