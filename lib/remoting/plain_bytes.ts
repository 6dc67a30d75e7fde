/**
 * The same bytes as a plain Uint8Array. Runtimes hand out their Buffer, whose `slice` makes a view where that of a
 * Uint8Array makes a copy: whoever kept a "copy" would see it change.
 */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  if (bytes.constructor === Uint8Array) return bytes;
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
