/**
 * Consume queue files (storage sheet §4; Apache: `ConsumeQueue`). The only place that knows positions in them.
 *
 * | unit offset | size | field                                            |
 * |-------------|------|--------------------------------------------------|
 * | 0           | 8    | position of the entry in the commit log          |
 * | 8           | 4    | size of the entry; 0: this unit is not yet written |
 * | 12          | 8    | tags code                                        |
 *
 * A file is named by its first byte's position in the queue, 20 digits; unit n of the queue is at byte 20 n.
 * Before the first unit of a queue that starts within a file stand blank units: position 0, size 0x7FFFFFFF, tags 0.
 *
 * @module
 */

export const UNIT_BYTES = 20;
const SIZE_AT = 8;
const TAGS_HIGH_AT = 12;
const TAGS_LOW_AT = 16;
export const BLANK_SIZE = 0x7fffffff;

export function int32At(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
}

export function putInt32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

export function int64At(bytes: Uint8Array, at: number): number {
  return int32At(bytes, at) * 0x100000000 + (int32At(bytes, at + 4) >>> 0);
}

export function putInt64(bytes: Uint8Array, at: number, value: number): void {
  putInt32(bytes, at, Math.floor(value / 0x100000000));
  putInt32(bytes, at + 4, value >>> 0);
}

/** Position of the entry that the unit at `at` points to. */
export function unitPhysical(bytes: Uint8Array, at: number): number {
  return int64At(bytes, at);
}

/** Size of that entry; 0 or less: nothing is written here. */
export function unitSize(bytes: Uint8Array, at: number): number {
  return int32At(bytes, at + SIZE_AT);
}

export function unitTagsHigh(bytes: Uint8Array, at: number): number {
  return int32At(bytes, at + TAGS_HIGH_AT);
}

export function unitTagsLow(bytes: Uint8Array, at: number): number {
  return int32At(bytes, at + TAGS_LOW_AT);
}

/** True for a unit that stands for a message that never was in this queue's files. */
export function isBlankUnit(bytes: Uint8Array, at: number): boolean {
  return unitSize(bytes, at) === BLANK_SIZE && unitPhysical(bytes, at) === 0;
}

export function putUnit(
  bytes: Uint8Array,
  at: number,
  physical: number,
  size: number,
  tagsHigh: number,
  tagsLow: number,
): void {
  putInt64(bytes, at, physical);
  putInt32(bytes, at + SIZE_AT, size);
  putInt32(bytes, at + TAGS_HIGH_AT, tagsHigh);
  putInt32(bytes, at + TAGS_LOW_AT, tagsLow);
}

/** `count` blank units. */
export function blankUnits(count: number): Uint8Array {
  const bytes = new Uint8Array(count * UNIT_BYTES);
  for (let at = 0; at < bytes.length; at += UNIT_BYTES) putUnit(bytes, at, 0, BLANK_SIZE, 0, 0);
  return bytes;
}

/** Name of the file that starts at byte `start` of a queue or log. */
export function offsetFileName(start: number): string {
  return start.toString().padStart(20, "0");
}

/** Start of the file of that name, or -1 when it is not such a name. */
export function offsetOfFileName(name: string): number {
  if (!/^[0-9]{20}$/.test(name)) return -1;
  const start = Number(name);
  return Number.isSafeInteger(start) ? start : -1;
}
