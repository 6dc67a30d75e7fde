import type { Clock } from "@rmq/platform";
import { isStoredAt, StoredMessage } from "@rmq/protocol";
import type { ConsumeQueue } from "./consume_queue.ts";
import { UNIT_BYTES, unitPhysical, unitSize, unitTagsHigh, unitTagsLow } from "./consume_queue_layout.ts";
import { cachedUnits, readUnits, type UnitsAtHand } from "./consume_queue_files.ts";
import { FilterPatience } from "./filter_patience.ts";
import { type GetRequest, type GetResult, GetStatus, newGetResult } from "./get.ts";
import type { EntryView, LogReader } from "./log_reader.ts";
import type { StoreOptions } from "./options.ts";

/** Limits of storage sheet §9. */
const MEMORY_COUNT = 32;
const MEMORY_BYTES = 262_144;
const SCAN_UNITS = 800;
const MAX_BYTES = 128 * 1024 * 1024;

/** Messages more than `diskDistanceBytes` behind the head count as being on disk, where smaller bounds hold. */
export type DiskLimits = Pick<
  StoreOptions,
  "diskDistanceBytes" | "maxTransferCountOnMessageInDisk" | "maxTransferBytesOnMessageInDisk"
>;

/** Buffers of answered reads from disk, for the next ones: each is free when its callback has returned. */
const spareCopies: Uint8Array[] = [];
const SPARE_COPIES = 16;

/**
 * Reads messages for pulls (Apache: `DefaultMessageStore.getMessage`). When units and entries are in memory the answer
 * comes within the call, without a promise or a copy, in a result that is used again; else it comes later, in one of its own.
 */
export class QueueReader {
  readonly #log: LogReader;
  readonly #limits: DiskLimits;
  readonly #shared = newGetResult();
  #busy = false;
  readonly #view: EntryView = { bytes: new Uint8Array(0), start: 0 };
  readonly #message = new StoredMessage();
  readonly #clock: Pick<Clock, "monotonicUs">;
  readonly #patience: FilterPatience;

  constructor(log: LogReader, limits: DiskLimits, clock: Pick<Clock, "monotonicUs">) {
    this.#log = log;
    this.#limits = limits;
    this.#clock = clock;
    this.#patience = new FilterPatience(clock);
  }

  /** Calls `done` once; the result is valid until it returns. */
  get(request: GetRequest, done: (result: GetResult) => void): void {
    if (this.#busy) return this.#getInto(newGetResult(), request, done);
    this.#busy = true;
    try {
      this.#getInto(this.#shared, request, done);
    } finally {
      this.#busy = false;
    }
  }

  #getInto(result: GetResult, request: GetRequest, done: (result: GetResult) => void): void {
    const queue = request.queue as ConsumeQueue;
    if (begin(result, request, queue)) return done(result);
    const from = this.#fromMemory(result, request, queue);
    if (from < 0) return done(result);
    // Nothing was found before `from`, which is not in memory: what follows goes on later, in a result of its own.
    const own = result === this.#shared ? copyOfHead(result) : result;
    const patience = request.matches === null ? null : new FilterPatience(this.#clock);
    new Reading(this.#log, this.#limits, own, request, queue, from, patience, done).run();
  }

  /** Fills the result as far as memory goes; returns the unit to go on from when nothing was found in memory, else -1. */
  #fromMemory(result: GetResult, request: GetRequest, queue: ConsumeQueue): number {
    const { tags, matches } = request;
    const log = this.#log;
    const view = this.#view;
    const end = scanEnd(request, queue);
    const patience = this.#patience;
    if (matches !== null) patience.begin();
    let old: UnitsAtHand | null = null;
    for (let unit = request.offset; unit < end; unit++) {
      // Looked up anew for each unit: a filter is foreign code and may append.
      let units = queue.buffer;
      let at = (unit - queue.bufferStart) * UNIT_BYTES;
      if (at >= 0) queue.used = true;
      else {
        if (old === null || unit >= old.to) old = cachedUnits(queue, unit, Math.min(end, unit + request.maxCount));
        if (old === null) return result.count > 0 ? -1 : unit;
        units = old.bytes;
        at = old.start + (unit - old.from) * UNIT_BYTES;
      }
      const physical = unitPhysical(units, at);
      const size = unitSize(units, at);
      if (isFull(result, request, size, this.#limits, log.visible - physical)) return -1;
      if (tags !== null && !tags(unitTagsHigh(units, at), unitTagsLow(units, at))) {
        skip(result, unit, GetStatus.NO_MATCHED_MESSAGE);
        continue;
      }
      if (!log.cached(physical, size, view)) return result.count > 0 ? -1 : unit;
      const isThere = matches === null
        ? isStoredAt(view.bytes, view.start, size, physical)
        : this.#message.locate(view.bytes, view.start, size, physical);
      if (!isThere) {
        skip(result, unit, GetStatus.MESSAGE_WAS_REMOVING);
        continue;
      }
      if (matches !== null && !matches(this.#message)) {
        skip(result, unit, GetStatus.NO_MATCHED_MESSAGE);
        if (patience.isOver()) return -1;
        continue;
      }
      add(result, view.bytes, view.start, size);
      result.nextBeginOffset = unit + 1;
      result.lastPhysicalOffset = physical;
      if (matches !== null && patience.isOver()) return -1;
    }
    return -1;
  }
}

/** Sets what does not need messages; true: that is the whole answer. */
function begin(result: GetResult, request: GetRequest, queue: ConsumeQueue): boolean {
  const { offset } = request;
  const max = queue.max;
  const min = queue.min;
  result.minOffset = min;
  result.maxOffset = max;
  result.count = result.bytes = result.pieces = 0;
  result.buffers.length = 0;
  result.lastPhysicalOffset = -1;
  result.fromDisk = false;
  result.nextBeginOffset = offset;
  if (!queue.stored) return answer(result, GetStatus.NO_MATCHED_LOGIC_QUEUE, 0);
  if (max === 0) return answer(result, GetStatus.NO_MESSAGE_IN_QUEUE, 0);
  if (offset < min) return answer(result, GetStatus.OFFSET_TOO_SMALL, min);
  if (offset === max) return answer(result, GetStatus.OFFSET_OVERFLOW_ONE, offset);
  if (offset > max) return answer(result, GetStatus.OFFSET_OVERFLOW_BADLY, max);
  result.status = GetStatus.NO_MATCHED_MESSAGE;
  return false;
}

function answer(result: GetResult, status: number, next: number): true {
  result.status = status;
  result.nextBeginOffset = next;
  return true;
}

function scanEnd(request: GetRequest, queue: ConsumeQueue): number {
  return Math.min(queue.max, request.offset + Math.max(SCAN_UNITS, request.maxCount));
}

function isFull(result: GetResult, request: GetRequest, size: number, limits: DiskLimits, behind: number): boolean {
  const inMemory = behind <= limits.diskDistanceBytes;
  if (result.count === 0) {
    result.fromDisk = !inMemory;
    return false;
  }
  const bytes = result.bytes + size;
  if (result.count >= request.maxCount || bytes > Math.min(Math.max(request.maxBytes, 100), MAX_BYTES)) return true;
  if (inMemory) return bytes > MEMORY_BYTES || result.count >= MEMORY_COUNT;
  return bytes > limits.maxTransferBytesOnMessageInDisk || result.count >= limits.maxTransferCountOnMessageInDisk;
}

function skip(result: GetResult, unit: number, status: number): void {
  if (result.count === 0) result.status = status;
  result.nextBeginOffset = unit + 1;
}

function add(result: GetResult, bytes: Uint8Array, start: number, size: number): void {
  const last = result.pieces - 1;
  if (last >= 0 && result.buffers[last] === bytes && result.ends[last] === start) result.ends[last] = start + size;
  else {
    result.buffers[last + 1] = bytes;
    result.starts[last + 1] = start;
    result.ends[last + 1] = start + size;
    result.pieces++;
  }
  result.count++;
  result.bytes += size;
  result.status = GetStatus.FOUND;
}

function copyOfHead(result: GetResult): GetResult {
  const own = newGetResult();
  own.status = result.status;
  own.nextBeginOffset = result.nextBeginOffset;
  own.minOffset = result.minOffset;
  own.maxOffset = result.maxOffset;
  return own;
}

/** One read that needs the disk: units in blocks, then entries one after the other, each copied out of the cache. */
class Reading {
  readonly #message = new StoredMessage();
  readonly #end: number;
  #unit: number;
  /** Units [unitsFrom, unitsTo) are in `units`. */
  #units = new Uint8Array(0);
  #unitsFrom = 0;
  #unitsTo = 0;
  #copy: Uint8Array = new Uint8Array(0);
  #copied = 0;
  #running = false;
  #again = false;
  #finished = false;

  constructor(
    readonly log: LogReader,
    readonly limits: DiskLimits,
    readonly result: GetResult,
    readonly request: GetRequest,
    readonly queue: ConsumeQueue,
    from: number,
    readonly patience: FilterPatience | null,
    readonly done: (result: GetResult) => void,
  ) {
    this.#unit = from;
    this.#end = scanEnd(request, queue);
  }

  /** Goes on until a read has to be waited for. Reads that answer at once come back here, without recursion. */
  run(): void {
    if (this.#running) {
      this.#again = true;
      return;
    }
    this.#running = true;
    this.patience?.begin();
    do {
      this.#again = false;
      this.#step();
    } while (this.#again);
    this.#running = false;
  }

  #step(): void {
    for (;;) {
      if (this.#unit >= this.#end) return this.#finish();
      if (this.#unit < this.#unitsFrom || this.#unit >= this.#unitsTo) return this.#readUnits();
      const at = (this.#unit - this.#unitsFrom) * UNIT_BYTES;
      const physical = unitPhysical(this.#units, at);
      const size = unitSize(this.#units, at);
      if (isFull(this.result, this.request, size, this.limits, this.log.visible - physical)) return this.#finish();
      const { tags } = this.request;
      if (tags !== null && !tags(unitTagsHigh(this.#units, at), unitTagsLow(this.#units, at))) {
        this.#skip(GetStatus.NO_MATCHED_MESSAGE);
      } else if (physical < this.log.minOffset || size <= 0 || physical + size > this.log.visible) {
        // Gone with its segment, or a blank unit.
        this.#skip(GetStatus.MESSAGE_WAS_REMOVING);
      } else return this.#readEntry(physical, size);
    }
  }

  #skip(status: number): void {
    skip(this.result, this.#unit++, status);
  }

  #readUnits(): void {
    readUnits(this.queue, this.#unit, this.#end, (error, bytes, start, count) => {
      if (error !== null || count === 0) {
        // Apache goes on with the next file when a file is gone; an unreadable one is asked for again.
        if (this.result.count === 0) {
          this.result.status = GetStatus.OFFSET_FOUND_NULL;
          this.result.nextBeginOffset = error?.code === "ENOENT" ? this.#nextFile() : this.#unit;
        }
        return this.#finish();
      }
      this.#units = bytes.slice(start, start + count * UNIT_BYTES);
      this.#unitsFrom = this.#unit;
      this.#unitsTo = this.#unit + count;
      this.run();
    });
  }

  #nextFile(): number {
    const fileUnits = this.queue.disk.fileBytes / UNIT_BYTES;
    return (Math.floor(this.#unit / fileUnits) + 1) * fileUnits;
  }

  #readEntry(physical: number, size: number): void {
    this.log.read(physical, size, (error, bytes, start) => {
      if (error !== null) {
        // Not skipped: it may be readable the next time.
        if (this.result.count === 0) {
          this.result.status = GetStatus.OFFSET_FOUND_NULL;
          this.result.nextBeginOffset = this.#unit;
        }
        return this.#finish();
      }
      const { matches } = this.request;
      const isThere = matches === null
        ? isStoredAt(bytes, start, size, physical)
        : this.#message.locate(bytes, start, size, physical);
      if (!isThere) this.#skip(GetStatus.MESSAGE_WAS_REMOVING);
      else if (matches !== null && !matches(this.#message)) this.#skip(GetStatus.NO_MATCHED_MESSAGE);
      else this.#add(bytes, start, physical, size);
      if (this.patience?.isOver() === true) return this.#finish();
      this.run();
    });
  }

  #add(bytes: Uint8Array, start: number, physical: number, size: number): void {
    if (this.#copied + size > this.#copy.length) {
      const limit = this.result.fromDisk ? this.limits.maxTransferBytesOnMessageInDisk : MEMORY_BYTES;
      const expected = Math.min(limit, size * Math.max(1, Math.min(this.request.maxCount, MEMORY_COUNT)));
      this.#copy = copyBuffer(Math.max(size, expected));
      this.#copied = 0;
    }
    this.#copy.set(bytes.subarray(start, start + size), this.#copied);
    add(this.result, this.#copy, this.#copied, size);
    this.#copied += size;
    this.result.nextBeginOffset = ++this.#unit;
    this.result.lastPhysicalOffset = physical;
  }

  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.done(this.result);
    if (this.#copy.length === MEMORY_BYTES && spareCopies.length < SPARE_COPIES) spareCopies.push(this.#copy);
  }
}

function copyBuffer(size: number): Uint8Array {
  return size > MEMORY_BYTES ? new Uint8Array(size) : spareCopies.pop() ?? new Uint8Array(MEMORY_BYTES);
}
