/**
 * Units of the timer log (storage sheet §11; Apache: `TimerLog`). The only place that knows positions in them.
 *
 * | at | size | field                                                                    |
 * |----|------|--------------------------------------------------------------------------|
 * | 0  | 4    | size: 52; in a blank record what is left of the file                       |
 * | 4  | 8    | position of the unit before it in the same slot, −1: none                  |
 * | 12 | 4    | magic: bits of {@link TimerMagic}; BLANK_MAGIC in a blank record           |
 * | 16 | 8    | when it was written, ms, in whole ticks                                    |
 * | 24 | 4    | tick of its slot minus the field before, ms                                |
 * | 28 | 8    | position of the message in the commit log                                  |
 * | 36 | 4    | its size                                                                   |
 * | 40 | 4    | Java's hash code of its real topic                                         |
 * | 44 | 8    | 0                                                                          |
 *
 * A unit is appended while another one and a blank record have room in the file; else 16 bytes of blank record end it.
 *
 * @module
 */
import { int32At, int64At, putInt32, putInt64 } from "./consume_queue_layout.ts";

/** Bytes of a unit. */
export const TIMER_UNIT_BYTES: number = 52;
/** Bytes of a blank record. */
const BLANK_BYTES = 16;
const BLANK_MAGIC = 0xcbd43194 | 0;
const PREVIOUS_AT = 4;
const MAGIC_AT = 12;
const WRITTEN_AT = 16;
const DELAY_AT = 24;
const PHYSICAL_AT = 28;
const SIZE_AT = 36;
const HASH_AT = 40;
/** All bits that a magic may have (`TimerMessageStore.isMagicOK`). */
const MAGIC_MASK = 0xf;

/** What a unit is about. */
export const TimerMagic: { readonly DEFAULT: 1; readonly ROLL: 2; readonly DELETE: 4 } = {
  /** Set in every unit. */
  DEFAULT: 1,
  /** Its time is beyond the window: put into the timer topic again at the tick of the slot. */
  ROLL: 2,
  /** Takes back another message of the slot. */
  DELETE: 4,
};

/** What a unit says. */
export interface TimerUnit {
  /** Position of the unit before it in the same slot, −1: none. */
  previous: number;
  /** Bits of {@link TimerMagic}. */
  magic: number;
  /** When it was written, ms. */
  writtenMs: number;
  /** Tick of its slot, ms. */
  slotMs: number;
  /** Position of the message in the commit log. */
  physicalOffset: number;
  /** Its size. */
  size: number;
  /** Hash code of its real topic. */
  topicHash: number;
}

/** Writes a unit at `at`. */
export function putTimerUnit(bytes: Uint8Array, at: number, unit: TimerUnit): void {
  putInt32(bytes, at, TIMER_UNIT_BYTES);
  putInt64(bytes, at + PREVIOUS_AT, unit.previous);
  putInt32(bytes, at + MAGIC_AT, unit.magic);
  putInt64(bytes, at + WRITTEN_AT, unit.writtenMs);
  putInt32(bytes, at + DELAY_AT, unit.slotMs - unit.writtenMs);
  putInt64(bytes, at + PHYSICAL_AT, unit.physicalOffset);
  putInt32(bytes, at + SIZE_AT, unit.size);
  putInt32(bytes, at + HASH_AT, unit.topicHash);
  putInt64(bytes, at + HASH_AT + 4, 0);
}

/** Reads the unit at `at` into `unit`; false: there is none, or a blank record. */
export function readTimerUnit(bytes: Uint8Array, at: number, unit: TimerUnit): boolean {
  const magic = int32At(bytes, at + MAGIC_AT);
  if (int32At(bytes, at) !== TIMER_UNIT_BYTES || (magic & ~MAGIC_MASK) !== 0) return false;
  unit.previous = int64At(bytes, at + PREVIOUS_AT);
  unit.magic = magic;
  unit.writtenMs = int64At(bytes, at + WRITTEN_AT);
  unit.slotMs = unit.writtenMs + int32At(bytes, at + DELAY_AT);
  unit.physicalOffset = int64At(bytes, at + PHYSICAL_AT);
  unit.size = int32At(bytes, at + SIZE_AT);
  unit.topicHash = int32At(bytes, at + HASH_AT);
  return true;
}

/** Whether a blank record stands at `at`. */
export function isTimerBlank(bytes: Uint8Array, at: number): boolean {
  return int32At(bytes, at + MAGIC_AT) === BLANK_MAGIC;
}

/** Writes the blank record that ends a file with `left` bytes to go. */
export function putTimerBlank(bytes: Uint8Array, at: number, left: number): void {
  putInt32(bytes, at, left);
  putInt64(bytes, at + 4, 0);
  putInt32(bytes, at + MAGIC_AT, BLANK_MAGIC);
}

/** Whether a unit has room in a file with `left` bytes to go. */
export function timerUnitFits(left: number): boolean {
  return left >= TIMER_UNIT_BYTES + BLANK_BYTES;
}

/** Where in a full file its last unit stands. */
export function lastTimerUnitAt(fileBytes: number): number {
  return Math.floor((fileBytes - BLANK_BYTES) / TIMER_UNIT_BYTES) * TIMER_UNIT_BYTES - TIMER_UNIT_BYTES;
}

/** A unit to be filled. */
export function newTimerUnit(): TimerUnit {
  return { previous: -1, magic: 0, writtenMs: 0, slotMs: 0, physicalOffset: 0, size: 0, topicHash: 0 };
}
