/**
 * What a read of a queue asks for and what it answers (storage sheet §9; Apache: `GetMessageResult`, `GetMessageStatus`).
 *
 * @module
 */
import type { StoredMessage } from "@rmq/protocol";
import type { QueueState } from "./queue_state.ts";

/** A read from one queue, in order of logical offsets. */
export interface GetRequest {
  /** The queue to read. */
  readonly queue: QueueState;
  /** Logical offset to start at; negative counts as too small. */
  readonly offset: number;
  /** Messages; 0 or less still returns one. */
  readonly maxCount: number;
  /** Bytes of all messages together; the first message is returned even when it is larger. */
  readonly maxBytes: number;
  /** Filter by tags code (two int32); null: all. */
  readonly tags: ((high: number, low: number) => boolean) | null;
  /** Second look, at the entry itself (SQL, exact tags); null: none. The view is valid during the call, and of its numbers only the two offsets are set (`StoredMessage.locate`). */
  readonly matches: ((message: StoredMessage) => boolean) | null;
}

/** Outcome of a read, in the words of Apache's `GetMessageStatus`. */
export const GetStatus = {
  FOUND: 0,
  NO_MATCHED_MESSAGE: 1,
  MESSAGE_WAS_REMOVING: 2,
  OFFSET_FOUND_NULL: 3,
  OFFSET_OVERFLOW_BADLY: 4,
  OFFSET_OVERFLOW_ONE: 5,
  OFFSET_TOO_SMALL: 6,
  NO_MATCHED_LOGIC_QUEUE: 7,
  NO_MESSAGE_IN_QUEUE: 8,
  OFFSET_RESET: 9,
} as const;

/** Names of {@link GetStatus} by number, as a pull answer's remark carries them. */
export const getStatusNames: readonly string[] = Object.keys(GetStatus);

/** Answer to a {@link GetRequest}. It belongs to the reader and is valid until the callback returns. */
export interface GetResult {
  /** One of {@link GetStatus}. */
  status: number;
  /** Where the next read should start. */
  nextBeginOffset: number;
  /** First available offset of the queue. */
  minOffset: number;
  /** One past its newest message. */
  maxOffset: number;
  /** Messages found. */
  count: number;
  /** Bytes of the messages found. */
  bytes: number;
  /** The entries in order as pieces, physically adjacent ones merged: piece i is `buffers[i]` from `starts[i]` to `ends[i]`. */
  pieces: number;
  /** The buffer of each piece. */
  buffers: Uint8Array[];
  /** Where each piece starts in its buffer. */
  starts: number[];
  /** One past where it ends. */
  ends: number[];
  /** Log position of the last message found, or -1. */
  lastPhysicalOffset: number;
  /** True when the messages are so far behind the head that the smaller limits applied. */
  fromDisk: boolean;
}

/** An empty result to fill. */
export function newGetResult(): GetResult {
  return {
    status: GetStatus.NO_MATCHED_LOGIC_QUEUE,
    nextBeginOffset: 0,
    minOffset: 0,
    maxOffset: 0,
    count: 0,
    bytes: 0,
    pieces: 0,
    buffers: [],
    starts: [],
    ends: [],
    lastPhysicalOffset: -1,
    fromDisk: false,
  };
}
