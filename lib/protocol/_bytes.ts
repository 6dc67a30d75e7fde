import { Buffer } from "node:buffer";

type Utf8Slice = (this: Uint8Array, start: number, end: number) => string;

const native = (Buffer.prototype as unknown as { utf8Slice?: Utf8Slice }).utf8Slice;
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

/** No bytes; shared where "nothing" is needed. */
export const EMPTY: Uint8Array<ArrayBuffer> = new Uint8Array(0);

/** UTF-8 to a string; malformed input becomes U+FFFD as in Java. */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string {
  if (start >= end) return "";
  return native === undefined ? decoder.decode(bytes.subarray(start, end)) : native.call(bytes, start, end);
}

export function encodeUtf8(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

/** Upper bound of the UTF-8 length of `text`. */
export function utf8Bound(text: string): number {
  return text.length * 3;
}

/** Writes `text` as UTF-8 at `at` and returns the new end; the caller made room for `utf8Bound(text)` bytes. */
export function writeUtf8(text: string, into: Uint8Array, at: number): number {
  const length = text.length;
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) return at + i + encoder.encodeInto(text.slice(i), into.subarray(at + i)).written;
    into[at + i] = unit;
  }
  return at + length;
}

/** Writes one code point and returns the new end. A lone surrogate becomes `?`, as Java encodes it. */
export function writeCodePoint(point: number, into: Uint8Array, at: number): number {
  if (point < 0x80) {
    into[at] = point;
    return at + 1;
  }
  if (point < 0x800) {
    into[at] = 0xc0 | (point >> 6);
    into[at + 1] = 0x80 | (point & 0x3f);
    return at + 2;
  }
  if (point >= 0xd800 && point <= 0xdfff) {
    into[at] = 0x3f;
    return at + 1;
  }
  if (point < 0x10000) {
    into[at] = 0xe0 | (point >> 12);
    into[at + 1] = 0x80 | ((point >> 6) & 0x3f);
    into[at + 2] = 0x80 | (point & 0x3f);
    return at + 3;
  }
  into[at] = 0xf0 | (point >> 18);
  into[at + 1] = 0x80 | ((point >> 12) & 0x3f);
  into[at + 2] = 0x80 | ((point >> 6) & 0x3f);
  into[at + 3] = 0x80 | (point & 0x3f);
  return at + 4;
}

export function readI16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] << 24) >> 16) | bytes[at + 1];
}

export function readU16(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 8) | bytes[at + 1];
}

export function readI32(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
}

/** Exact for safe integers, the nearest double beyond them. */
export function readI64(bytes: Uint8Array, at: number): number {
  return readI32(bytes, at) * 4294967296 + (readI32(bytes, at + 4) >>> 0);
}

export function writeI16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8;
  bytes[at + 1] = value;
}

export function writeI32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 24;
  bytes[at + 1] = value >> 16;
  bytes[at + 2] = value >> 8;
  bytes[at + 3] = value;
}

export function writeI64(bytes: Uint8Array, at: number, value: number): void {
  const low = value >>> 0;
  writeI32(bytes, at, ((value - low) / 4294967296) | 0);
  writeI32(bytes, at + 4, low | 0);
}

/** True when bytes[start, end) are exactly `expected`. */
export function equalBytes(bytes: Uint8Array, start: number, end: number, expected: Uint8Array): boolean {
  const length = expected.length;
  if (end - start !== length) return false;
  for (let i = 0; i < length; i++) if (bytes[start + i] !== expected[i]) return false;
  return true;
}

const HEX = encodeUtf8("0123456789ABCDEF");

/** Writes `length` bytes as upper-case hex digits and returns the new end. */
export function writeHex(source: Uint8Array, start: number, length: number, into: Uint8Array, at: number): number {
  for (let i = start; i < start + length; i++) {
    const byte = source[i];
    into[at++] = HEX[byte >> 4];
    into[at++] = HEX[byte & 15];
  }
  return at;
}

const hexValues = new Int8Array(256).fill(-1);
for (let digit = 0; digit < 16; digit++) {
  hexValues[digit.toString(16).charCodeAt(0)] = digit;
  hexValues[digit.toString(16).toUpperCase().charCodeAt(0)] = digit;
}

/** Value of a hex digit in ASCII, or -1. */
export function hexDigit(byte: number): number {
  return byte < 256 ? hexValues[byte] : -1;
}

/** A view of the same bytes: word by word it is faster than byte by byte, so callers keep it as long as the bytes. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Exact for safe integers, the nearest double beyond them. */
export function getI64(view: DataView, at: number): number {
  return view.getInt32(at) * 4294967296 + view.getUint32(at + 4);
}

export function setI64(view: DataView, at: number, value: number): void {
  const low = value >>> 0;
  // Only int32 arguments keep the engines on their fast path.
  view.setInt32(at, ((value - low) / 4294967296) | 0);
  view.setInt32(at + 4, low | 0);
}
