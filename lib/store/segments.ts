import type { Done, File, Files, Logger } from "@rmq/platform";
import type { BlockCache } from "./block_cache.ts";
import { StoreError } from "./store.ts";

/** A file of the log: `segmentBytes` bytes from physical offset `base`. */
export interface Segment {
  readonly base: number;
  readonly path: string;
  /** Open descriptor, or null while it is not needed. */
  file: File | null;
  /** Whether its directory entry is known to be on disk. */
  entrySynced: boolean;
}

const NAME_DIGITS = 20;

/** Apache's file name for a start offset: 20 digits (`UtilAll.offset2FileName`). */
export function segmentName(base: number): string {
  return base.toString().padStart(NAME_DIGITS, "0");
}

/**
 * The files of the log (storage §2): each of full size and named after its start offset, the first not necessarily 0.
 * Old ones are opened when they are read and closed again above the bound.
 */
export class Segments {
  readonly list: Segment[] = [];
  #opened: Segment[] = [];

  constructor(
    private readonly files: Files,
    readonly directory: string,
    readonly segmentBytes: number,
    private readonly openLimit: number,
    private readonly logger: Logger,
    private readonly cache: BlockCache,
  ) {}

  /**
   * Finds the segments on disk; an empty last file is removed, any other wrong size and a missing file are refused.
   * From `unsyncedFrom` on, a power cut may have lost lengths and directory entries of files that we made and never
   * acknowledged anything in: those are extended to full size, and what follows a missing one is removed.
   */
  load(unsyncedFrom: number): void {
    const names = this.files.list(this.directory).filter((name) => this.#isFile(name));
    let hole = false;
    for (let i = 0; i < names.length; i++) {
      const path = `${this.directory}/${names[i]}`;
      const base = this.#baseOf(names[i], path);
      const expected = this.list.length === 0 ? base : this.endOffset;
      hole ||= base !== expected;
      if (hole && expected >= unsyncedFrom) {
        this.files.remove(path);
        this.logger.warn("removed a commit log file beyond a missing one; nothing in it was acknowledged", { path });
        continue;
      }
      if (hole) {
        throw new StoreError(
          "CORRUPT",
          `commit log file ${segmentName(expected)} is missing before ${path}: restore it`,
        );
      }
      this.#admit(path, base, i === names.length - 1, unsyncedFrom);
    }
  }

  #isFile(name: string): boolean {
    const info = this.files.stat(`${this.directory}/${name}`);
    return info !== null && info.isFile;
  }

  #baseOf(name: string, path: string): number {
    const base = /^\d{20}$/.test(name) ? Number(name) : NaN;
    if (Number.isSafeInteger(base)) return base;
    throw new StoreError("CORRUPT", `${path} is not a commit log file: move it out of this directory`);
  }

  #admit(path: string, base: number, last: boolean, unsyncedFrom: number): void {
    const size = this.files.stat(path)?.size ?? 0;
    if (size === this.segmentBytes) {
      this.list.push({ base, path, file: null, entrySynced: true });
    } else if (size < this.segmentBytes && base + this.segmentBytes > unsyncedFrom) {
      this.list.push({ base, path, file: null, entrySynced: true });
      this.open(this.list[this.list.length - 1]).truncate(this.segmentBytes);
    } else if (size === 0 && last) {
      this.files.remove(path);
      this.logger.warn("removed an empty commit log file", { path });
    } else {
      throw new StoreError(
        "CORRUPT",
        `${path} has ${size} bytes, but mappedFileSizeCommitLog is ${this.segmentBytes}: ` +
          `set mappedFileSizeCommitLog to the size that this store was written with, or restore the file`,
      );
    }
  }

  /** Start of the oldest segment; 0 when there is none. */
  get minOffset(): number {
    return this.list.length === 0 ? 0 : this.list[0].base;
  }

  /** End of the newest segment; 0 when there is none. */
  get endOffset(): number {
    return this.list.length === 0 ? 0 : this.list[this.list.length - 1].base + this.segmentBytes;
  }

  /** The segment that holds `offset`, or null. */
  at(offset: number): Segment | null {
    const index = Math.floor((offset - this.minOffset) / this.segmentBytes);
    return index >= 0 && index < this.list.length ? this.list[index] : null;
  }

  /** Makes the segment that starts at `base`, after the newest one, at full size. Throws PlatformError. */
  create(base: number): Segment {
    const path = `${this.directory}/${segmentName(base)}`;
    const file = this.files.open(path, { create: true });
    try {
      file.truncate(this.segmentBytes);
    } catch (error) {
      file.close();
      this.files.remove(path);
      throw error;
    }
    const segment: Segment = { base, path, file, entrySynced: false };
    this.list.push(segment);
    this.#opened.push(segment);
    this.#closeSome(segment);
    return segment;
  }

  /** The segment's descriptor, opened when it is not. Throws PlatformError. */
  open(segment: Segment): File {
    if (segment.file !== null) return segment.file;
    segment.file = this.files.open(segment.path);
    this.#opened.push(segment);
    this.#closeSome(segment);
    return segment.file;
  }

  #closeSome(keep: Segment): void {
    if (this.#opened.length <= this.openLimit) return;
    // The two newest are being written and synced and stay open.
    const written = this.list.slice(-2);
    const index = this.#opened.findIndex((segment) => segment !== keep && !written.includes(segment));
    if (index >= 0) this.#close(this.#opened[index]);
  }

  #close(segment: Segment): void {
    this.#opened = this.#opened.filter((each) => each !== segment);
    if (segment.file === null) return;
    segment.file.close();
    segment.file = null;
  }

  /** Removes the oldest segment; its directory entry goes at once, its blocks when no read uses them any more. */
  removeFirst(): void {
    const segment = this.list[0];
    this.files.remove(segment.path);
    this.list.shift();
    this.#close(segment);
    this.cache.invalidate(segment);
  }

  /** Removes the newest segment. */
  removeLast(): void {
    const segment = this.list[this.list.length - 1];
    this.files.remove(segment.path);
    this.list.pop();
    this.#close(segment);
    this.cache.invalidate(segment);
  }

  /**
   * Removes every byte at or beyond `end`, on disk: files that start beyond it go, the one that holds it is cut and
   * extended again, so that what stood there is zeros and can never be taken for an entry.
   */
  async cut(end: number): Promise<void> {
    while (this.list.length > 0 && this.list[this.list.length - 1].base > end) this.removeLast();
    const segment = this.at(end);
    if (segment !== null) {
      const file = this.open(segment);
      this.cache.invalidate(segment);
      file.truncate(end - segment.base);
      file.truncate(this.segmentBytes);
      await settled((done) => file.syncData(done));
    }
    await settled((done) => this.files.syncDirectory(this.directory, done));
  }

  /** Closes all descriptors. */
  close(): void {
    for (const segment of [...this.#opened]) this.#close(segment);
  }
}

/** A callback-shaped operation as a promise, for the rare paths that may wait. */
export function settled(run: (done: Done) => void): Promise<void> {
  return new Promise((resolve, reject) => run((error) => error === null ? resolve() : reject(error)));
}
