import type { Done, File, Files, PlatformError } from "@rmq/platform";
import { int32At, int64At, putInt32, putInt64 } from "./consume_queue_layout.ts";
import { asPlatformError } from "./platform_error.ts";
import { writeFully } from "./small_file.ts";
import { StoreError } from "./store.ts";

/*
 * `timerwheel` (storage sheet §11; Apache: `TimerWheel`, `Slot`): 2 · 7 · 86 400 slots of 32 bytes, the slot of a tick is
 * tick number modulo that.
 *
 * |  0 | 8 | tick number: ms / timerPrecisionMs; a slot with another one than asked for is empty |
 * |  8 | 8 | position of its first unit in the timer log                                        |
 * | 16 | 8 | position of its last unit                                                          |
 * | 24 | 4 | messages: units less those that take back another                                  |
 * | 28 | 4 | 0                                                                                  |
 */
const SLOT_BYTES = 32;
const FIRST_AT = 8;
const LAST_AT = 16;
const COUNT_AT = 24;

/** Slots of the wheel, whatever the precision. */
export const TIMER_WHEEL_SLOTS: number = 2 * 7 * 86_400;
const FILE_BYTES = TIMER_WHEEL_SLOTS * SLOT_BYTES;
/** The wheel is read and written in pages. */
const PAGE_BYTES = 4096;
const PAGE_SLOTS = PAGE_BYTES / SLOT_BYTES;
/** Pages that are kept in memory when they are on disk too. */
const KEPT_PAGES = 1024;
/** Pages that are written in one turn. */
const PAGES_A_TURN = 64;
/** Bytes of one read when the whole wheel is gone through. */
const SCAN_BYTES = 64 * PAGE_BYTES;

/** A page as it was when it was taken to be written. */
export interface TakenPage {
  /** Which page of the file. */
  readonly page: number;
  /** What it holds. */
  readonly bytes: Uint8Array;
}

/**
 * The wheel: for each tick the last unit of its chain in the timer log. Which slots hold anything is in memory, a bit each; the
 * slots themselves are read by the page when they are needed.
 */
export class TimerWheel {
  readonly #files: Files;
  readonly #root: string;
  readonly #precisionMs: number;
  readonly #occupied = new Int32Array(TIMER_WHEEL_SLOTS / 32);
  readonly #pages = new Map<number, Uint8Array>();
  readonly #dirty = new Set<number>();
  #file: File | null = null;
  /** Never written by anybody: nothing to be read. */
  #fresh = false;
  /** The file and its name are on disk as found. Not known at first: who wrote it may have been killed before the sync. */
  #durable = false;
  #slots = 0;
  #count = 0;

  /** `root`: `storePathRootDir`; `precisionMs`: `timerPrecisionMs`, a tick. */
  constructor(files: Files, root: string, precisionMs: number) {
    this.#files = files;
    this.#root = root;
    this.#precisionMs = precisionMs;
  }

  /** Messages in all slots that are to be read. */
  get count(): number {
    return this.#count;
  }

  /** Whether nothing is to be read. */
  get empty(): boolean {
    return this.#slots === 0;
  }

  /** Opens the file; false: there is none. Throws StoreError for one of another size, PlatformError. */
  open(): boolean {
    const path = `${this.#root}/timerwheel`;
    const size = this.#files.stat(path)?.size ?? 0;
    if (size === 0) return false;
    if (size !== FILE_BYTES) {
      throw new StoreError(
        "CORRUPT",
        `${path} has ${size} bytes, but a timer wheel has ${FILE_BYTES}: restore the file`,
      );
    }
    this.#file = this.#files.open(path);
    return true;
  }

  /** Makes an empty wheel in place of what there was; at its full size it takes no blocks. Throws PlatformError. */
  reset(): void {
    this.#file ??= this.#files.open(`${this.#root}/timerwheel`, { create: true });
    this.#file.truncate(0);
    this.#file.truncate(FILE_BYTES);
    this.#durable = false;
    this.#fresh = true;
    this.#occupied.fill(0);
    this.#pages.clear();
    this.#dirty.clear();
    this.#slots = this.#count = 0;
  }

  /**
   * Finds out which slots from the tick `fromMs` on, one turn of the wheel, hold anything. `done` gets the highest position of
   * any of their units, −1: none.
   */
  scan(fromMs: number, done: (error: PlatformError | null, highest: number) => void): void {
    if (this.#fresh || this.#file === null) return done(null, -1);
    const buffer = new Uint8Array(SCAN_BYTES);
    const fromTick = Math.floor(fromMs / this.#precisionMs);
    let highest = -1;
    const step = (position: number): void => {
      if (position >= FILE_BYTES || this.#file === null) return done(null, highest);
      const bytes = buffer.subarray(0, Math.min(SCAN_BYTES, FILE_BYTES - position));
      this.#file.readAt(bytes, position, (error) => {
        if (error !== null) return done(error, highest);
        for (let at = 0; at < bytes.length; at += SLOT_BYTES) {
          // Most of a wheel is empty.
          if (int32At(bytes, at + 4) === 0) continue;
          const tick = int64At(bytes, at);
          if (tick < fromTick || tick >= fromTick + TIMER_WHEEL_SLOTS) continue;
          const index = (position + at) / SLOT_BYTES;
          const last = int64At(bytes, at + LAST_AT);
          if (last < 0 || tick % TIMER_WHEEL_SLOTS !== index) continue;
          this.#occupy(index);
          this.#count += int32At(bytes, at + COUNT_AT);
          highest = Math.max(highest, last);
        }
        step(position + bytes.length);
      });
    };
    step(0);
  }

  /** The tick, ms, of the first slot that holds anything, from `fromMs` on in the order of the wheel; −1: none. Throws PlatformError. */
  next(fromMs: number): number {
    if (this.#slots === 0) return -1;
    const from = this.#index(fromMs);
    const occupied = this.#occupied;
    for (
      let step = 0, word = from >> 5;
      step <= occupied.length;
      step++, word = word + 1 === occupied.length ? 0 : word + 1
    ) {
      let bits = occupied[word];
      if (step === 0) bits &= -1 << (from & 31);
      if (bits === 0) continue;
      const index = (word << 5) + 31 - Math.clz32(bits & -bits);
      return int64At(this.#page(index), (index % PAGE_SLOTS) * SLOT_BYTES) * this.#precisionMs;
    }
    return -1;
  }

  /** Whether the slot of this tick still holds units of another one. Throws PlatformError. */
  taken(slotMs: number): boolean {
    const index = this.#index(slotMs);
    return this.#isOccupied(index) && this.#tickAt(index) !== Math.floor(slotMs / this.#precisionMs);
  }

  /** Position of the slot's last unit, −1: it holds none. Throws PlatformError. */
  last(slotMs: number): number {
    const index = this.#index(slotMs);
    if (!this.#isOccupied(index) || this.#tickAt(index) !== Math.floor(slotMs / this.#precisionMs)) return -1;
    return int64At(this.#page(index), (index % PAGE_SLOTS) * SLOT_BYTES + LAST_AT);
  }

  /** Makes the unit at `position` the slot's last one; `change`: 1, or −1 when it takes back another. Throws PlatformError. */
  put(slotMs: number, position: number, change: number): void {
    const index = this.#index(slotMs);
    const bytes = this.#page(index);
    const at = (index % PAGE_SLOTS) * SLOT_BYTES;
    if (!this.#isOccupied(index)) {
      putInt64(bytes, at, Math.floor(slotMs / this.#precisionMs));
      putInt64(bytes, at + FIRST_AT, position);
      putInt32(bytes, at + COUNT_AT, 0);
      putInt32(bytes, at + COUNT_AT + 4, 0);
      this.#occupy(index);
    }
    putInt64(bytes, at + LAST_AT, position);
    putInt32(bytes, at + COUNT_AT, int32At(bytes, at + COUNT_AT) + change);
    this.#count += change;
    this.#dirty.add(Math.floor(index / PAGE_SLOTS));
  }

  /** Empties the slot: everything in it is delivered. Throws PlatformError. */
  clear(slotMs: number): void {
    const index = this.#index(slotMs);
    if (!this.#isOccupied(index)) return;
    const bytes = this.#page(index);
    const at = (index % PAGE_SLOTS) * SLOT_BYTES;
    this.#count -= int32At(bytes, at + COUNT_AT);
    bytes.fill(0, at, at + SLOT_BYTES);
    this.#dirty.add(Math.floor(index / PAGE_SLOTS));
    this.#occupied[index >> 5] &= ~(1 << (index & 31));
    this.#slots--;
  }

  /** The pages that changed since they were last taken, as they are now. */
  take(): TakenPage[] {
    const taken = [...this.#dirty].sort((a, b) => a - b).map((page) => ({
      page,
      bytes: (this.#pages.get(page) as Uint8Array).slice(),
    }));
    this.#dirty.clear();
    return taken;
  }

  /** Taken pages count as changed again: they could not be written. */
  giveBack(taken: readonly TakenPage[]): void {
    for (const { page } of taken) this.#dirty.add(page);
  }

  /** Brings taken pages to disk, some of them a turn by `later`: timers spread over days change thousands a second. */
  write(taken: readonly TakenPage[], later: (run: () => void) => void, done: Done): void {
    const file = this.#file;
    if (file === null || taken.length === 0 && this.#durable) return done(null);
    const finish = (error: PlatformError | null): void => {
      if (error === null) {
        this.#durable = true;
        this.#forget();
      }
      done(error);
    };
    const step = (from: number): void => {
      const next = from + PAGES_A_TURN;
      try {
        for (const { page, bytes } of taken.slice(from, next)) writeFully(file, bytes, page * PAGE_BYTES);
      } catch (error) {
        return done(asPlatformError(error));
      }
      if (next < taken.length) return later(() => step(next));
      file.syncData((error) => {
        if (error !== null || this.#durable) return finish(error);
        this.#files.syncDirectory(this.#root, finish);
      });
    };
    step(0);
  }

  /** Closes the file. */
  close(): void {
    this.#file?.close();
    this.#file = null;
  }

  /** Pages that are on disk need not stay. */
  #forget(): void {
    if (this.#pages.size <= KEPT_PAGES) return;
    for (const page of this.#pages.keys()) if (!this.#dirty.has(page)) this.#pages.delete(page);
  }

  #page(index: number): Uint8Array {
    const page = Math.floor(index / PAGE_SLOTS);
    const known = this.#pages.get(page);
    if (known !== undefined) return known;
    const bytes = new Uint8Array(PAGE_BYTES);
    if (!this.#fresh) this.#file?.readAtSync(bytes, page * PAGE_BYTES);
    this.#pages.set(page, bytes);
    return bytes;
  }

  #tickAt(index: number): number {
    return int64At(this.#page(index), (index % PAGE_SLOTS) * SLOT_BYTES);
  }

  #index(slotMs: number): number {
    return Math.floor(slotMs / this.#precisionMs) % TIMER_WHEEL_SLOTS;
  }

  #isOccupied(index: number): boolean {
    return (this.#occupied[index >> 5] & (1 << (index & 31))) !== 0;
  }

  #occupy(index: number): void {
    if (this.#isOccupied(index)) return;
    this.#occupied[index >> 5] |= 1 << (index & 31);
    this.#slots++;
  }
}
