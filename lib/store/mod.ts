/**
 * The message store: commit log, consume queues, index, checkpoint, recovery and retention, byte-compatible with the
 * directory of an Apache RocketMQ broker.
 *
 * @module
 */
export { ConfigFile } from "./config_file.ts";
export type { DispatchEntry } from "./dispatch.ts";
export { FilterPatience } from "./filter_patience.ts";
export { type GetRequest, type GetResult, GetStatus, getStatusNames } from "./get.ts";
export { openStore } from "./open_store.ts";
export { defaultStoreOptions, type StoreOptions } from "./options.ts";
export type { QueueState } from "./queue_state.ts";
export { AppendStatus, type Store, StoreError, type StoreStats } from "./store.ts";
export { TimerCheck, type TimerProgress } from "./timer_check.ts";
export { type TimerBlockDone, TimerLog } from "./timer_log.ts";
export { newTimerUnit, readTimerUnit, TIMER_UNIT_BYTES, TimerMagic, type TimerUnit } from "./timer_log_layout.ts";
export { type TakenPage, TIMER_WHEEL_SLOTS, TimerWheel } from "./timer_wheel.ts";
