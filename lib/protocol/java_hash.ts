import { decodeUtf8 } from "./_bytes.ts";

/** `String.hashCode()` of a text. */
export function javaHash(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return hash;
}

/** `String.hashCode()` of UTF-8 bytes[start, end). */
export function javaHashBytes(bytes: Uint8Array, start: number, end: number): number {
  return hashContinue(0, bytes, start, end);
}

/** Hash of a text of which `hash` is the hash of the beginning and bytes[start, end), UTF-8, the rest. */
export function hashContinue(hash: number, bytes: Uint8Array, start: number, end: number): number {
  for (let i = start; i < end; i++) {
    const byte = bytes[i];
    if (byte > 0x7f) return hashBeyondAscii(hash, bytes, i, end);
    hash = (Math.imul(hash, 31) + byte) | 0;
  }
  return hash;
}

function hashBeyondAscii(hash: number, bytes: Uint8Array, start: number, end: number): number {
  const text = decodeUtf8(bytes, start, end);
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return hash;
}
