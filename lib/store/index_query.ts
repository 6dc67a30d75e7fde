import type { Clock } from "@rmq/platform";
import {
  ENTRY_BYTES,
  entryHash,
  entryPhysical,
  entryPosition,
  entryPrevious,
  entrySeconds,
  SLOT_BYTES,
  slotPosition,
} from "./index_layout.ts";
import { int32At } from "./consume_queue_layout.ts";
import type { IndexFile } from "./index_file.ts";

/** Most entries that one query looks at. */
const MAX_STEPS = 200_000;
const SLICE_US = 2000;
const LOOK_EVERY = 64;

/** What is looked for. */
export interface Wanted {
  /** As the file holds it. */
  readonly hash: number;
  readonly maxNum: number;
  /** Store times, ms, both included. */
  readonly beginMs: number;
  readonly endMs: number;
  /** Messages below are gone from the log. */
  readonly minPhysical: number;
}

/** One query by key: walks the key's chain in each file, newest file first, by Apache's rules for when to stop. */
export class IndexQuery {
  readonly #found: number[] = [];
  #file: number;
  /** Entry to look at next; -1: the file's slot comes first, 0: the file is done. */
  #entry = -1;
  #steps = 0;
  #sliceEnd: number;
  #running = false;
  #again = false;

  constructor(
    readonly clock: Clock,
    readonly files: readonly IndexFile[],
    readonly wanted: Wanted,
    readonly done: (offsets: number[]) => void,
  ) {
    this.#file = files.length - 1;
    this.#sliceEnd = clock.monotonicUs() + SLICE_US;
  }

  /** Goes on until a read has to be waited for; reads that answer at once come back here, without recursion. */
  run(): void {
    this.#again = true;
    if (this.#running) return;
    this.#running = true;
    while (this.#again) {
      this.#again = false;
      if (this.#steps % LOOK_EVERY === LOOK_EVERY - 1 && this.clock.monotonicUs() > this.#sliceEnd) this.#pause();
      else this.#step();
    }
    this.#running = false;
  }

  #pause(): void {
    this.#steps++;
    this.clock.setTimer(0, () => {
      this.#sliceEnd = this.clock.monotonicUs() + SLICE_US;
      this.run();
    });
  }

  #step(): void {
    if (this.#file < 0 || this.#found.length >= this.wanted.maxNum || this.#steps >= MAX_STEPS) {
      return this.done(this.#found);
    }
    const file = this.files[this.#file];
    if (this.#entry > 0) return this.#readEntry(file, this.#entry);
    if (this.#entry < 0 && this.#overlaps(file)) return this.#readSlot(file);
    this.#entry = -1;
    this.#file = file.header.beginTimestamp < this.wanted.beginMs ? -1 : this.#file - 1;
    this.run();
  }

  /** As Apache asks it: strictly around the file's times, or one end of the range within them. */
  #overlaps(file: IndexFile): boolean {
    const { beginTimestamp, endTimestamp } = file.header;
    return (this.wanted.beginMs < beginTimestamp && this.wanted.endMs > endTimestamp) ||
      (this.wanted.beginMs >= beginTimestamp && this.wanted.beginMs <= endTimestamp) ||
      (this.wanted.endMs >= beginTimestamp && this.wanted.endMs <= endTimestamp);
  }

  #goTo(file: IndexFile, entry: number): void {
    this.#entry = entry > 0 && entry < file.header.count ? entry : 0;
    this.run();
  }

  #readSlot(file: IndexFile): void {
    const slot = this.wanted.hash % file.disk.slots;
    if (file.slots.length > 0) return this.#goTo(file, file.slots[slot]);
    this.#read(file, slotPosition(slot), SLOT_BYTES, (bytes, at) => this.#goTo(file, int32At(bytes, at)));
  }

  #readEntry(file: IndexFile, entry: number): void {
    this.#steps++;
    const at = file.pendingAt(entry);
    if (at >= 0) return this.#look(file, entry, file.pending, at);
    this.#read(
      file,
      entryPosition(file.disk.slots, entry),
      ENTRY_BYTES,
      (bytes, at) => this.#look(file, entry, bytes, at),
    );
  }

  #look(file: IndexFile, entry: number, bytes: Uint8Array, at: number): void {
    const seconds = entrySeconds(bytes, at);
    const time = file.header.beginTimestamp + seconds * 1000;
    const previous = entryPrevious(bytes, at);
    if (
      seconds >= 0 && entryHash(bytes, at) === this.wanted.hash && time >= this.wanted.beginMs &&
      time <= this.wanted.endMs
    ) {
      this.#add(entryPhysical(bytes, at));
    }
    // A chain goes to older entries only; anything else is damage.
    this.#goTo(file, seconds < 0 || time < this.wanted.beginMs || previous >= entry ? 0 : previous);
  }

  /** A message that was indexed twice, around a crash, is found once. */
  #add(physical: number): void {
    if (physical >= this.wanted.minPhysical && !this.#found.includes(physical)) this.#found.push(physical);
  }

  #read(file: IndexFile, position: number, length: number, take: (bytes: Uint8Array, at: number) => void): void {
    const { cache, pool } = file.disk;
    let open;
    try {
      open = pool.get(file.path);
    } catch {
      open = null;
    }
    // A file that went with retention, or can't be read, has no answers.
    if (open === null) return this.#goTo(file, 0);
    cache.read(open, position, length, (error, bytes, start) => {
      if (error !== null) this.#goTo(file, 0);
      else take(bytes, start);
    });
  }
}
