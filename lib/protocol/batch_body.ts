import { EMPTY, readI16, readI32, writeI16, writeI32 } from "./_bytes.ts";
import { FormatError } from "./errors.ts";

/*
 * The body of request 320 (`MessageDecoder.encodeMessages`, remoting sheet §11.4), messages without a gap:
 *
 * | 4 total size | 4 magic, 0 | 4 body CRC, 0 | 4 flag | 4 + n body | 2 + n properties |
 */

const FIXED = 22;

/** Gets one inner message as positions in the batch body. */
export type EachInner = (
  flag: number,
  bodyStart: number,
  bodyEnd: number,
  propsStart: number,
  propsEnd: number,
) => void;

/**
 * Walks the inner messages of a batch body bytes[start, end), after all of them were checked; returns their number.
 * Throws FormatError.
 */
export function decodeBatch(bytes: Uint8Array, start: number, end: number, each: EachInner): number {
  for (let p = start; p < end;) p = innerEnd(bytes, p, end);
  let count = 0;
  for (let p = start; p < end; count++) {
    const bodyStart = p + 20;
    const bodyEnd = bodyStart + readI32(bytes, p + 16);
    const flag = readI32(bytes, p + 12);
    p += readI32(bytes, p);
    each(flag, bodyStart, bodyEnd, bodyEnd + 2, p);
  }
  return count;
}

/** End of the inner message at `at`, whose lengths must agree. */
function innerEnd(bytes: Uint8Array, at: number, end: number): number {
  if (end - at < FIXED) throw new FormatError("TRUNCATED", `batch ends ${end - at} bytes into a message`);
  const size = readI32(bytes, at);
  const bodyLength = readI32(bytes, at + 16);
  if (size > end - at) throw new FormatError("TRUNCATED", `inner message of ${size} bytes, ${end - at} are left`);
  if (bodyLength < 0 || bodyLength > size - FIXED) {
    throw new FormatError("BAD_LENGTH", `inner message of ${size} bytes has a body of ${bodyLength}`);
  }
  const propertiesLength = readI16(bytes, at + 20 + bodyLength);
  if (propertiesLength !== size - FIXED - bodyLength) {
    throw new FormatError("BAD_LENGTH", `inner message has ${propertiesLength} bytes of properties`);
  }
  return at + size;
}

/** One message of a batch; the properties as text bytes. */
export interface InnerMessage {
  /** The message's own flag, default 0. */
  flag?: number;
  /** Body bytes. */
  body: Uint8Array;
  /** Property text, `name 0x01 value 0x02 …`. */
  properties?: Uint8Array;
}

/** Encodes a batch body. Throws FormatError when properties are longer than 32767 bytes. */
export function encodeBatch(messages: readonly InnerMessage[]): Uint8Array {
  let size = 0;
  for (const { body, properties = EMPTY } of messages) size += FIXED + body.length + properties.length;
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const { flag = 0, body, properties = EMPTY } of messages) {
    if (properties.length > 0x7fff) throw new FormatError("BAD_LENGTH", `${properties.length} bytes of properties`);
    writeI32(bytes, at, FIXED + body.length + properties.length);
    writeI32(bytes, at + 12, flag);
    writeI32(bytes, at + 16, body.length);
    bytes.set(body, at + 20);
    at += 20 + body.length;
    writeI16(bytes, at, properties.length);
    bytes.set(properties, at + 2);
    at += 2 + properties.length;
  }
  return bytes;
}
