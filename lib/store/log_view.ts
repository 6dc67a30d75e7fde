import { type File, PlatformError } from "@rmq/platform";
import type { BlockCache } from "./block_cache.ts";
import type { Ladder } from "./ladder.ts";
import type { EntryView, LogReader, ReadDone } from "./log_reader.ts";
import { asPlatformError } from "./platform_error.ts";
import type { Segment, Segments } from "./segments.ts";
import type { Tail } from "./tail.ts";

/** Bytes of a cached block of the log. */
export const BLOCK_BYTES: number = 1024 * 1024;

const NOTHING = new Uint8Array(0);

/** The reading end of the log: the tail, else whole blocks through the cache, else the file itself. */
export class LogView implements LogReader {
  /** Blocks that end at or below it hold nothing that is still to be written. */
  #cacheable = 0;
  #lastBlock = -1;

  constructor(
    private readonly ladder: Ladder,
    private readonly tail: Tail,
    private readonly segments: Segments,
    private readonly cache: BlockCache,
  ) {}

  /** From now on blocks below the ladder's durable may be cached; before (during recovery) nothing was. */
  start(): void {
    this.#cacheable = this.#blockStart(this.ladder.durable);
  }

  get minOffset(): number {
    return this.segments.minOffset;
  }

  get visible(): number {
    return this.ladder.visible;
  }

  /** Start of what is in memory. */
  get memoryStart(): number {
    return this.tail.start(this.ladder.appended);
  }

  view(offset: number, size: number, out: EntryView): boolean {
    return this.tail.view(offset, size, out);
  }

  cached(offset: number, size: number, out: EntryView): boolean {
    if (this.tail.view(offset, size, out)) return true;
    if (offset + size > this.#cacheable) return false;
    const segment = this.segments.at(offset);
    if (segment === null) return false;
    const position = (offset - segment.base) | 0;
    if (!this.cache.view(segment.path, position, size, out)) return false;
    this.#readAhead(segment, Math.floor(position / BLOCK_BYTES));
    return true;
  }

  read(offset: number, size: number, done: ReadDone): void {
    this.#read(offset, size, true, done);
  }

  #read(offset: number, size: number, mayRetry: boolean, done: ReadDone): void {
    const chunk = this.tail.chunkAt(offset);
    if (chunk !== null && offset + size <= chunk.base + chunk.used) {
      return done(null, chunk.bytes, (offset - chunk.base) | 0);
    }
    const segment = this.segments.at(offset);
    const position = segment === null ? -1 : (offset - segment.base) | 0;
    if (segment === null || offset + size > this.visible || position + size > this.segments.segmentBytes) {
      return done(new PlatformError("EINVAL", `no entry of ${size} bytes at ${offset} in the commit log`), NOTHING, 0);
    }
    let file;
    try {
      file = this.segments.open(segment);
    } catch (error) {
      return done(asPlatformError(error), NOTHING, 0);
    }
    if (offset + size > this.#cacheable) return readDirectly(file, position, size, done);
    this.#readCached(file, segment, position, size, (error, bytes, start) => {
      // Closed for another segment while it was being read.
      if (mayRetry && error?.code === "EBADF") return this.#read(offset, size, false, done);
      done(error, bytes, start);
    });
  }

  /** Drops what memory need not hold: durable, visible, and in blocks that are complete, so that a cached block never goes stale. */
  trim(): void {
    const complete = this.#blockStart(Math.min(this.ladder.durable, this.ladder.visible));
    this.tail.trim(complete);
    this.#cacheable = Math.max(this.#cacheable, Math.min(complete, this.memoryStart));
  }

  #blockStart(offset: number): number {
    const base = this.segments.at(offset)?.base ?? offset;
    return base + Math.floor((offset - base) / BLOCK_BYTES) * BLOCK_BYTES;
  }

  #readCached(file: File, segment: Segment, position: number, size: number, done: ReadDone): void {
    this.#readAhead(segment, Math.floor(position / BLOCK_BYTES));
    this.cache.read(file, position, size, done);
  }

  /** The first look at a block whose predecessor is cached starts the read of the next one. */
  #readAhead(segment: Segment, block: number): void {
    const id = segment.base + block * BLOCK_BYTES;
    if (id === this.#lastBlock) return;
    this.#lastBlock = id;
    const next = (block + 1) * BLOCK_BYTES;
    if (next >= this.segments.segmentBytes || segment.base + next + BLOCK_BYTES > this.#cacheable) return;
    if (block === 0 || this.cache.peek(segment, block * BLOCK_BYTES - 1, 1) === null) return;
    try {
      this.cache.prefetch(this.segments.open(segment), next);
    } catch (error) {
      // Whoever needs the block meets the same error, and reports it.
      asPlatformError(error);
    }
  }
}

function readDirectly(file: File, position: number, size: number, done: ReadDone): void {
  const into = new Uint8Array(size);
  file.readAt(into, position, (error, count) => {
    if (error !== null) return done(error, NOTHING, 0);
    if (count < size) return done(new PlatformError("EIO", `${file.path} ends early`), NOTHING, 0);
    done(null, into, 0);
  });
}
