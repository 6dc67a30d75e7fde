import { EMPTY, utf8Bound, writeCodePoint, writeI32, writeI64, writeUtf8 } from "./_bytes.ts";

const DEFAULT_SIZE = 4096;
const HEX = "0123456789abcdef";

/** Number of decimal digits of 0 <= value < 1e9. */
function digitsOf(value: number): number {
  if (value < 10) return 1;
  if (value < 100) return 2;
  if (value < 1000) return 3;
  if (value < 10000) return 4;
  if (value < 100000) return 5;
  if (value < 1000000) return 6;
  if (value < 10000000) return 7;
  return value < 100000000 ? 8 : 9;
}

function writeDigits(value: number, count: number, into: Uint8Array, at: number): number {
  let rest = value | 0;
  for (let p = at + count - 1; p >= at; p--) {
    const next = (rest / 10) | 0;
    into[p] = 0x30 + rest - next * 10;
    rest = next;
  }
  return at + count;
}

/** Writes a safe integer as decimal digits and returns the new end; needs up to 17 bytes of room. */
export function writeDecimal(value: number, into: Uint8Array, at: number): number {
  let rest = value;
  if (rest < 0) {
    into[at++] = 0x2d;
    rest = -rest;
  }
  if (rest < 1e9) return writeDigits(rest, digitsOf(rest), into, at);
  const high = Math.floor(rest / 1e9);
  return writeDigits(rest - high * 1e9, 9, into, writeDigits(high, digitsOf(high), into, at));
}

/** Where an `Output` gets its first buffer from instead of making one. */
export interface BufferSource {
  /** A buffer that nobody else uses, or null. */
  take(): Uint8Array | null;
}

/** A growable byte writer with an explicit position. All integers are big-endian. */
export class Output {
  /** What was written lies in [0, length); the rest is room. Replaced when it grows. */
  bytes: Uint8Array;
  /** Bytes written; may be moved by a writer that made room with `ensure`. */
  length = 0;
  readonly #initial: number;
  readonly #source: BufferSource | null;

  /** `initial` is the size of the first buffer, made at the first write unless `source` has one. */
  constructor(initial: number = DEFAULT_SIZE, source: BufferSource | null = null) {
    this.#initial = initial;
    this.#source = source;
    this.bytes = EMPTY;
  }

  /** Makes room for `extra` more bytes. */
  ensure(extra: number): void {
    const needed = this.length + extra;
    if (needed <= this.bytes.length) return;
    if (this.bytes === EMPTY && this.#source !== null) {
      const bytes = this.#source.take();
      if (bytes !== null && bytes.length >= needed) {
        this.bytes = bytes;
        return;
      }
    }
    const larger = new Uint8Array(Math.max(this.#initial, needed, this.bytes.length * 2));
    if (this.length > 0) larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }

  /** One byte. */
  u8(value: number): void {
    this.ensure(1);
    this.bytes[this.length++] = value;
  }

  /** Two bytes. */
  i16(value: number): void {
    this.ensure(2);
    this.bytes[this.length++] = value >> 8;
    this.bytes[this.length++] = value;
  }

  /** Four bytes. */
  i32(value: number): void {
    this.ensure(4);
    writeI32(this.bytes, this.length, value);
    this.length += 4;
  }

  /** A safe integer as eight bytes. */
  i64(value: number): void {
    this.ensure(8);
    writeI64(this.bytes, this.length, value);
    this.length += 8;
  }

  /** Copies bytes[start, end). */
  raw(bytes: Uint8Array, start: number = 0, end: number = bytes.length): void {
    const count = end - start;
    if (count <= 0) return;
    this.ensure(count);
    const into = this.bytes;
    let at = this.length;
    if (count < 32) { for (let i = start; i < end; i++) into[at++] = bytes[i]; }
    else into.set(count === bytes.length ? bytes : bytes.subarray(start, end), at);
    this.length += count;
  }

  /** UTF-8, without a length. */
  text(text: string): void {
    this.ensure(utf8Bound(text));
    this.length = writeUtf8(text, this.bytes, this.length);
  }

  /** A safe integer as decimal text. */
  decimal(value: number): void {
    this.ensure(20);
    this.length = writeDecimal(value, this.bytes, this.length);
  }

  /** A JSON string with its quotes, escaped as fastjson does. */
  jsonString(text: string): void {
    this.ensure(2 + text.length * 6);
    const into = this.bytes;
    let at = this.length;
    into[at++] = 0x22;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 0x7f) {
        const point = text.codePointAt(i) as number;
        at = writeCodePoint(point, into, at);
        if (point > 0xffff) i++;
      } else at = writeJsonByte(unit, into, at);
    }
    into[at++] = 0x22;
    this.length = at;
  }

  /** The bytes [start, end), UTF-8, as the inside of a JSON string. */
  jsonBytes(bytes: Uint8Array, start: number, end: number): void {
    this.ensure((end - start) * 6);
    let at = this.length;
    for (let i = start; i < end; i++) at = writeJsonByte(bytes[i], this.bytes, at);
    this.length = at;
  }

  /** Hands out what was written, without a copy, and starts anew. */
  take(): Uint8Array {
    const taken = this.length === this.bytes.length ? this.bytes : this.bytes.subarray(0, this.length);
    this.bytes = EMPTY;
    this.length = 0;
    return taken;
  }
}

const SHORT_ESCAPES = new Map([[0x22, 0x22], [0x5c, 0x5c], [8, 0x62], [9, 0x74], [10, 0x6e], [12, 0x66], [13, 0x72]]);

/** One byte of a JSON string, escaped where it must be. */
function writeJsonByte(byte: number, into: Uint8Array, at: number): number {
  if (byte >= 0x20 && byte !== 0x22 && byte !== 0x5c) {
    into[at] = byte;
    return at + 1;
  }
  into[at++] = 0x5c;
  const short = SHORT_ESCAPES.get(byte);
  if (short !== undefined) {
    into[at] = short;
    return at + 1;
  }
  into[at] = 0x75;
  into[at + 1] = into[at + 2] = 0x30;
  into[at + 3] = HEX.charCodeAt(byte >> 4);
  into[at + 4] = HEX.charCodeAt(byte & 15);
  return at + 5;
}
