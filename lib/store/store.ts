import type { Done } from "@rmq/platform";
import type { MessageDraft } from "@rmq/protocol";
import type { DispatchEntry } from "./dispatch.ts";
import type { GetRequest, GetResult } from "./get.ts";
import type { QueueState } from "./queue_state.ts";

/** What `append` and `reserve` answer. */
export const AppendStatus: {
  readonly OK: 0;
  /** Body or topic too long, or too large for a segment: code 13. */
  readonly MESSAGE_ILLEGAL: 1;
  /** Properties above 32 767 bytes: code 13. */
  readonly PROPERTIES_SIZE_EXCEEDED: 2;
  /** Not writable now, `refusal` says why: code 14. */
  readonly SERVICE_NOT_AVAILABLE: 3;
  /** Too much is not durable yet: park the request and try again after the next advance. */
  readonly BUSY: 4;
} = { OK: 0, MESSAGE_ILLEGAL: 1, PROPERTIES_SIZE_EXCEEDED: 2, SERVICE_NOT_AVAILABLE: 3, BUSY: 4 };

/** Why a store could not be opened. `message` says what to do. */
export class StoreError extends Error {
  /** Always this. */
  override readonly name = "StoreError";
  /** Takes the code, and a message that says what to do. */
  constructor(
    /** LOCKED: in use by another process; CORRUPT: a file that can't be right; NOT_WRITABLE: directory or disk; BAD_OPTION. */
    readonly code: "LOCKED" | "CORRUPT" | "NOT_WRITABLE" | "BAD_OPTION",
    message: string,
  ) {
    super(message);
  }
}

/** Plain numbers about a running store; counters since it was opened. */
export interface StoreStats {
  /** Entries appended. */
  appendedEntries: number;
  /** Bytes appended. */
  appendedBytes: number;
  /** Batches written: one a turn. */
  batches: number;
  /** Batches that could not be written. */
  failedWrites: number;
  /** fdatasyncs of the log. */
  flushes: number;
  /** Microseconds spent in them. */
  flushUs: number;
  /** The longest of them, microseconds. */
  flushMaxUs: number;
  /** Those that failed. */
  failedFlushes: number;
  /** Entries given to the followers. */
  dispatchedEntries: number;
  /** Bytes written but not yet visible. */
  dispatchBehindBytes: number;
  /** Bytes appended but not yet durable. */
  undurableBytes: number;
  /** Bytes of the log held in memory. */
  tailBytes: number;
  /** Segments on disk. */
  segments: number;
  /** Segments removed by retention. */
  expiredSegments: number;
  /** Messages of live groups that went unconsumed with them. */
  unconsumedDeleted: number;
  /** Used fraction of the log's disk, at the last look; -1 before it. */
  diskRatio: number;
  /** How often append answered BUSY. */
  busy: number;
  /** Milliseconds by which the wall clock was behind the last store timestamp, at most. */
  clockHeldMs: number;
}

/**
 * The message store: one log, its queues and its index (design §4, §6). All offsets are physical (bytes of the log)
 * unless they are called queue offsets (messages of one queue).
 */
export interface Store {
  /**
   * Encodes `draft` into the tail, without I/O: the batch of this turn is written when the turn ends. Sets the draft's
   * queueOffset, physicalOffset, storeTimestamp and store host, and advances `queue.nextOffset` (prepared and rollback
   * entries: queue offset 0 and no advance). Returns an `AppendStatus`.
   */
  append(draft: MessageDraft, queue: QueueState): number;
  /**
   * Makes the next appends of this turn, of `bytes` in all, lie in one segment (batches); when it answers OK none of
   * them is BUSY. Returns an `AppendStatus`.
   */
  reserve(bytes: number): number;
  /** Why writes are refused now, in words for a remark; null: writable. */
  readonly refusal: string | null;
  /** A fenced broker must not write (HA). */
  setFenced(on: boolean): void;
  /** A slave does not take messages from clients. */
  setReadOnly(on: boolean): void;
  /** End of what was appended. */
  readonly appended: number;
  /** End of what the operating system took. */
  readonly written: number;
  /** End of what is on disk. */
  readonly durable: number;
  /** End of what readers see: durable with SYNC_FLUSH, written with ASYNC_FLUSH, and taken by the followers. */
  readonly visible: number;
  /** Start of the oldest segment. */
  readonly minOffset: number;
  /** Calls `listener` each time that written or visible moved, after the followers took the new entries. */
  onAdvance(listener: () => void): void;
  /** Calls `listener` when a batch could not be written: all at or beyond `from` is gone and its queue offsets are free again. */
  onRollback(listener: (from: number, cause: string) => void): void;
  /** Calls `listener` for each entry that becomes visible, after the followers; the entry is a reused view. */
  onEntry(listener: (entry: DispatchEntry) => void): void;
  /** The queue; made in memory when it is new. */
  queue(topic: string, queueId: number): QueueState;
  /** The queue, or null when nothing was ever stored in it. */
  existingQueue(topic: string, queueId: number): QueueState | null;
  /** Topics that have queues. */
  topics(): string[];
  /** Queues of a topic, ascending. */
  queueIds(topic: string): number[];
  /** Removes a topic's queues; what the log still holds of it never comes back. */
  deleteTopic(topic: string, done: Done): void;
  /** Reads for a pull; `done` is called at once when all is in memory. */
  get(request: GetRequest, done: (result: GetResult) => void): void;
  /**
   * The entry at `physicalOffset` as `bytes[start, end)`, valid during the call; `size` 0: as it says itself. null: none
   * there, or, with `unreadable`, none that the disk gives out now.
   */
  entryAt(
    physicalOffset: number,
    size: number,
    done: (bytes: Uint8Array | null, start: number, end: number, unreadable: boolean) => void,
  ): void;
  /** Queue offset by store time (storage §4). */
  searchByTime(
    queue: QueueState,
    timestampMs: number,
    boundary: "lower" | "upper",
    done: (offset: number) => void,
  ): void;
  /** Store time of the message at a queue offset, ms; -1: none. */
  storeTimeAt(queue: QueueState, offset: number, done: (timestampMs: number) => void): void;
  /** Physical offsets of messages with a key between two store times, newest first, and the newest index entry's time and offset. */
  query(
    topic: string,
    key: string,
    indexType: string | null,
    maxNum: number,
    beginMs: number,
    endMs: number,
    done: (offsets: number[], indexLastTimestamp: number, indexLastPhysical: number) => void,
  ): void;
  /** Store time of the oldest message, ms; -1: none. */
  earliestStoreTime(done: (timestampMs: number) => void): void;
  /** Whether all from there on is in memory. */
  inMemory(physicalOffset: number): boolean;
  /** Counters and gauges. */
  stats(): StoreStats;
  /** Resolves when all that was appended before is durable; rejects with PlatformError when it can't be. */
  flush(): Promise<void>;
  /** Clean end: all flushed, followers on disk, checkpoint written, `abort` removed, lock released. */
  close(): Promise<void>;
}
