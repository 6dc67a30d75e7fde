import { zlib } from "@rmq/platform/builtin";

type Crc32 = (bytes: Uint8Array) => number;

/** The runtime's own, looked for at the first use; Node before 22.2 has none. */
let native: Crc32 | null = null;

function findNative(): Crc32 {
  return (zlib() as { crc32?: Crc32 }).crc32 ?? ((bytes) => crc32ByTable(bytes, 0, bytes.length));
}

let table: Int32Array | null = null;

function makeTable(): Int32Array {
  return Int32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    return value;
  });
}

/** @internal The same without help from the runtime. */
export function crc32ByTable(bytes: Uint8Array, start: number, end: number): number {
  table ??= makeTable();
  let crc = -1;
  for (let i = start; i < end; i++) crc = (crc >>> 8) ^ table[(crc ^ bytes[i]) & 0xff];
  return ~crc >>> 0;
}

/** CRC-32 (IEEE, as `java.util.zip.CRC32`) of bytes[start, end), unsigned. Apache keeps 31 bits of it (`UtilAll.crc32`). */
export function crc32(bytes: Uint8Array, start: number = 0, end: number = bytes.length): number {
  native ??= findNative();
  return native(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end));
}
