import { hexDigit, writeCodePoint } from "./_bytes.ts";

/**
 * Copies the inside of a JSON string, already checked, to into[at…] without its escapes, and returns the new end.
 * Never longer than the source.
 */
export function unescapeTo(bytes: Uint8Array, start: number, end: number, into: Uint8Array, at: number): number {
  let p = start;
  while (p < end) {
    const byte = bytes[p++];
    if (byte !== 0x5c) {
      into[at++] = byte;
      continue;
    }
    const letter = bytes[p++];
    if (letter !== 0x75) {
      into[at++] = simpleEscape(letter);
      continue;
    }
    let point = hex4(bytes, p);
    p += 4;
    if (point >= 0xd800 && point < 0xdc00 && bytes[p] === 0x5c && bytes[p + 1] === 0x75 && p + 6 <= end) {
      const low = hex4(bytes, p + 2);
      if (low >= 0xdc00 && low < 0xe000) {
        point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
        p += 6;
      }
    }
    at = writeCodePoint(point, into, at);
  }
  return at;
}

/** Four hex digits as a number, -1 if they are not. */
export function hex4(bytes: Uint8Array, at: number): number {
  const a = hexDigit(bytes[at]);
  const b = hexDigit(bytes[at + 1]);
  const c = hexDigit(bytes[at + 2]);
  const d = hexDigit(bytes[at + 3]);
  return (a | b | c | d) < 0 ? -1 : (a << 12) | (b << 8) | (c << 4) | d;
}

/** What a one-letter escape stands for, -1 when it is none of the standard's. */
export function simpleEscape(letter: number): number {
  switch (letter) {
    case 0x22:
    case 0x2f:
    case 0x5c:
      return letter;
    case 0x62:
      return 8;
    case 0x66:
      return 12;
    case 0x6e:
      return 10;
    case 0x72:
      return 13;
    case 0x74:
      return 9;
  }
  return -1;
}
