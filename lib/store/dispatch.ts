import type { Done } from "@rmq/platform";
import type { StoredMessage } from "@rmq/protocol";
import type { QueueState } from "./queue_state.ts";

/** One entry of the log on its way to the followers; a reused view, valid during the call that it is given to. */
export interface DispatchEntry {
  /** The entry, with `scanProperties()` done. */
  readonly message: StoredMessage;
  /** The queue that holds it; null for prepared and rollback transaction entries, which are in no queue. */
  readonly queue: QueueState | null;
  /** High half of the tags code; with `tagsLow` the deliver time in ms for entries of SCHEDULE_TOPIC_XXXX. */
  readonly tagsHigh: number;
  /** Low half of the tags code, as a signed int32. */
  readonly tagsLow: number;
  /** Queue offsets that the entry occupies: 1, or INNER_NUM of an inner batch. */
  readonly batchCount: number;
}

/** What is told at load (storage §5, §6). */
export interface FollowerRecovery {
  /** `abort` was there: the store was not closed cleanly. */
  readonly abnormal: boolean;
  /** `indexMsgTimestamp` of the checkpoint, ms; after an abnormal end an index file beyond it is not trusted. */
  readonly indexMsgTimestamp: number;
  /** Everything below was recorded as synced in every follower by this program; -1: no such record. */
  readonly flushedTo: number;
}

/** Something derived from the log, in log order: consume queues, index (design §4.7). */
export interface Follower {
  /** For logs and statistics. */
  readonly name: string;
  /** Takes one entry: in memory only, and without effect when it was taken before (storage §4, §5). */
  take(entry: DispatchEntry): void;
  /** Physical offset up to which everything taken is on disk and synced. */
  readonly flushedTo: number;
  /** Writes and syncs what was taken so far, sliced (never over 5 ms a turn), then calls `done`. */
  flush(done: Done): void;
  /** Reads what is on disk. */
  load(recovery: FollowerRecovery): Promise<void>;
  /** Forgets everything that belongs to entries at or beyond `physicalOffset`; queue offsets go back with it. */
  truncate(physicalOffset: number): void;
  /** Drops whole files that only concern entries below `minPhysicalOffset`. */
  expire(minPhysicalOffset: number): void;
  /** Flushes and closes its files. */
  close(done: Done): void;
  /** Closes its files as they are: the store could not be opened, or not closed cleanly. */
  abandon(): void;
}
