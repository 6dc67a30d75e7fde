import type { PlatformError } from "@rmq/platform";

/** Where `view` leaves its answer: the entry starts at `bytes[start]`. */
export interface EntryView {
  /** Buffer that holds the entry. */
  bytes: Uint8Array;
  /** Where it starts in it. */
  start: number;
}

/** Gets the bytes from `start` on, or why they can't be had. */
export type ReadDone = (error: PlatformError | null, bytes: Uint8Array, start: number) => void;

/** Reading of the commit log by physical offset. */
export interface LogReader {
  /** Start of the oldest segment that is still there. */
  readonly minOffset: number;
  /** End of what may be seen. */
  readonly visible: number;
  /** Finds an entry in the part of the log that is in memory, without I/O; false: not there. */
  view(offset: number, size: number, out: EntryView): boolean;
  /**
   * As `view`, and in the blocks that were read already; reads ahead when reads are sequential. What `out` points to is
   * valid until control returns to the event loop.
   */
  cached(offset: number, size: number, out: EntryView): boolean;
  /**
   * Reads `size` bytes at `offset` from memory or through the block cache, ahead when reads are sequential; may call
   * `done` before it returns. The bytes are valid during the call.
   */
  read(offset: number, size: number, done: ReadDone): void;
}
