/**
 * Index files (storage sheet §5; Apache: `IndexFile`, `IndexHeader`). The only place that knows positions in them.
 *
 * | header | size | field                                             |
 * |--------|------|---------------------------------------------------|
 * | 0      | 8    | store time of the first entry, ms                 |
 * | 8      | 8    | store time of the last entry, ms                  |
 * | 16     | 8    | log position of the first entry                   |
 * | 24     | 8    | log position of the last entry                    |
 * | 32     | 4    | slots in use                                      |
 * | 36     | 4    | number of the next entry; entry 0 is never used   |
 *
 * Then the slots, 4 bytes each: number of the newest entry of the slot, 0: none. Then the entries:
 *
 * | entry | size | field                                                         |
 * |-------|------|---------------------------------------------------------------|
 * | 0     | 4    | hash of `topic#key`                                           |
 * | 4     | 8    | log position of the message                                   |
 * | 12    | 4    | seconds between the file's first store time and this one      |
 * | 16    | 4    | number of the entry before it in the same slot, 0: none       |
 *
 * @module
 */
import { int32At, int64At, putInt32, putInt64 } from "./consume_queue_layout.ts";

export const HEADER_BYTES = 40;
export const SLOT_BYTES = 4;
export const ENTRY_BYTES = 20;

/** An index file's header; `count` is the number of the next entry. */
export interface IndexHeader {
  beginTimestamp: number;
  endTimestamp: number;
  beginPhysical: number;
  endPhysical: number;
  slotsUsed: number;
  count: number;
}

export function readHeader(bytes: Uint8Array): IndexHeader {
  return {
    beginTimestamp: int64At(bytes, 0),
    endTimestamp: int64At(bytes, 8),
    beginPhysical: int64At(bytes, 16),
    endPhysical: int64At(bytes, 24),
    slotsUsed: int32At(bytes, 32),
    // A file that was made and never written counts as one without entries.
    count: Math.max(1, int32At(bytes, 36)),
  };
}

export function headerBytes(header: IndexHeader): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  putInt64(bytes, 0, header.beginTimestamp);
  putInt64(bytes, 8, header.endTimestamp);
  putInt64(bytes, 16, header.beginPhysical);
  putInt64(bytes, 24, header.endPhysical);
  putInt32(bytes, 32, header.slotsUsed);
  putInt32(bytes, 36, header.count);
  return bytes;
}

export function indexFileBytes(slots: number, entries: number): number {
  return HEADER_BYTES + slots * SLOT_BYTES + entries * ENTRY_BYTES;
}

export function slotPosition(slot: number): number {
  return HEADER_BYTES + slot * SLOT_BYTES;
}

export function entryPosition(slots: number, entry: number): number {
  return HEADER_BYTES + slots * SLOT_BYTES + entry * ENTRY_BYTES;
}

export function putEntry(
  bytes: Uint8Array,
  at: number,
  hash: number,
  physical: number,
  seconds: number,
  previous: number,
): void {
  putInt32(bytes, at, hash);
  putInt64(bytes, at + 4, physical);
  putInt32(bytes, at + 12, seconds);
  putInt32(bytes, at + 16, previous);
}

export function entryHash(bytes: Uint8Array, at: number): number {
  return int32At(bytes, at);
}

export function entryPhysical(bytes: Uint8Array, at: number): number {
  return int64At(bytes, at + 4);
}

export function entrySeconds(bytes: Uint8Array, at: number): number {
  return int32At(bytes, at + 12);
}

export function entryPrevious(bytes: Uint8Array, at: number): number {
  return int32At(bytes, at + 16);
}

/** Hash as the file holds it, of a Java string hash: `Math.abs`, with 0 for the one value that has none. */
export function positiveHash(javaHash: number): number {
  if (javaHash >= 0) return javaHash;
  return javaHash === -0x80000000 ? 0 : -javaHash;
}

/** `count` slots from `from` on as they stand in the file. */
export function slotBytes(slots: Int32Array, from: number, count: number): Uint8Array {
  const bytes = new Uint8Array(count * SLOT_BYTES);
  for (let i = 0; i < count; i++) putInt32(bytes, i * SLOT_BYTES, slots[from + i]);
  return bytes;
}

/** Reads slots from the file's bytes into the table. */
export function readSlots(bytes: Uint8Array, slots: Int32Array, from: number): void {
  const count = Math.min(Math.floor(bytes.length / SLOT_BYTES), slots.length - from);
  for (let i = 0; i < count; i++) slots[from + i] = int32At(bytes, i * SLOT_BYTES);
}
