import type { BlockCache } from "./block_cache.ts";
import type { FilePool } from "./file_pool.ts";
import type { Files, Logger } from "@rmq/platform";
import { isBlankUnit, offsetFileName, putUnit, UNIT_BYTES, unitPhysical } from "./consume_queue_layout.ts";
import type { QueueMemory } from "./queue_memory.ts";
import type { QueueState } from "./queue_state.ts";

/** What all queues of a store share. */
export interface QueueDisk {
  readonly files: Files;
  readonly pool: FilePool;
  readonly cache: BlockCache;
  readonly memory: QueueMemory;
  readonly logger: Logger;
  /** `<root>/consumequeue`. */
  readonly directory: string;
  /** Size of a file, bytes. */
  readonly fileBytes: number;
  readonly log: { readonly minOffset: number };
  /** Paths that were written and not synced yet. */
  readonly unsynced: { readonly files: Set<string>; readonly directories: Set<string> };
  /** Queues with units that are not on disk, in order of their first one. */
  dirty: ConsumeQueue[];
}

const nothing = new Uint8Array(0);
const FIRST_UNITS = 8;
/** Synced units that a busy queue keeps for consumers that keep up. */
const KEPT_UNITS = 32768;

/**
 * One queue: its newest units in memory, the others in files. Units are taken in log order; everything from `written`
 * on is in memory only, and everything from `synced` on is kept there too as long as there is room.
 */
export class ConsumeQueue implements QueueState {
  nextOffset = 0;
  max = 0;
  /** First bytes of its files, ascending, without a gap. */
  starts: number[] = [];
  /** Units below are written to files. */
  written = 0;
  /** Units below are synced. */
  synced = 0;
  /** One past the last byte of the newest entry in the log that this queue has taken. */
  maxPhysical = 0;
  /** Taken or read since the last look of {@link QueueMemory}. */
  used = true;
  /** In the list of queues to flush. */
  dirty = false;
  /** Removed with its topic; what still holds it must not write any more. */
  deleted = false;
  /** Units in memory: unit n at `(n - bufferStart) * 20`. */
  buffer: Uint8Array = nothing;
  bufferStart = 0;
  /** Where {@link locate} found a unit. */
  unitBytes: Uint8Array = nothing;
  unitAt = 0;
  #min = 0;
  #minFor = -1;
  #warned = false;

  constructor(
    readonly disk: QueueDisk,
    readonly topic: string,
    readonly topicBytes: Uint8Array,
    readonly queueId: number,
  ) {}

  get directory(): string {
    return `${this.disk.directory}/${this.topic}/${this.queueId}`;
  }

  get bufferBytes(): number {
    return this.buffer.length;
  }

  /** True when anything was ever stored in it. */
  get stored(): boolean {
    return this.max > 0 || this.starts.length > 0;
  }

  /** Path of the file that holds byte `position`. */
  pathOf(position: number): string {
    return `${this.directory}/${offsetFileName(position - (position % this.disk.fileBytes))}`;
  }

  /** First unit that there is a file or memory for. */
  get first(): number {
    return this.starts.length > 0 ? this.starts[0] / UNIT_BYTES : this.bufferStart;
  }

  /** First unit whose entry is still in the log (Apache: `correctMinOffset`); `max` when there is none. */
  get min(): number {
    const logMin = this.disk.log.minOffset;
    if (this.#minFor === logMin) return this.#min;
    try {
      this.#min = this.#findMin(logMin);
      this.#minFor = logMin;
    } catch (error) {
      // Nothing that might be readable is hidden because a unit can't be read now.
      this.disk.logger.warn("consume queue: min offset unknown", { queue: this.directory, error: String(error) });
    }
    return this.#min;
  }

  #findMin(logMin: number): number {
    let low = Math.max(this.#min, this.first);
    if (low >= this.max) return this.max;
    if (this.#isInLog(low, logMin)) return low;
    if (!this.#isInLog(this.max - 1, logMin)) return this.max;
    let high = this.max - 1;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.#isInLog(middle, logMin)) high = middle;
      else low = middle;
    }
    return high;
  }

  #isInLog(unit: number, logMin: number): boolean {
    if (!this.locate(unit)) return true;
    return unitPhysical(this.unitBytes, this.unitAt) >= logMin && !isBlankUnit(this.unitBytes, this.unitAt);
  }

  /** Makes `min` be looked for anew, as after files were dropped or cut. */
  forgetMin(): void {
    this.#min = 0;
    this.#minFor = -1;
  }

  /** Finds unit n synchronously, in memory or with one read: `unitBytes`, `unitAt`. False: its file is not there. */
  locate(unit: number): boolean {
    if (unit >= this.bufferStart && unit < this.max && this.buffer.length > 0) {
      this.unitBytes = this.buffer;
      this.unitAt = (unit - this.bufferStart) * UNIT_BYTES;
      return true;
    }
    const position = unit * UNIT_BYTES;
    const file = this.disk.pool.get(this.pathOf(position));
    if (file === null) return false;
    this.unitBytes = new Uint8Array(UNIT_BYTES);
    this.unitAt = 0;
    return file.readAtSync(this.unitBytes, position % this.disk.fileBytes) === UNIT_BYTES;
  }

  /**
   * Takes the unit of the entry at `physical`, the `offset`th message of this queue. Taken before: no effect. A queue
   * that begins at an offset above 0 gets blank units before it; a gap is reported and then closed, as Apache does.
   */
  append(offset: number, physical: number, size: number, tagsHigh: number, tagsLow: number): void {
    if (physical + size <= this.maxPhysical || this.deleted) return;
    if (offset !== this.max) {
      if (this.max === 0) this.#beginAt(offset);
      else if (offset < this.max) return;
      else this.#warnOfGap(offset);
    }
    const at = (this.max - this.bufferStart) * UNIT_BYTES;
    if (at === this.buffer.length) return this.#appendGrowing(physical, size, tagsHigh, tagsLow);
    putUnit(this.buffer, at, physical, size, tagsHigh, tagsLow);
    this.#took(physical + size);
  }

  #appendGrowing(physical: number, size: number, tagsHigh: number, tagsLow: number): void {
    this.#makeRoom();
    putUnit(this.buffer, (this.max - this.bufferStart) * UNIT_BYTES, physical, size, tagsHigh, tagsLow);
    this.#took(physical + size);
  }

  #took(end: number): void {
    this.max++;
    if (this.nextOffset < this.max) this.nextOffset = this.max;
    this.maxPhysical = end;
    this.used = true;
    if (!this.dirty) {
      this.dirty = true;
      this.disk.dirty.push(this);
    }
  }

  #beginAt(offset: number): void {
    this.max =
      this.written =
      this.synced =
      this.bufferStart =
        offset;
    this.forgetMin();
  }

  #warnOfGap(offset: number): void {
    if (this.#warned) return;
    this.#warned = true;
    this.disk.logger.warn("consume queue: the log's queue offset is beyond the queue's end", {
      queue: this.directory,
      offset,
      max: this.max,
    });
  }

  /** Room for at least one more unit: by dropping old synced ones, else by doubling. */
  #makeRoom(): void {
    const held = this.max - this.bufferStart;
    const keepFrom = Math.min(this.synced, this.max - KEPT_UNITS);
    if (keepFrom - this.bufferStart > held / 4) {
      this.buffer.copyWithin(0, (keepFrom - this.bufferStart) * UNIT_BYTES, held * UNIT_BYTES);
      this.bufferStart = keepFrom;
      return;
    }
    this.#resize(Math.max(FIRST_UNITS, held * 2), this.bufferStart);
  }

  /** Gives back the units below `unit`. */
  release(unit: number): void {
    const start = Math.min(Math.max(unit, this.bufferStart), this.max);
    const held = this.max - start;
    const capacity = held === 0 ? 0 : Math.max(FIRST_UNITS, held + (held >> 2));
    if (capacity * UNIT_BYTES < this.buffer.length) this.#resize(capacity, start);
  }

  #resize(units: number, start: number): void {
    const bytes = units === 0 ? nothing : new Uint8Array(units * UNIT_BYTES);
    const from = (start - this.bufferStart) * UNIT_BYTES;
    const to = (this.max - this.bufferStart) * UNIT_BYTES;
    if (to > from) bytes.set(this.buffer.subarray(from, to));
    const change = bytes.length - this.buffer.length;
    this.buffer = bytes;
    this.bufferStart = start;
    this.disk.memory.changed(this, change);
  }

  /** Forgets all units and files in memory, as after everything in it was cut. */
  reset(): void {
    this.max =
      this.nextOffset =
      this.written =
      this.synced =
      this.maxPhysical =
        0;
    this.starts = [];
    this.release(0);
    this.bufferStart = 0;
    this.forgetMin();
  }
}
