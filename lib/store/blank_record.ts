import { BLANK_MAGIC } from "@rmq/protocol";

/*
 * End of a segment (storage §3.3):
 *
 * | 0 | 4 | bytes left in the segment, this record included |
 * | 4 | 4 | BLANK_MAGIC                                     |
 */

/** Bytes of the record; an entry leaves at least as many free. */
export const BLANK_BYTES = 8;

/** Writes the record that says that the `left` bytes up to the segment's end hold nothing. */
export function writeBlank(into: Uint8Array, at: number, left: number): void {
  writeInt32(into, at, left);
  writeInt32(into, at + 4, BLANK_MAGIC);
}

function writeInt32(into: Uint8Array, at: number, value: number): void {
  into[at] = value >>> 24;
  into[at + 1] = value >>> 16;
  into[at + 2] = value >>> 8;
  into[at + 3] = value;
}
