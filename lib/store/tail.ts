import type { EntryView } from "./log_reader.ts";

/** Bytes of a chunk; an entry above that gets a chunk of its own. */
const CHUNK_BYTES = 1024 * 1024;
/** Dropped buffers kept for the next chunks. */
const SPARE_CHUNKS = 4;

/** A run of the log in memory: `bytes[0, used)` stand at `base` and after. */
export interface TailChunk {
  /** Physical offset of the first byte. */
  readonly base: number;
  readonly bytes: Uint8Array;
  /** Bytes in use; what was written is never changed again. */
  used: number;
}

/**
 * The newest part of the log: the buffers that entries were encoded into. Entries never straddle chunks. Between two
 * chunks there is a gap where a segment ended. Views are valid until the call that got them returns, so the buffer of a
 * dropped chunk serves a new one: memory that the kernel has to find and clear costs more than all else in an append
 * (bench/micro/append.ts).
 */
export class Tail {
  readonly chunks: TailChunk[] = [];
  /** Bytes that the buffers take. */
  heldBytes = 0;
  #hit: TailChunk | null = null;
  readonly #spare: Uint8Array[] = [];

  constructor(private readonly limitBytes: number) {}

  /** The newest chunk, with room for `size` bytes at `offset`; a segment that starts at `segmentBase` starts a chunk. */
  room(offset: number, size: number, segmentBase: number): TailChunk {
    const last = this.chunks.length === 0 ? null : this.chunks[this.chunks.length - 1];
    if (
      last !== null && last.base >= segmentBase && last.base + last.used === offset &&
      last.bytes.length - last.used >= size
    ) return last;
    const bytes = size > CHUNK_BYTES ? new Uint8Array(size) : this.#spare.pop() ?? new Uint8Array(CHUNK_BYTES);
    return this.#push(offset, bytes);
  }

  /** Start of what is in memory without a hole up to the end; `end` when nothing is. */
  start(end: number): number {
    return this.chunks.length === 0 ? end : this.chunks[0].base;
  }

  /** The chunk that holds the byte at `offset`, or null. */
  chunkAt(offset: number): TailChunk | null {
    const hit = this.#hit;
    if (hit !== null && offset >= hit.base && offset < hit.base + hit.used) return hit;
    const index = this.indexFrom(offset);
    if (index === this.chunks.length) return null;
    const chunk = this.chunks[index];
    if (offset < chunk.base) return null;
    this.#hit = chunk;
    return chunk;
  }

  /** Index of the first chunk that ends after `offset`. */
  indexFrom(offset: number): number {
    let low = 0;
    let high = this.chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const chunk = this.chunks[middle];
      if (chunk.base + chunk.used <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Points `out` at the entry of `size` bytes at `offset`; false when it is not here. */
  view(offset: number, size: number, out: EntryView): boolean {
    const chunk = this.chunkAt(offset);
    if (chunk === null || offset + size > chunk.base + chunk.used) return false;
    out.bytes = chunk.bytes;
    // An integer for the engine too, see Publication.
    out.start = (offset - chunk.base) | 0;
    return true;
  }

  /** Forgets everything at or beyond `end` (a batch that could not be written). */
  rollBack(end: number): void {
    this.#hit = null;
    while (this.chunks.length > 0) {
      const last = this.chunks[this.chunks.length - 1];
      if (last.base < end) {
        // The rest of this buffer may have been handed to a write that failed half way; it is not shown to anyone.
        last.used = Math.min(last.used, (end - last.base) | 0);
        return;
      }
      this.chunks.pop();
      this.heldBytes -= last.bytes.length;
    }
  }

  /** Drops the oldest chunks above the limit that end at or below `safe` (durable and taken by the followers). */
  trim(safe: number): void {
    let drop = 0;
    while (
      this.heldBytes > this.limitBytes && drop < this.chunks.length - 1 &&
      this.chunks[drop].base + this.chunks[drop].used <= safe
    ) {
      const { bytes } = this.chunks[drop];
      this.heldBytes -= bytes.length;
      if (bytes.length === CHUNK_BYTES && this.#spare.length < SPARE_CHUNKS) this.#spare.push(bytes);
      drop++;
    }
    if (drop > 0) {
      this.chunks.splice(0, drop);
      this.#hit = null;
    }
  }

  #push(base: number, bytes: Uint8Array): TailChunk {
    const chunk: TailChunk = { base, bytes, used: 0 };
    this.chunks.push(chunk);
    this.heldBytes += bytes.length;
    return chunk;
  }
}
