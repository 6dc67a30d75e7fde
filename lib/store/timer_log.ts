import { type Done, type File, type Files, PlatformError } from "@rmq/platform";
import { makeDirectoriesDurably } from "./durable_directory.ts";
import { asPlatformError } from "./platform_error.ts";
import { segmentName } from "./segments.ts";
import { writeFully } from "./small_file.ts";
import { StoreError } from "./store.ts";
import { putInt64 } from "./consume_queue_layout.ts";
import {
  isTimerBlank,
  lastTimerUnitAt,
  newTimerUnit,
  putTimerBlank,
  putTimerUnit,
  readTimerUnit,
  TIMER_UNIT_BYTES,
  type TimerUnit,
  timerUnitFits,
} from "./timer_log_layout.ts";

/** Units that are appended together in memory. */
const CHUNK_BYTES = 1260 * TIMER_UNIT_BYTES;
/** Bytes that are written in one turn. */
const WRITE_BYTES = 1024 * 1024;
/** Bytes that are read at once when the log is gone through from its start on. */
const SCAN_BYTES = 4096 * TIMER_UNIT_BYTES;
const NAME = /^\d{20}$/;

/** Appended units: bytes[0, used) belong at position `base`. */
interface Chunk {
  readonly base: number;
  readonly bytes: Uint8Array;
  used: number;
}

/** Gets the unit as `bytes[at, …)`; units before it stand from `first` on. Valid during the call. */
export type TimerBlockDone = (error: PlatformError | null, bytes: Uint8Array, at: number, first: number) => void;

const NOTHING = new Uint8Array(0);

/**
 * The timer log (storage sheet §11; Apache: `TimerLog`): one unit for each message of the timer topic, in the order of its
 * queue. Units are appended in memory; `flush` takes them to the files and syncs them.
 */
export class TimerLog {
  readonly #files: Files;
  readonly #directory: string;
  readonly #fileBytes: number;
  readonly #open = new Map<number, File>();
  readonly #unsynced = new Set<number>();
  /** Starts of the files, ascending. */
  #bases: number[] = [];
  /** What is not on disk yet; the last one is being filled. */
  #chunks: Chunk[] = [];
  /** The chunk that is written next. */
  #writing = 0;
  #end = 0;
  #written = 0;
  #synced = 0;
  /** Not known at first: who made the files may have died before the sync. */
  #entriesSynced = false;

  /** `fileBytes`: `mappedFileSizeTimerLog`. */
  constructor(files: Files, directory: string, fileBytes: number) {
    this.#files = files;
    this.#directory = directory;
    this.#fileBytes = fileBytes;
  }

  /** Behind the last unit. */
  get end(): number {
    return this.#end;
  }

  /** Start of the first file. */
  get start(): number {
    return this.#bases.length === 0 ? 0 : this.#bases[0];
  }

  /** Bytes that are in memory alone. */
  get unwritten(): number {
    return this.#end - this.#written;
  }

  /**
   * Finds the files; what stands in them counts as not synced, since their writer may have been killed. Throws StoreError
   * CORRUPT for one of another size, PlatformError.
   */
  load(): void {
    this.#bases = this.#files.list(this.#directory).filter((name) => NAME.test(name)).map(Number);
    for (const [index, base] of this.#bases.entries()) {
      const path = this.#path(base);
      const size = this.#files.stat(path)?.size ?? 0;
      const last = index === this.#bases.length - 1;
      if (base % this.#fileBytes !== 0 || size > this.#fileBytes || size < this.#fileBytes && !last) {
        throw new StoreError(
          "CORRUPT",
          `${path} has ${size} bytes, but mappedFileSizeTimerLog is ${this.#fileBytes}: ` +
            `set mappedFileSizeTimerLog to the size that this store was written with, or restore the file`,
        );
      }
      this.#unsynced.add(base);
      // Made just before a crash: nothing in it counted yet.
      if (size < this.#fileBytes) this.#file(base).truncate(this.#fileBytes);
    }
  }

  /**
   * Reads units from `from` on until one is not valid or `visit` returns false; `done` gets the position behind the last one
   * that was taken.
   */
  scan(
    from: number,
    visit: (unit: TimerUnit, position: number) => boolean,
    done: (error: PlatformError | null, end: number) => void,
  ): void {
    const base = this.#baseOf(from);
    if (!this.#bases.includes(base)) return done(null, from);
    const bytes = new Uint8Array(Math.min(SCAN_BYTES, base + this.#fileBytes - from));
    this.#read(base, bytes, from - base, (error) => {
      if (error !== null) return done(error, from);
      const unit = newTimerUnit();
      let at = 0;
      for (; at + TIMER_UNIT_BYTES <= bytes.length; at += TIMER_UNIT_BYTES) {
        if (isTimerBlank(bytes, at)) return this.scan(base + this.#fileBytes, visit, done);
        if (!readTimerUnit(bytes, at, unit) || !visit(unit, from + at)) return done(null, from + at);
      }
      const next = from + at;
      if (timerUnitFits(base + this.#fileBytes - next)) return this.scan(next, visit, done);
      // A full file whose blank record is missing ends just so, when its writer was killed before the next unit.
      if (this.#bases.includes(base + this.#fileBytes)) return this.scan(base + this.#fileBytes, visit, done);
      done(null, next);
    });
  }

  /** Position of the unit before `position`; −1: there is none. */
  before(position: number): number {
    if (position <= this.start) return -1;
    const inFile = position % this.#fileBytes;
    if (inFile >= TIMER_UNIT_BYTES) return position - TIMER_UNIT_BYTES;
    return this.#baseOf(position - 1) + lastTimerUnitAt(this.#fileBytes);
  }

  /** Makes `position` the end: what stands beyond it in the files is zeros from now on. Throws PlatformError. */
  cut(position: number): void {
    const beyond = this.#bases.filter((base) => base > position);
    for (const base of beyond) {
      this.#close(base);
      this.#files.remove(this.#path(base));
    }
    this.#bases = this.#bases.filter((base) => base <= position);
    if (beyond.length > 0) this.#entriesSynced = false;
    const base = this.#baseOf(position);
    if (this.#bases.includes(base)) {
      this.#file(base).truncate(position - base);
      this.#file(base).truncate(this.#fileBytes);
      this.#unsynced.add(base);
    }
    this.#chunks = [];
    this.#writing = 0;
    this.#end = this.#written = this.#synced = position;
  }

  /** Appends a unit in memory and returns its position. */
  append(unit: TimerUnit): number {
    const left = this.#fileBytes - this.#end % this.#fileBytes;
    if (!timerUnitFits(left)) {
      const blank = this.#chunk();
      putTimerBlank(blank.bytes, blank.used, left);
      // The rest of the file stays as it is, zeros; the next chunk begins with the next file.
      blank.used += Math.min(left, 16);
      this.#end += left;
    }
    const chunk = this.#chunk();
    const position = this.#end;
    putTimerUnit(chunk.bytes, chunk.used, unit);
    chunk.used += TIMER_UNIT_BYTES;
    this.#end += TIMER_UNIT_BYTES;
    return position;
  }

  /** The chunk that goes on at the end. */
  #chunk(): Chunk {
    const last = this.#chunks.at(-1);
    const goesOn = last !== undefined && last.base + last.used === this.#end && this.#end % this.#fileBytes !== 0;
    if (goesOn && last.used + TIMER_UNIT_BYTES <= last.bytes.length) return last;
    const chunk = { base: this.#end, bytes: new Uint8Array(CHUNK_BYTES), used: 0 };
    this.#chunks.push(chunk);
    return chunk;
  }

  /**
   * Finds the unit at `position`, with units before it as far as `into` has room and they are at hand. May call `done`
   * before it returns; from the files it reads into `into`.
   */
  block(position: number, into: Uint8Array, done: TimerBlockDone): void {
    for (let i = this.#chunks.length - 1; i >= 0; i--) {
      const { base, bytes, used } = this.#chunks[i];
      if (position >= base && position + TIMER_UNIT_BYTES <= base + used) return done(null, bytes, position - base, 0);
    }
    const base = this.#baseOf(position);
    if (position + TIMER_UNIT_BYTES > this.#written || !this.#bases.includes(base)) {
      return done(new PlatformError("EINVAL", `no unit at ${position} in the timer log`), NOTHING, 0, 0);
    }
    const inFile = position - base;
    const before = Math.min(inFile, Math.floor(into.length / TIMER_UNIT_BYTES) * TIMER_UNIT_BYTES - TIMER_UNIT_BYTES);
    const bytes = into.subarray(0, before + TIMER_UNIT_BYTES);
    this.#read(base, bytes, inFile - before, (error) => done(error, bytes, before, 0));
  }

  /** Ends the chain at the unit at `position`: what was before it is delivered. Throws PlatformError. */
  endChain(position: number): void {
    const none = new Uint8Array(8);
    putInt64(none, 0, -1);
    for (const { base, bytes, used } of this.#chunks) {
      if (position >= base && position < base + used) bytes.set(none, position - base + 4);
    }
    if (position >= this.#written) return;
    const base = this.#baseOf(position);
    writeFully(this.#file(base), none, position - base + 4);
    this.#unsynced.add(base);
  }

  /** Writes and syncs all that was appended so far, a piece a turn by `later`. */
  flush(later: (run: () => void) => void, done: Done): void {
    if (this.#bases.length === 0 && this.#end === this.#written) return done(null);
    if (this.#bases.length > 0) return this.#write(this.#end, later, done);
    makeDirectoriesDurably(this.#files, [this.#directory]).then(
      () => this.#write(this.#end, later, done),
      (error) => done(asPlatformError(error)),
    );
  }

  #write(upTo: number, later: (run: () => void) => void, done: Done): void {
    try {
      for (let bytes = 0; this.#written < upTo && bytes < WRITE_BYTES;) bytes += this.#writeChunk();
    } catch (error) {
      return done(asPlatformError(error));
    }
    if (this.#written < upTo) later(() => this.#write(upTo, later, done));
    else this.#sync(done);
  }

  /** Writes what the next chunk still has to write; returns how many bytes. */
  #writeChunk(): number {
    const chunk = this.#chunks[this.#writing];
    const end = chunk.base + chunk.used;
    const from = Math.max(this.#written, chunk.base);
    const base = this.#baseOf(chunk.base);
    if (!this.#bases.includes(base)) this.#create(base);
    writeFully(this.#file(base), chunk.bytes.subarray(from - chunk.base, chunk.used), from - base);
    this.#unsynced.add(base);
    const isLast = this.#writing === this.#chunks.length - 1;
    this.#written = isLast ? end : this.#chunks[++this.#writing].base;
    return end - from;
  }

  #create(base: number): void {
    const file = this.#files.open(this.#path(base), { create: true });
    this.#open.set(base, file);
    file.truncate(this.#fileBytes);
    this.#bases.push(base);
    this.#entriesSynced = false;
  }

  #sync(done: Done): void {
    const [base] = this.#unsynced;
    if (base === undefined) {
      this.#synced = this.#written;
      this.#chunks.splice(0, this.#writing);
      this.#writing = 0;
      return this.#syncEntries(done);
    }
    this.#unsynced.delete(base);
    this.#file(base).syncData((error) => {
      if (error === null) return this.#sync(done);
      // What a failed sync did not take the next one won't either: it is written again.
      this.#unsynced.add(base);
      this.#written = this.#synced;
      this.#writing = 0;
      done(error);
    });
  }

  #syncEntries(done: Done): void {
    if (this.#entriesSynced) return done(null);
    this.#entriesSynced = true;
    this.#files.syncDirectory(this.#directory, (error) => {
      if (error !== null) this.#entriesSynced = false;
      done(error);
    });
  }

  /** Removes files whose last unit is about a message below `minPhysicalOffset`, the newest file never. */
  expire(minPhysicalOffset: number): void {
    const unit = newTimerUnit();
    const bytes = new Uint8Array(TIMER_UNIT_BYTES);
    while (this.#bases.length > 1 && this.#bases[1] <= this.#written) {
      const base = this.#bases[0];
      this.#file(base).readAtSync(bytes, lastTimerUnitAt(this.#fileBytes));
      if (!readTimerUnit(bytes, 0, unit) || unit.physicalOffset >= minPhysicalOffset) return;
      this.#close(base);
      this.#files.remove(this.#path(base));
      this.#bases.shift();
    }
  }

  /** Closes the files as they are. */
  close(): void {
    for (const base of [...this.#open.keys()]) this.#close(base);
  }

  #read(base: number, into: Uint8Array, position: number, done: Done): void {
    let file: File;
    try {
      file = this.#file(base);
    } catch (error) {
      return done(asPlatformError(error));
    }
    file.readAt(into, position, (error, count) => {
      if (error === null && count < into.length) error = new PlatformError("EIO", `${file.path} ends early`);
      done(error);
    });
  }

  #file(base: number): File {
    const known = this.#open.get(base);
    if (known !== undefined) return known;
    const file = this.#files.open(this.#path(base));
    this.#open.set(base, file);
    return file;
  }

  #close(base: number): void {
    this.#open.get(base)?.close();
    this.#open.delete(base);
    this.#unsynced.delete(base);
  }

  #baseOf(position: number): number {
    return position - position % this.#fileBytes;
  }

  #path(base: number): string {
    return `${this.#directory}/${segmentName(base)}`;
  }
}
