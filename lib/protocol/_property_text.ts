import type { NameLookup } from "./_name_lookup.ts";
import { FormatError } from "./errors.ts";

const SEPARATOR = 0x01;
const END = 0x02;
const BACKSLASH = 0x5c;

/** Copies up to the next byte that means something; returns its position. A loop without calls, so that it compiles well. */
export function copyPlain(source: Uint8Array, from: number, end: number, into: Uint8Array, at: number): number {
  let p = from;
  for (; p < end; p++) {
    const byte = source[p];
    if (byte <= END || byte === BACKSLASH) break;
    into[at++] = byte;
  }
  return p;
}

/** `\u000X`: how the separators stand in JSON. */
export function isLowEscape(bytes: Uint8Array, at: number): boolean {
  return bytes[at + 1] === 0x75 && bytes[at + 2] === 0x30 && bytes[at + 3] === 0x30 && bytes[at + 4] === 0x30;
}

/** Behind the escape at `at`, or behind a pair of surrogates. */
export function escapeEnd(bytes: Uint8Array, at: number, end: number): number {
  if (bytes[at + 1] !== 0x75) return Math.min(at + 2, end);
  const high = (bytes[at + 2] | 0x20) === 0x64 && bytes[at + 6] === 0x5c && bytes[at + 7] === 0x75;
  return Math.min(at + (high ? 12 : 6), end);
}

/** Per pair: its known number, the start of its name, the start and the end of its value. */
export function positionsIn(known: NameLookup, pairs: Uint8Array): Int32Array {
  const positions: number[] = [];
  for (let name = 0; name < pairs.length;) {
    const end = pairs.indexOf(END, name);
    const value = pairs.indexOf(SEPARATOR, name) + 1;
    if (value <= name || end < value) throw new FormatError("TRUNCATED", "constant properties are no whole pairs");
    positions.push(known.find(pairs, name, value - 1), name, value, end);
    name = end + 1;
  }
  return Int32Array.from(positions);
}
