import type { File } from "@rmq/platform";
import { ENTRY_BYTES, entryHash, entryPhysical, entryPosition, entryPrevious } from "./index_layout.ts";

const BLOCK_ENTRIES = 4096;

/**
 * Finds the entries of an index file that can be believed and lets the slots lead to nothing else. Entries stand in the
 * order of the log, and those below the cut are whole; behind them a crash may have left anything.
 */
export class IndexRepair {
  readonly #entry = new Uint8Array(2 * ENTRY_BYTES);
  #block: Uint8Array = new Uint8Array(0);
  #blockFrom = 0;

  constructor(
    readonly file: File,
    readonly disk: { readonly slots: number },
    readonly slots: Int32Array,
  ) {}

  /** Number of the first entry at or beyond `physical`, at most `count`; `changed` is told the slots that led beyond it. */
  run(count: number, physical: number, changed: (slot: number) => void): number {
    const end = this.#findEnd(count, physical);
    const broken = new Set<number>();
    for (let slot = 0; slot < this.slots.length; slot++) {
      if (this.slots[slot] < end && this.slots[slot] >= 0) continue;
      changed(slot);
      const entry = this.#walkBack(slot, end);
      this.slots[slot] = Math.max(entry, 0);
      if (entry < 0) broken.add(slot);
    }
    if (broken.size > 0) this.#search(end, broken);
    return end;
  }

  #findEnd(count: number, physical: number): number {
    let low = 0;
    let high = count;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.#isWhole(middle, physical)) low = middle;
      else high = middle;
    }
    return low + 1;
  }

  /** True for an entry below the cut that follows one that was written: half of an entry can look like an older one. */
  #isWhole(entry: number, physical: number): boolean {
    const bytes = this.#entry;
    const at = entryPosition(this.disk.slots, entry - 1);
    if (this.file.readAtSync(bytes, at) !== bytes.length) return false;
    const own = entryPhysical(bytes, ENTRY_BYTES);
    if (own < 0 || own >= physical || isEmpty(bytes, ENTRY_BYTES)) return false;
    return entry === 1 || (!isEmpty(bytes, 0) && entryPhysical(bytes, 0) <= own);
  }

  /** The newest entry of the slot below `end`, through the ones beyond it; -1 when they don't lead there. */
  #walkBack(slot: number, end: number): number {
    let entry = this.slots[slot];
    while (entry >= end) {
      if (!this.#read(entry)) return -1;
      const at = (entry - this.#blockFrom) * ENTRY_BYTES;
      const previous = entryPrevious(this.#block, at);
      const isOfSlot = !isEmpty(this.#block, at) && entryHash(this.#block, at) % this.disk.slots === slot;
      if (!isOfSlot || previous < 0 || previous >= entry) return -1;
      entry = previous;
    }
    return entry;
  }

  /** Looks for the newest entry of each of these slots among all, from the end. */
  #search(end: number, wanted: Set<number>): void {
    for (let entry = end - 1; entry > 0 && wanted.size > 0; entry--) {
      if (!this.#read(entry)) continue;
      const slot = entryHash(this.#block, (entry - this.#blockFrom) * ENTRY_BYTES) % this.disk.slots;
      if (wanted.delete(slot)) this.slots[slot] = entry;
    }
  }

  /** Brings the entry, and those before it, into the block. */
  #read(entry: number): boolean {
    const held = this.#block.length / ENTRY_BYTES;
    if (entry >= this.#blockFrom && entry < this.#blockFrom + held) return true;
    this.#blockFrom = Math.max(0, entry - BLOCK_ENTRIES + 1);
    const block = new Uint8Array((entry + 1 - this.#blockFrom) * ENTRY_BYTES);
    const count = this.file.readAtSync(block, entryPosition(this.disk.slots, this.#blockFrom));
    this.#block = block.subarray(0, Math.floor(count / ENTRY_BYTES) * ENTRY_BYTES);
    return count === block.length;
  }
}

function isEmpty(bytes: Uint8Array, at: number): boolean {
  for (let i = at; i < at + ENTRY_BYTES; i++) {
    if (bytes[i] !== 0) return false;
  }
  return true;
}
