import { KnownProperty, type Properties } from "@rmq/protocol";
import type { TimerUnit } from "@rmq/store";

/** Units that are delivered together, and read again when a slot has more of them. */
export const DUE_UNITS = 4096;

/** Some units of one slot, oldest first; one object serves for slot after slot. */
export class DueUnits {
  count = 0;
  /** Where they stand in the timer log. */
  readonly positions: Float64Array = new Float64Array(DUE_UNITS);
  readonly offsets: Float64Array = new Float64Array(DUE_UNITS);
  readonly sizes: Int32Array = new Int32Array(DUE_UNITS);
  readonly writtenMs: Float64Array = new Float64Array(DUE_UNITS);
  readonly magics: Uint8Array = new Uint8Array(DUE_UNITS);
  /** Keys of the messages of this slot that were taken back. */
  deleted: Set<string> = new Set();

  /** Adds a unit; they come newest first. */
  add(unit: TimerUnit, position: number): void {
    const at = this.count++;
    this.positions[at] = position;
    this.offsets[at] = unit.physicalOffset;
    this.sizes[at] = unit.size;
    this.writtenMs[at] = unit.writtenMs;
    this.magics[at] = unit.magic;
  }

  /** Puts the oldest first, once all are there: the order of the log. */
  turn(): void {
    for (const list of [this.positions, this.offsets, this.sizes, this.writtenMs, this.magics]) {
      list.subarray(0, this.count).reverse();
    }
  }

  /** Whether this message was taken back, with the topic in the key or without (`appendTopicForTimerDeleteKey`). */
  isDeleted(properties: Properties): boolean {
    if (this.deleted.size === 0) return false;
    const key = properties.text(KnownProperty.UNIQ_KEY);
    return key !== null &&
      (this.deleted.has(key) || this.deleted.has(`${properties.text(KnownProperty.REAL_TOPIC)}+${key}`));
  }
}
