import { type Done, type File, type Files, PlatformError } from "@rmq/platform";
import type { BlockCache } from "./block_cache.ts";
import type { FilePool } from "./file_pool.ts";
import { asPlatformError } from "./platform_error.ts";
import {
  ENTRY_BYTES,
  entryPhysical,
  entryPosition,
  entrySeconds,
  HEADER_BYTES,
  headerBytes,
  indexFileBytes,
  type IndexHeader,
  putEntry,
  readHeader,
  readSlots,
  SLOT_BYTES,
  slotBytes,
  slotPosition,
} from "./index_layout.ts";
import { IndexRepair } from "./index_repair.ts";

/** What all index files of a store share. */
export interface IndexDisk {
  readonly files: Files;
  readonly pool: FilePool;
  readonly cache: BlockCache;
  readonly directory: string;
  /** `maxHashSlotNum`. */
  readonly slots: number;
  /** `maxIndexNum`. */
  readonly entries: number;
}

/** Slots that are written together: one page of the file. */
const PAGE_SLOTS = 1024;
/** Entries are written out when so many bytes of them are waiting. */
const PENDING_BYTES = 256 * 1024;
const LOAD_SLOTS = 256 * 1024;
/** Entries that are written again with one call after a failed sync: 1 MiB. */
const REWRITE_ENTRIES = 52_428;

/** What a page of slots waits for. */
const Page = { CLEAN: 0, DIRTY: 1, WRITTEN: 2 } as const;

const noSlots = new Int32Array(0);
const noBytes = new Uint8Array(0);

/**
 * One index file. While it is the newest, its slots are a table in memory and its entries are appended to a buffer;
 * `writeSome` brings both to disk. At each instant the entries that a slot on disk leads to are on disk too, and the
 * header there counts them, so that a killed process leaves chains that a Java broker can walk.
 */
export class IndexFile {
  readonly path: string;
  header: IndexHeader;
  /** Empty: the slots are only on disk. */
  slots: Int32Array = noSlots;
  /** The table while it is being read, and how many slots of it are there. */
  #loading: Int32Array | null = null;
  #loaded = 0;
  /** A {@link Page} for each page of slots. */
  #pages = new Uint8Array(0);
  #cursor = 0;
  #pending = noBytes;
  #pendingFrom = 1;
  /** Entries below are known to be on disk. */
  #syncedTo: number;
  /** After a failed sync: the entry from which on those in the file are written again; else -1. */
  #rewriteFrom = -1;
  /** Writes so far, and how many of them a sync has covered. */
  #writes = 0;
  #syncedWrites = 0;
  #created: boolean;
  /** The directory has the file's name for good. */
  #named: boolean;
  /** End of time and log as the header on disk says; they follow the checkpoint. */
  #diskEnd = { timestamp: 0, physical: 0 };

  constructor(readonly disk: IndexDisk, readonly name: string, header: IndexHeader, created: boolean) {
    this.path = `${disk.directory}/${name}`;
    this.header = header;
    this.#created = this.#named = created;
    this.#diskEnd = { timestamp: header.endTimestamp, physical: header.endPhysical };
    this.#pendingFrom = this.#syncedTo = header.count;
  }

  /** A new file that goes on from where the one before it ended. */
  static create(disk: IndexDisk, name: string, timestamp: number, physical: number): IndexFile {
    const header = {
      beginTimestamp: timestamp,
      endTimestamp: timestamp,
      beginPhysical: physical,
      endPhysical: physical,
      slotsUsed: 0,
      count: 1,
    };
    const file = new IndexFile(disk, name, header, false);
    file.#useSlots(new Int32Array(disk.slots));
    return file;
  }

  /** The file of that name, or null when it does not have the configured size. */
  static open(disk: IndexDisk, name: string): IndexFile | null {
    const path = `${disk.directory}/${name}`;
    const file = disk.pool.get(path);
    if (file === null || file.size() !== indexFileBytes(disk.slots, disk.entries)) return null;
    const bytes = new Uint8Array(HEADER_BYTES);
    if (file.readAtSync(bytes, 0) !== HEADER_BYTES) return null;
    return new IndexFile(disk, name, readHeader(bytes), true);
  }

  get isFull(): boolean {
    return this.header.count >= this.disk.entries;
  }

  /** True while something waits to be written or synced. */
  get isDirty(): boolean {
    return this.header.count > this.#pendingFrom || this.#pages.includes(Page.DIRTY) ||
      this.#rewriteFrom >= 0 || this.#writes !== this.#syncedWrites ||
      this.#diskEnd.physical !== this.header.endPhysical || this.#diskEnd.timestamp !== this.header.endTimestamp;
  }

  /** Adds an entry; the file must be the newest and not full, and its slots in memory. */
  put(hash: number, physical: number, storeTimestamp: number): void {
    const header = this.header;
    const slot = hash % this.disk.slots;
    let previous = this.slots[slot];
    if (previous <= 0 || previous > header.count) previous = 0;
    const at = this.#room();
    putEntry(this.#pending, at, hash, physical, this.#secondsSinceBegin(storeTimestamp), previous);
    this.slots[slot] = header.count;
    this.#pages[Math.floor(slot / PAGE_SLOTS)] = Page.DIRTY;
    if (header.count <= 1) {
      header.beginPhysical = physical;
      header.beginTimestamp = storeTimestamp;
    }
    if (previous === 0) header.slotsUsed++;
    header.count++;
    header.endPhysical = physical;
    header.endTimestamp = storeTimestamp;
  }

  #secondsSinceBegin(storeTimestamp: number): number {
    const begin = this.header.beginTimestamp;
    if (begin <= 0) return 0;
    return Math.min(Math.max(Math.trunc((storeTimestamp - begin) / 1000), 0), 0x7fffffff);
  }

  /** Where in the buffer the next entry goes; writes the buffer out when it is full, grows it when that fails. */
  #room(): number {
    const at = (this.header.count - this.#pendingFrom) * ENTRY_BYTES;
    if (at < this.#pending.length) return at;
    if (at >= PENDING_BYTES) {
      try {
        this.#writeEntries(this.#open());
        if (this.#pending.length > 0) return 0;
      } catch (error) {
        if (!(error instanceof PlatformError)) throw error;
      }
    }
    const held = (this.header.count - this.#pendingFrom) * ENTRY_BYTES;
    const bytes = new Uint8Array(Math.max(held * 2, 256 * ENTRY_BYTES));
    bytes.set(this.#pending.subarray(0, held));
    this.#pending = bytes;
    return held;
  }

  #useSlots(slots: Int32Array): void {
    this.slots = slots;
    this.#loading = null;
    this.#pages = new Uint8Array(Math.ceil(this.disk.slots / PAGE_SLOTS));
  }

  /** Entry k if it is in memory: its position in {@link pending}; else -1. */
  pendingAt(entry: number): number {
    return entry >= this.#pendingFrom ? (entry - this.#pendingFrom) * ENTRY_BYTES : -1;
  }

  get pending(): Uint8Array {
    return this.#pending;
  }

  #open(): File {
    const { pool, slots, entries } = this.disk;
    if (!this.#created) {
      const file = pool.get(this.path, true);
      file?.truncate(indexFileBytes(slots, entries));
      this.#created = true;
    }
    const file = pool.get(this.path);
    if (file === null) throw new PlatformError("ENOENT", `${this.path}: was removed`);
    return file;
  }

  #write(file: File, bytes: Uint8Array, position: number): void {
    this.#writes++;
    if (file.writeAt(bytes, position) !== bytes.length) throw new PlatformError("ENOSPC", `${this.path}: short write`);
    this.disk.cache.invalidate(file, position);
  }

  #writeEntries(file: File): void {
    const count = this.header.count - this.#pendingFrom;
    if (count === 0) return;
    this.#write(
      file,
      this.#pending.subarray(0, count * ENTRY_BYTES),
      entryPosition(this.disk.slots, this.#pendingFrom),
    );
    this.#pendingFrom = this.header.count;
    if (this.#pending.length > PENDING_BYTES * 2) this.#pending = noBytes;
  }

  #writeHeader(file: File): void {
    const { timestamp, physical } = this.#diskEnd;
    this.#write(file, headerBytes({ ...this.header, endTimestamp: timestamp, endPhysical: physical }), 0);
  }

  /** Begins a pass over the slots. */
  rewind(): void {
    this.#cursor = 0;
  }

  /** Writes all entries and the next dirty slots (up to `pages` pages). True: the pass is over. Throws PlatformError. */
  writeSome(pages: number): boolean {
    const file = this.#open();
    if (!this.#rewriteSome(file)) return false;
    this.#writeEntries(file);
    this.#writeHeader(file);
    for (let left = pages; left > 0 && this.#cursor < this.#pages.length;) {
      if (this.#pages[this.#cursor] !== Page.DIRTY) {
        this.#cursor++;
        continue;
      }
      let end = this.#cursor + 1;
      while (end < this.#pages.length && this.#pages[end] === Page.DIRTY && end - this.#cursor < left) end++;
      const from = this.#cursor * PAGE_SLOTS;
      const to = Math.min(end * PAGE_SLOTS, this.slots.length);
      this.#write(file, slotBytes(this.slots, from, to - from), slotPosition(from));
      this.#pages.fill(Page.WRITTEN, this.#cursor, end);
      left -= end - this.#cursor;
      this.#cursor = end;
    }
    return this.#cursor >= this.#pages.length;
  }

  /** Lets the header on disk say that the file holds all up to there. */
  writeEnd(timestamp: number, physical: number): void {
    this.#diskEnd = { timestamp, physical };
    this.#writeHeader(this.#open());
  }

  /** After a failed sync everything that was written since the last good one is written again by `writeSome`. */
  sync(done: Done): void {
    const writes = this.#writes;
    const entries = this.#pendingFrom;
    try {
      this.#open().syncData((error) => {
        this.#turnPages(Page.WRITTEN, error === null ? Page.CLEAN : Page.DIRTY);
        if (error !== null) this.#rewriteFrom = this.#syncedTo;
        else {
          this.#syncedWrites = writes;
          this.#syncedTo = entries;
        }
        if (error !== null || this.#named) return done(error);
        this.disk.files.syncDirectory(this.disk.directory, (error) => {
          this.#named = error === null;
          done(error);
        });
      });
    } catch (error) {
      done(asPlatformError(error));
    }
  }

  #turnPages(from: number, to: number): void {
    for (let page = this.#pages.indexOf(from); page >= 0; page = this.#pages.indexOf(from, page + 1)) {
      this.#pages[page] = to;
    }
  }

  /**
   * Writes a part of the entries again that a failed sync left in doubt, as the file reads now; true: that is done.
   * Throws PlatformError; entries that the kernel has lost are given up, so that the file goes on without them.
   */
  #rewriteSome(file: File): boolean {
    if (this.#rewriteFrom < 0) return true;
    const to = Math.min(this.#pendingFrom, this.#rewriteFrom + REWRITE_ENTRIES);
    if (to > this.#rewriteFrom) {
      const bytes = new Uint8Array((to - this.#rewriteFrom) * ENTRY_BYTES);
      const position = entryPosition(this.disk.slots, this.#rewriteFrom);
      if (file.readAtSync(bytes, position) !== bytes.length || hasEmptyEntry(bytes)) this.#giveUpUnsynced(file);
      this.#write(file, bytes, position);
      this.#rewriteFrom = to;
    }
    if (to < this.#pendingFrom) return false;
    this.#rewriteFrom = -1;
    return true;
  }

  #giveUpUnsynced(file: File): never {
    const lost = this.header.count - this.#syncedTo;
    this.#cutTo(file, this.#syncedTo, Infinity);
    throw new PlatformError("EIO", `${this.path}: the last ${lost} entries were lost with a failed sync`);
  }

  /** Gives the slot table back; the file is full and on disk. */
  seal(): void {
    this.slots = noSlots;
    this.#loaded = 0;
    this.#pages = new Uint8Array(0);
    this.#pending = noBytes;
  }

  /** Reads a part of the slots from disk; false: all are in memory now. Throws PlatformError. */
  loadSome(): boolean {
    if (this.slots.length > 0) return false;
    this.#loading ??= new Int32Array(this.disk.slots);
    const count = Math.min(LOAD_SLOTS, this.disk.slots - this.#loaded);
    const bytes = new Uint8Array(count * SLOT_BYTES);
    if (this.#open().readAtSync(bytes, slotPosition(this.#loaded)) !== bytes.length) {
      throw new PlatformError("EIO", `${this.path}: ends early`);
    }
    readSlots(bytes, this.#loading, this.#loaded);
    this.#loaded += count;
    if (this.#loaded < this.disk.slots) return true;
    this.#useSlots(this.#loading);
    return false;
  }

  /** Makes sure that the slots are in memory. */
  loadAll(): void {
    while (this.slots.length === 0) this.loadSome();
  }

  /**
   * Takes back the entries of messages at or beyond `physical`, and whatever a crash left behind the last one before
   * it.
   */
  cut(physical: number): void {
    this.loadAll();
    const file = this.#open();
    this.#writeEntries(file);
    this.#cutTo(file, this.header.count, physical);
  }

  /** Leaves the whole entries among the first `count` that lie before `physical`. */
  #cutTo(file: File, count: number, physical: number): void {
    const { header } = this;
    const before = header.count;
    header.count = new IndexRepair(file, this.disk, this.slots).run(count, physical, (slot) => {
      this.#pages[Math.floor(slot / PAGE_SLOTS)] = Page.DIRTY;
    });
    this.#pendingFrom = this.#syncedTo = header.count;
    this.#rewriteFrom = -1;
    if (header.count === before) return;
    header.slotsUsed = this.slots.reduce((used, entry) => entry > 0 ? used + 1 : used, 0);
    this.#setEnd(file, physical);
  }

  #setEnd(file: File, physical: number): void {
    const { header } = this;
    if (header.count <= 1) {
      header.endPhysical = header.beginPhysical = Math.min(header.beginPhysical, physical);
      header.endTimestamp = header.beginTimestamp;
    } else {
      const bytes = new Uint8Array(ENTRY_BYTES);
      file.readAtSync(bytes, entryPosition(this.disk.slots, header.count - 1));
      const last = entryPhysical(bytes, 0);
      // The exact time is known if it is the header's own; else the entry says it to the second.
      if (last !== header.endPhysical) {
        header.endTimestamp = Math.min(header.endTimestamp, header.beginTimestamp + entrySeconds(bytes, 0) * 1000);
      }
      header.endPhysical = last;
    }
    this.#diskEnd = { timestamp: header.endTimestamp, physical: header.endPhysical };
  }

  /** Removes it from the disk. */
  remove(): void {
    this.disk.pool.close(this.path);
    this.disk.cache.invalidate(this);
    this.disk.files.remove(this.path);
  }
}

function hasEmptyEntry(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += ENTRY_BYTES) {
    if (bytes.subarray(at, at + ENTRY_BYTES).every((byte) => byte === 0)) return true;
  }
  return false;
}
