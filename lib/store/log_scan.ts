import { INCOMPLETE, type StoredMessage } from "@rmq/protocol";
import { PlatformError } from "@rmq/platform";
import type { Segment, Segments } from "./segments.ts";

/** Bytes read at a time: parsing them takes well under the 5 ms that a turn may last. */
const READ_BYTES = 1024 * 1024;
/** An entry is never larger than this, whatever size it announces: the largest frame and what Apache adds to it. */
const MAX_ENTRY_BYTES = 16 * 1024 * 1024 + 65_536;

/** Reads the log from the disk entry by entry, as recovery does. */
export class LogScan {
  /** Physical offset of the entry that `next` parsed last, or where it stopped. */
  offset: number;
  #window = new Uint8Array(0);
  /** Physical offset of the window's first byte, and how many of its bytes are read. */
  #windowStart = 0;
  #windowLength = 0;
  #after: number;

  constructor(private readonly segments: Segments, start: number) {
    this.offset = start;
    this.#after = start;
  }

  /**
   * Parses the next entry into `message`, the body's CRC checked; false at the first thing that is none (`offset` is
   * then the end of the valid log). A promise only where the disk is read.
   */
  next(message: StoredMessage): boolean | Promise<boolean> {
    for (;;) {
      this.offset = this.#after;
      const segment = this.segments.at(this.offset);
      if (segment === null) return false;
      const size = this.#parse(message);
      if (size === INCOMPLETE) return this.#retry(segment, message);
      if (size < 0) return false;
      const taken = this.#take(segment, message, size);
      if (taken !== null) return taken;
    }
  }

  #parse(message: StoredMessage): number {
    const at = this.offset - this.#windowStart;
    if (at < 0 || at >= this.#windowLength) return INCOMPLETE;
    return message.parse(this.#window, at, this.#windowLength, true);
  }

  /** True: an entry; false: invalid; null: a blank record was skipped. */
  #take(segment: Segment, message: StoredMessage, size: number): boolean | null {
    const limit = segment.base + this.segments.segmentBytes;
    if (size === 0) {
      if (this.offset + message.size !== limit) return false;
      this.#after = limit;
      return null;
    }
    if (message.physicalOffset !== this.offset) return false;
    this.#after = this.offset + size;
    return true;
  }

  /** Reads from the entry's start, first a window, then as much as an entry can have. */
  async #retry(segment: Segment, message: StoredMessage): Promise<boolean> {
    const left = segment.base + this.segments.segmentBytes - this.offset;
    for (const length of [READ_BYTES, MAX_ENTRY_BYTES]) {
      await this.#read(segment, Math.min(length, left));
      const size = this.#parse(message);
      if (size >= 0) return this.#take(segment, message, size) ?? this.next(message);
      if (size !== INCOMPLETE || length >= left) break;
    }
    return false;
  }

  #read(segment: Segment, length: number): Promise<void> {
    const into = this.#window.length >= length ? this.#window.subarray(0, length) : new Uint8Array(length);
    this.#window = into;
    this.#windowStart = this.offset;
    this.#windowLength = 0;
    const file = this.segments.open(segment);
    return new Promise((resolve, reject) => {
      const fill = (): void => {
        const position = this.offset - segment.base + this.#windowLength;
        file.readAt(into.subarray(this.#windowLength), position, (error, count) => {
          if (error !== null) return reject(error);
          this.#windowLength += count;
          if (count > 0 && this.#windowLength < length) return fill();
          if (this.#windowLength < length) {
            return reject(new PlatformError("EIO", `${segment.path} ends at ${position + count}`));
          }
          resolve();
        });
      };
      fill();
    });
  }
}
