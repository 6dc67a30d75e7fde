import { EMPTY, readI32 } from "./_bytes.ts";
import { FrameError } from "./errors.ts";

/** Longest frame, its length word included (`frameMaxLength`). */
export const MAX_FRAME_LENGTH: number = 16 * 1024 * 1024;

const FIRST_BUFFER = 4096;
const KEPT_BUFFER = 64 * 1024;

/**
 * Gets a whole frame: `start` is the position of its length word. The view is valid until this returns.
 * `false` stops the delivery: what follows is kept for the next push.
 */
export type TakeFrame = (bytes: Uint8Array, start: number, end: number) => boolean | void;

/**
 * Splits a byte stream into frames (remoting sheet §1, `NettyDecoder`).
 *
 * | 4 length of what follows | 4 serialize type and header length | header | body |
 *
 * Frames that lie whole within a chunk are delivered where they are. The rest of a chunk is kept in a buffer that
 * grows as bytes really arrive.
 */
export class FrameDecoder {
  readonly #maxFrameLength: number;
  #held: Uint8Array = EMPTY;
  #start = 0;
  #end = 0;

  /** `maxFrameLength` in bytes, the length word included. */
  constructor(maxFrameLength: number = MAX_FRAME_LENGTH) {
    this.#maxFrameLength = maxFrameLength;
  }

  /** Bytes that came and were not delivered yet. */
  get pendingBytes(): number {
    return this.#end - this.#start;
  }

  /** Takes the next bytes (perhaps none) and delivers all frames that are whole. Throws FrameError. */
  push(chunk: Uint8Array, take: TakeFrame): void {
    let at = 0;
    while (this.#end > this.#start) {
      const missing = this.#missing();
      if (missing > 0) {
        const some = Math.min(missing, chunk.length - at);
        if (some === 0) return;
        this.#hold(chunk, at, at + some);
        at += some;
        continue;
      }
      const start = this.#start;
      this.#start = start + 4 + readI32(this.#held, start);
      const stop = take(this.#held, start, this.#start) === false;
      if (this.#start === this.#end) this.#letGo();
      if (stop) return this.#hold(chunk, at, chunk.length);
    }
    this.#deliver(chunk, at, take);
  }

  /** Frames straight out of the chunk. */
  #deliver(chunk: Uint8Array, from: number, take: TakeFrame): void {
    let at = from;
    while (chunk.length - at >= 4) {
      const end = at + 4 + this.#checked(readI32(chunk, at));
      if (end > chunk.length) break;
      const start = at;
      at = end;
      if (take(chunk, start, end) === false) break;
    }
    this.#hold(chunk, at, chunk.length);
  }

  /** Bytes that the first held frame still lacks. */
  #missing(): number {
    const held = this.#end - this.#start;
    if (held < 4) return 4 - held;
    return 4 + this.#checked(readI32(this.#held, this.#start)) - held;
  }

  #checked(length: number): number {
    if (length < 4) throw new FrameError("FRAME_TOO_SHORT", `frame length ${length} is below 4`);
    if (length + 4 > this.#maxFrameLength) {
      throw new FrameError("FRAME_TOO_LONG", `frame of ${length + 4} bytes is above the limit ${this.#maxFrameLength}`);
    }
    return length;
  }

  #hold(chunk: Uint8Array, from: number, to: number): void {
    if (from >= to) return;
    const needed = this.#end - this.#start + to - from;
    if (this.#end + to - from > this.#held.length) {
      const larger = needed <= this.#held.length ? this.#held : new Uint8Array(Math.max(FIRST_BUFFER, needed * 2));
      if (larger === this.#held) larger.copyWithin(0, this.#start, this.#end);
      else larger.set(this.#held.subarray(this.#start, this.#end));
      this.#held = larger;
      this.#end -= this.#start;
      this.#start = 0;
    }
    this.#held.set(from === 0 && to === chunk.length ? chunk : chunk.subarray(from, to), this.#end);
    this.#end += to - from;
  }

  #letGo(): void {
    this.#start = this.#end = 0;
    if (this.#held.length > KEPT_BUFFER) this.#held = EMPTY;
  }
}
