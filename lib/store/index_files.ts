import type { Clock, Done, Files, Logger } from "@rmq/platform";
import type { PlatformError } from "@rmq/platform";
import { hashContinue, javaHash, javaHashBytes } from "@rmq/protocol";
import { BlockCache } from "./block_cache.ts";
import type { DispatchEntry, Follower, FollowerRecovery } from "./dispatch.ts";
import { FilePool } from "./file_pool.ts";
import { type IndexDisk, IndexFile } from "./index_file.ts";
import { positiveHash } from "./index_layout.ts";
import { indexName, isIndexName } from "./index_name.ts";
import { IndexQuery } from "./index_query.ts";
import type { LogReader } from "./log_reader.ts";
import { asPlatformError } from "./platform_error.ts";
import { TopicNames } from "./topic_names.ts";

/** What the index is told, of the store's options. */
export interface IndexOptions {
  /** `storePathRootDir`; the files lie in `index` below it, which the one who opens the store makes. */
  readonly root: string;
  /** Slots of a file. */
  readonly maxHashSlotNum: number;
  /** Entries of a file, entry 0 (never used) included. */
  readonly maxIndexNum: number;
}

/** What a query by key found. */
export type QueryDone = (offsets: number[], indexLastTimestamp: number, indexLastPhysical: number) => void;

interface TopicHash {
  readonly topicBytes: Uint8Array;
  /** Java hash of `topic#`. */
  readonly hash: number;
  /** Java hash of `topic#T#`. */
  readonly tagHash: number;
}

const CACHE_BYTES = 4 * 1024 * 1024;
const CACHE_BLOCK_BYTES = 4096;
const OPEN_FILES = 8;
const MAX_TOPICS = 100_000;
/** Most that one query returns, whatever `maxMsgsNumBatch` is. */
const MAX_FOUND = 4096;
/** Pages of slots written in one turn: 1 MiB. */
const PAGES_A_TURN = 256;
const TRANSACTION_BITS = 0xc;
const ROLLBACK = 0xc;
const unannounced = (_endTimestampMs: number, done: Done): void => done(null);
const SPACE = 0x20;
const HASH_SIGN = Uint8Array.of(0x23);
const TAG_PART = Uint8Array.of(0x54, 0x23);

/** The hash index by key, as a follower of the log (storage sheet §5; Apache: `IndexService`). */
export class IndexFiles implements Follower {
  readonly name = "index";
  readonly #platform: { readonly clock: Clock; readonly files: Files };
  readonly #disk: IndexDisk;
  readonly #log: LogReader;
  readonly #logger: Logger;
  /**
   * Makes the checkpoint say, durably, that the index holds all up to a store time (ms); called before a file's header
   * says so, as a Java broker deletes an index file whose header is ahead of the checkpoint.
   */
  beforeHeader: ((endTimestampMs: number, done: Done) => void) | null = null;
  readonly #topics = new TopicNames<TopicHash>();
  #topicCount = 0;
  /** By age; the last one takes entries. */
  #files: IndexFile[] = [];
  #flushedTo = 0;
  #flushedTimestamp = 0;
  #takenTo = 0;
  /** What lies in the newest file is not known until the first cut. */
  #crashed = false;
  #closed = false;
  #flushing = false;
  #waiting: Done[] = [];
  /** The last sync failed, and that was said. */
  #failing = false;

  constructor(
    platform: { readonly clock: Clock; readonly files: Files },
    options: IndexOptions,
    log: LogReader,
    logger: Logger,
  ) {
    this.#platform = platform;
    this.#log = log;
    this.#logger = logger;
    this.#disk = {
      files: platform.files,
      pool: new FilePool(platform.files, OPEN_FILES),
      cache: new BlockCache(CACHE_BYTES, CACHE_BLOCK_BYTES),
      directory: `${options.root}/index`,
      slots: options.maxHashSlotNum,
      entries: options.maxIndexNum,
    };
  }

  get flushedTo(): number {
    return this.#flushedTo;
  }

  /** Store time up to which the headers on disk say that the index goes, ms; 0: not known. */
  get flushedTimestamp(): number {
    return this.#flushedTimestamp;
  }

  load(recovery: FollowerRecovery): Promise<void> {
    return Promise.resolve().then(() => this.#load(recovery));
  }

  #load(recovery: FollowerRecovery): void {
    this.#crashed = recovery.abnormal;
    this.#flushedTo = this.#takenTo = Math.max(0, recovery.flushedTo);
    this.#platform.files.makeDirectory(this.#disk.directory);
    for (const name of this.#platform.files.list(this.#disk.directory)) {
      if (!isIndexName(name)) continue;
      const file = IndexFile.open(this.#disk, name);
      if (file === null && this.#platform.files.stat(`${this.#disk.directory}/${name}`)?.size === 0) {
        // Made just before a crash.
        this.#platform.files.remove(`${this.#disk.directory}/${name}`);
      } else if (file === null) {
        this.#logger.warn("index: file of another size is left alone", { file: `${this.#disk.directory}/${name}` });
      } else if (recovery.abnormal && file.header.endTimestamp > recovery.indexMsgTimestamp) {
        this.#logger.info("index: file is ahead of the checkpoint and is removed", { file: file.path });
        file.remove();
      } else this.#files.push(file);
    }
    const last = this.#files.at(-1);
    if (last !== undefined && !last.isFull) this.#loadLater(last);
  }

  /** Reads the slots piece by piece, unless the first entry comes before that is done and needs them at once. */
  #loadLater(file: IndexFile): void {
    this.#platform.clock.setTimer(0, () => {
      try {
        if (!this.#closed && this.#files.at(-1) === file && file.loadSome()) this.#loadLater(file);
      } catch (error) {
        this.#logger.warn("index: slots can't be read", { file: file.path, error: String(error) });
      }
    });
  }

  take(entry: DispatchEntry): void {
    const message = entry.message;
    const physical = message.physicalOffset;
    const last = this.#files.length === 0 ? null : this.#files[this.#files.length - 1];
    if (physical + message.size > this.#takenTo) this.#takenTo = physical + message.size;
    if (last !== null && physical < last.header.endPhysical) return;
    if ((message.sysFlag & TRANSACTION_BITS) === ROLLBACK) return;
    const { bytes, storeTimestamp } = message;
    const topic = this.#topic(bytes, message.topicStart, message.topicEnd);
    if (message.uniqEnd > message.uniqStart) {
      this.#put(hashContinue(topic.hash, bytes, message.uniqStart, message.uniqEnd), physical, storeTimestamp);
    }
    for (let at = message.keysStart; at < message.keysEnd; at++) {
      if (bytes[at] === SPACE) continue;
      const start = at;
      while (at < message.keysEnd && bytes[at] !== SPACE) at++;
      this.#put(hashContinue(topic.hash, bytes, start, at), physical, storeTimestamp);
    }
    if (message.tagsEnd > message.tagsStart) {
      this.#put(hashContinue(topic.tagHash, bytes, message.tagsStart, message.tagsEnd), physical, storeTimestamp);
    }
  }

  #put(javaHash: number, physical: number, storeTimestamp: number): void {
    let file = this.#files.length === 0 ? null : this.#files[this.#files.length - 1];
    if (file === null || file.isFull || !this.#isReady(file)) file = this.#roll(file);
    file.put(positiveHash(javaHash), physical, storeTimestamp);
  }

  /** False: its slots can't be read, and a new file has to take the entries. */
  #isReady(file: IndexFile): boolean {
    if (file.slots.length > 0) return true;
    try {
      file.loadAll();
      return true;
    } catch (error) {
      this.#logger.error("index: file can't be read and gets no more entries", {
        file: file.path,
        error: String(error),
      });
      return false;
    }
  }

  #roll(full: IndexFile | null): IndexFile {
    const clock = this.#platform.clock;
    const name = indexName(clock.localTime(clock.nowMs()), full?.name ?? "");
    const header = full?.header;
    const file = IndexFile.create(this.#disk, name, header?.endTimestamp ?? 0, header?.endPhysical ?? 0);
    this.#files.push(file);
    return file;
  }

  #topic(bytes: Uint8Array, start: number, end: number): TopicHash {
    const known = this.#topics.find(bytes, start, end);
    if (known !== null) return known;
    const hash = hashContinue(javaHashBytes(bytes, start, end), HASH_SIGN, 0, 1);
    const topic = { topicBytes: bytes.slice(start, end), hash, tagHash: hashContinue(hash, TAG_PART, 0, 2) };
    // Names beyond the bound are hashed each time.
    if (this.#topicCount++ < MAX_TOPICS) this.#topics.add(topic);
    return topic;
  }

  /**
   * Log positions of messages with a key, newest first, at most `maxNum`; `indexType` "T": `key` is a tag.
   * Other keys with the same hash are among them. Then the newest entry's store time and position.
   */
  query(
    topic: string,
    key: string,
    indexType: string | null,
    maxNum: number,
    beginMs: number,
    endMs: number,
    done: QueryDone,
  ): void {
    const hash = positiveHash(javaHash(indexType === "T" ? `${topic}#T#${key}` : `${topic}#${key}`));
    const header = this.#files.at(-1)?.header;
    const timestamp = header?.endTimestamp ?? 0;
    const physical = header?.endPhysical ?? 0;
    const found = (offsets: number[]): void => done(offsets, timestamp, physical);
    const wanted = { hash, maxNum: Math.min(maxNum, MAX_FOUND), beginMs, endMs, minPhysical: this.#log.minOffset };
    new IndexQuery(this.#platform.clock, [...this.#files], wanted, found).run();
  }

  flush(done: Done): void {
    this.#waiting.push(done);
    if (!this.#flushing) this.#startFlush();
  }

  #startFlush(): void {
    const waiting = this.#waiting;
    const mark = this.#takenTo;
    this.#waiting = [];
    this.#flushing = true;
    const finish = (error: PlatformError | null): void => {
      this.#flushing = false;
      if (error === null && mark > this.#flushedTo) this.#flushedTo = mark;
      for (const done of waiting) done(error);
      if (this.#waiting.length > 0 && !this.#flushing) this.#startFlush();
    };
    this.#flushFiles(this.#files.filter((file) => file.isDirty), finish);
  }

  /** Oldest first; each file's entries and slots, then the checkpoint, then the header that says how far it goes. */
  #flushFiles(files: readonly IndexFile[], done: Done): void {
    const file = files[0];
    if (file === undefined) return done(null);
    const { endTimestamp, endPhysical } = file.header;
    const next = (error: PlatformError | null): void => {
      if (error !== null) return done(error);
      const isDone = file.isFull || file !== this.#files.at(-1);
      if (isDone && !file.isDirty) file.seal();
      this.#flushFiles(files.slice(1), done);
    };
    file.rewind();
    this.#writeSlices(file, (error) => {
      if (error !== null) return done(error);
      this.#sync(file, (error) => {
        if (error !== null) return done(error);
        (this.beforeHeader ?? unannounced)(endTimestamp, (error) => {
          if (error !== null) return done(error);
          try {
            file.writeEnd(endTimestamp, endPhysical);
            this.#flushedTimestamp = Math.max(this.#flushedTimestamp, endTimestamp);
          } catch (error) {
            return done(asPlatformError(error));
          }
          this.#sync(file, next);
        });
      });
    });
  }

  #writeSlices(file: IndexFile, done: Done): void {
    try {
      if (file.writeSome(PAGES_A_TURN)) return done(null);
    } catch (error) {
      return done(asPlatformError(error));
    }
    this.#platform.clock.setTimer(0, () => this.#writeSlices(file, done));
  }

  #sync(file: IndexFile, done: Done): void {
    file.sync((error) => {
      if (error !== null && !this.#failing) {
        this.#logger.error("index: a sync failed; what it was for is written again", { file: file.path });
      }
      this.#failing = error !== null;
      done(error);
    });
  }

  truncate(physicalOffset: number): void {
    this.#flushedTo = Math.min(this.#flushedTo, physicalOffset);
    this.#takenTo = Math.min(this.#takenTo, physicalOffset);
    for (let last = this.#files.at(-1); last !== undefined; last = this.#files.at(-1)) {
      // After a crash the header on disk may count more entries than the end that it names.
      if (!this.#crashed && last.header.count > 1 && last.header.endPhysical < physicalOffset) return;
      if (last.header.beginPhysical >= physicalOffset || last.header.count <= 1) {
        last.remove();
        this.#files.pop();
        continue;
      }
      last.cut(physicalOffset);
      this.#crashed = false;
      return;
    }
  }

  expire(minPhysicalOffset: number): void {
    while (this.#files.length > 1 && this.#files[0].header.endPhysical < minPhysicalOffset && !this.#files[0].isDirty) {
      try {
        this.#files[0].remove();
      } catch (error) {
        this.#logger.warn("index: can't remove an old file", { file: this.#files[0].path, error: String(error) });
      }
      this.#files.shift();
    }
  }

  close(done: Done): void {
    this.#closed = true;
    this.flush((error) => {
      this.#disk.pool.closeAll();
      done(error);
    });
  }

  abandon(): void {
    this.#closed = true;
    this.#disk.pool.closeAll();
  }
}
