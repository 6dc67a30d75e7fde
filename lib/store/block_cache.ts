import { type File, PlatformError } from "@rmq/platform";
import { asPlatformError } from "./platform_error.ts";

/** Gets the bytes asked for at `bytes[start…]`, valid until it returns: the buffer may serve another block afterwards. */
export type BlockDone = (error: PlatformError | null, bytes: Uint8Array, start: number) => void;

const none = new Uint8Array(0);
/** Buffers of dropped blocks kept for the next ones. */
const SPARE_BLOCKS = 4;

/** One aligned block of one file; in the list of least recent use while it has bytes. */
class Block {
  bytes: Uint8Array = none;
  /** Bytes that the file had when it was read; less than a block at the end of a file. */
  filled = 0;
  loading = true;
  /** Cut off from the cache while its read is under way: its waiters are served, nobody else. */
  dropped = false;
  waiters: ((error: PlatformError | null) => void)[] = [];
  /** Callbacks that look at the bytes now. */
  readers = 0;
  /** Why it could not be read. */
  error: PlatformError | null = null;
  newer: Block | null = null;
  older: Block | null = null;
  constructor(readonly blocks: Map<number, Block>, readonly index: number) {}
}

/**
 * Bounded cache of aligned blocks of files that don't change where they were read. Blocks belong to paths, so that a
 * file may be closed and opened again. Concurrent reads of one block are one read of the file.
 */
export class BlockCache {
  readonly #limit: number;
  readonly #blockBytes: number;
  readonly #files = new Map<string, Map<number, Block>>();
  #newest: Block | null = null;
  #oldest: Block | null = null;
  #bytes = 0;
  readonly #spare: Uint8Array[] = [];

  /** Keeps at most `limitBytes` (at least one block) in blocks of `blockBytes`. */
  constructor(limitBytes: number, blockBytes: number) {
    this.#limit = Math.max(limitBytes, blockBytes);
    this.#blockBytes = blockBytes;
  }

  /** Bytes that the cache holds. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The bytes at `position` if they lie within one block that is here, else null. No I/O. */
  peek(file: { readonly path: string }, position: number, length: number): { bytes: Uint8Array; start: number } | null {
    const found = { bytes: none, start: 0 };
    return this.view(file.path, position, length, found) ? found : null;
  }

  /** The same without an object made: points `out` at the bytes, which stay until control returns to the event loop. */
  view(path: string, position: number, length: number, out: { bytes: Uint8Array; start: number }): boolean {
    const index = Math.floor(position / this.#blockBytes);
    const block = this.#files.get(path)?.get(index);
    const start = position - index * this.#blockBytes;
    if (block === undefined || block.loading || start + length > block.filled) return false;
    this.#use(block);
    out.bytes = block.bytes;
    out.start = start;
    return true;
  }

  /**
   * Reads `length` bytes; calls `done` at once when they are here. Bytes that cross a block's end come as a copy.
   * Error: what the file's read says, `EBADF` when the file was closed meanwhile (open it again), or `EIO` when it ends
   * before them.
   */
  read(file: File, position: number, length: number, done: BlockDone): void {
    const index = Math.floor(position / this.#blockBytes);
    const start = position - index * this.#blockBytes;
    if (start + length <= this.#blockBytes) {
      const block = this.#block(file, index);
      if (!block.loading) return this.#serve(file, block, start, length, done);
      block.waiters.push((error) => {
        if (error !== null) done(error, none, 0);
        else this.#serve(file, block, start, length, done);
      });
      return;
    }
    // The second block is asked for while the file is surely open, and comes at the same time.
    this.#block(file, index);
    this.#block(file, index + 1);
    this.#assemble(file, position, new Uint8Array(length), 0, done);
  }

  /** Starts reading the block that holds `position` if it is not here. */
  prefetch(file: File, position: number): void {
    this.#block(file, Math.floor(position / this.#blockBytes));
  }

  /** Forgets what was read of the file at or beyond `fromPosition`; done after each write that may touch a block. */
  invalidate(file: { readonly path: string }, fromPosition = 0): void {
    const blocks = this.#files.get(file.path);
    if (blocks === undefined) return;
    const first = Math.floor(fromPosition / this.#blockBytes);
    for (const block of blocks.values()) {
      if (block.index >= first) this.#drop(block);
    }
    if (blocks.size === 0) this.#files.delete(file.path);
  }

  #serve(file: File, block: Block, start: number, length: number, done: BlockDone): void {
    if (block.error !== null) return done(block.error, none, 0);
    if (start + length <= block.filled) {
      block.readers++;
      try {
        return done(null, block.bytes, start);
      } finally {
        this.#looked(block);
      }
    }
    done(
      new PlatformError("EIO", `${file.path}: ends before ${block.index * this.#blockBytes + start + length}`),
      none,
      0,
    );
  }

  #assemble(file: File, position: number, into: Uint8Array, at: number, done: BlockDone): void {
    if (at === into.length) return done(null, into, 0);
    const left = this.#blockBytes - (position % this.#blockBytes);
    const part = Math.min(left, into.length - at);
    this.read(file, position, part, (error, bytes, start) => {
      if (error !== null) return done(error, none, 0);
      into.set(bytes.subarray(start, start + part), at);
      this.#assemble(file, position + part, into, at + part, done);
    });
  }

  #block(file: File, index: number): Block {
    let blocks = this.#files.get(file.path);
    if (blocks === undefined) this.#files.set(file.path, blocks = new Map());
    let block = blocks.get(index);
    if (block !== undefined) {
      if (!block.loading) this.#use(block);
      return block;
    }
    block = new Block(blocks, index);
    blocks.set(index, block);
    this.#load(file, block);
    return block;
  }

  #load(file: File, block: Block): void {
    const bytes = this.#spare.pop() ?? new Uint8Array(this.#blockBytes);
    const start = block.index * this.#blockBytes;
    let expected = bytes.length;
    const fill = (at: number): void => {
      const into = at === 0 ? bytes : bytes.subarray(at);
      try {
        // What the file has is asked first: a second read, to find its end, could meet a closed file.
        if (at === 0) expected = Math.min(expected, file.size() - start);
        file.readAt(into, start + at, (error, count) => {
          if (error !== null) return this.#loaded(block, bytes, at, error);
          if (count > 0 && at + count < expected) return fill(at + count);
          this.#loaded(block, bytes, at + count, null);
        });
      } catch (error) {
        // Closed since the caller got it, or between two reads: its path was dropped, or a pool made room.
        this.#loaded(block, bytes, at, asPlatformError(error));
      }
    };
    fill(0);
  }

  #loaded(block: Block, bytes: Uint8Array, filled: number, error: PlatformError | null): void {
    const waiters = block.waiters;
    block.waiters = [];
    block.loading = false;
    if (error !== null) {
      block.error = error;
      this.#drop(block);
    } else {
      block.bytes = bytes;
      block.filled = filled;
      if (!block.dropped) {
        this.#bytes += bytes.length;
        this.#pushNewest(block);
        while (this.#bytes > this.#limit && this.#oldest !== null) this.#drop(this.#oldest);
      }
    }
    // One waiter's next read may push this block out before the next waiter has looked.
    block.readers++;
    for (const waiter of waiters) waiter(error);
    this.#looked(block);
  }

  /** Fresh memory for each block costs as much as reading it, and piles up until it is collected. */
  #looked(block: Block): void {
    if (--block.readers > 0 || !block.dropped || block.bytes === none) return;
    if (this.#spare.length < SPARE_BLOCKS) this.#spare.push(block.bytes);
    block.bytes = none;
  }

  #drop(block: Block): void {
    if (block.dropped) return;
    block.dropped = true;
    block.blocks.delete(block.index);
    if (block.filled === 0 && block.bytes === none) return;
    this.#unlink(block);
    this.#bytes -= block.bytes.length;
    block.readers++;
    this.#looked(block);
  }

  #use(block: Block): void {
    if (this.#newest === block) return;
    this.#unlink(block);
    this.#pushNewest(block);
  }

  #pushNewest(block: Block): void {
    block.older = this.#newest;
    block.newer = null;
    if (this.#newest !== null) this.#newest.newer = block;
    this.#newest = block;
    this.#oldest ??= block;
  }

  #unlink(block: Block): void {
    if (block.newer !== null) block.newer.older = block.older;
    else if (this.#newest === block) this.#newest = block.older;
    if (block.older !== null) block.older.newer = block.newer;
    else if (this.#oldest === block) this.#oldest = block.newer;
    block.newer = block.older = null;
  }
}
