import type { Clock, Done, Files, Logger, PlatformError } from "@rmq/platform";
import { BlockCache } from "./block_cache.ts";
import { ConsumeQueue, type QueueDisk } from "./consume_queue.ts";
import { cutQueue, expireQueue, loadQueue, writeSome } from "./consume_queue_files.ts";
import type { DispatchEntry, Follower, FollowerRecovery } from "./dispatch.ts";
import { FilePool } from "./file_pool.ts";
import { asPlatformError } from "./platform_error.ts";
import { QueueFlush } from "./queue_flush.ts";
import { QueueMemory } from "./queue_memory.ts";
import { StoreError } from "./store.ts";
import { TopicNames } from "./topic_names.ts";

/** What the set of consume queues is told. */
export interface ConsumeQueuesOptions {
  /** `<root>/consumequeue`; the one who opens the store makes it such that it stays. */
  readonly directory: string;
  /** `mappedFileSizeConsumeQueue`, bytes. */
  readonly fileBytes: number;
  /** Bound of all that queues keep in memory, bytes; an eighth of it for blocks of old units. */
  readonly memoryBytes: number;
  /** Files kept open at most. */
  readonly openFiles: number;
}

/** A topic's queues; null for one that is on disk and was not used yet. */
interface TopicQueues {
  readonly topic: string;
  readonly topicBytes: Uint8Array;
  readonly queues: Map<number, ConsumeQueue | null>;
}

const OLD_UNITS_BLOCK_BYTES = 64 * 1024;
/** Longest stretch of listing, loading or expiring in one turn, microseconds. */
const SLICE_US = 2000;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * All consume queues, as a follower of the log (storage sheet §4; Apache: `ConsumeQueueStore`). Units are taken into
 * memory; `flush` writes and syncs them. At start only directories are listed: a queue's files are looked at when it is
 * first asked for. After an abnormal end the flush that comes first also looks at all others, for what lies in their
 * files beyond the point up to which they are known to be right.
 *
 * Recovery: `load`, then `truncate` at the log position from which entries will be taken again (not at the log's end:
 * beyond a crash only what is below that position is whole), then `take`.
 */
export class ConsumeQueues implements Follower {
  readonly name = "consumequeue";
  readonly #platform: { readonly clock: Clock; readonly files: Files };
  readonly #disk: QueueDisk;
  readonly #memory: QueueMemory;
  readonly #topics = new Map<string, TopicQueues>();
  readonly #names = new TopicNames<TopicQueues>();
  #flushedTo = 0;
  #takenTo = 0;
  /** Units that point here or beyond, in files that were not looked at yet, are left over from before the start. */
  #cut = Infinity;
  #clean = true;
  /** Queues that nobody has looked at since an abnormal end. */
  #unchecked: { topic: string; queueId: number }[] = [];
  #flushing = false;
  #waiting: Done[] = [];

  constructor(
    platform: { readonly clock: Clock; readonly files: Files },
    log: { readonly minOffset: number },
    options: ConsumeQueuesOptions,
    logger: Logger,
  ) {
    this.#platform = platform;
    const cacheBytes = Math.floor(options.memoryBytes / 8);
    this.#memory = new QueueMemory(options.memoryBytes - cacheBytes);
    this.#disk = {
      files: platform.files,
      pool: new FilePool(platform.files, options.openFiles),
      cache: new BlockCache(cacheBytes, OLD_UNITS_BLOCK_BYTES),
      memory: this.#memory,
      logger,
      directory: options.directory,
      fileBytes: options.fileBytes,
      log,
      unsynced: { files: new Set(), directories: new Set() },
      dirty: [],
    };
  }

  get flushedTo(): number {
    return this.#flushedTo;
  }

  /** Bytes of units in memory. */
  get memoryBytes(): number {
    return this.#memory.bytes + this.#disk.cache.bytes;
  }

  /** Queues with units that are not on disk. */
  get dirtyQueues(): number {
    return this.#disk.dirty.length;
  }

  /** The queue; new in memory when there is none. Throws PlatformError when its files can't be read. */
  queue(topic: string, queueId: number): ConsumeQueue {
    const entry = this.#topics.get(topic) ?? this.#addTopic(topic);
    return entry.queues.get(queueId) ?? this.#open(topic, entry, queueId);
  }

  /** The same by the bytes of the topic's name. */
  find(bytes: Uint8Array, start: number, end: number, queueId: number): ConsumeQueue {
    const entry = this.#names.find(bytes, start, end);
    if (entry === null) return this.queue(decoder.decode(bytes.subarray(start, end)), queueId);
    return entry.queues.get(queueId) ?? this.#open(entry.topic, entry, queueId);
  }

  #addTopic(topic: string): TopicQueues {
    const entry = { topic, topicBytes: encoder.encode(topic), queues: new Map() };
    this.#topics.set(topic, entry);
    this.#names.add(entry);
    return entry;
  }

  /** The queue, or null when nothing was ever stored in it. */
  existing(topic: string, queueId: number): ConsumeQueue | null {
    const entry = this.#topics.get(topic);
    const known = entry?.queues.get(queueId);
    if (entry === undefined || known === undefined) return null;
    const queue = known ?? this.#open(topic, entry, queueId);
    return queue.stored ? queue : null;
  }

  #open(topic: string, entry: TopicQueues, queueId: number): ConsumeQueue {
    const queue = new ConsumeQueue(this.#disk, topic, entry.topicBytes, queueId);
    if (entry.queues.get(queueId) === null) loadQueue(queue, this.#cut, this.#clean);
    entry.queues.set(queueId, queue);
    return queue;
  }

  /** Topics that have queues with anything in them. */
  topics(): string[] {
    const names: string[] = [];
    for (const [topic, entry] of this.#topics) {
      for (const queue of entry.queues.values()) {
        if (queue !== null && !queue.stored) continue;
        names.push(topic);
        break;
      }
    }
    return names;
  }

  /** Queues of a topic that have anything in them, ascending. */
  queueIds(topic: string): number[] {
    const ids: number[] = [];
    for (const [queueId, queue] of this.#topics.get(topic)?.queues ?? []) {
      if (queue === null || queue.stored) ids.push(queueId);
    }
    return ids.sort((a, b) => a - b);
  }

  take(entry: DispatchEntry): void {
    const message = entry.message;
    const end = message.physicalOffset + message.size;
    if (end > this.#takenTo) this.#takenTo = end;
    // An inner batch belongs in a queue of another layout (storage §4.2).
    if (entry.queue === null || entry.batchCount !== 1) return;
    const queue = entry.queue as ConsumeQueue;
    queue.append(message.queueOffset, message.physicalOffset, message.size, entry.tagsHigh, entry.tagsLow);
    this.#memory.shrink(queue, this.#spill);
  }

  /** Writes a queue's units without a sync, to make room; the next flush syncs the files. */
  readonly #spill = (queue: ConsumeQueue): void => {
    try {
      for (let path = writeSome(queue); path !== null; path = writeSome(queue)) this.#disk.unsynced.files.add(path);
    } catch (error) {
      // They stay in memory; the flush meets the same error and reports it.
      this.#disk.logger.warn("consume queue: units can't be written", { queue: queue.directory, error: String(error) });
    }
  };

  flush(done: Done): void {
    this.#waiting.push(done);
    if (!this.#flushing) this.#startFlush();
  }

  #startFlush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#flushing = true;
    const finish = (error: PlatformError | null, mark: number): void => {
      this.#flushing = false;
      if (error === null && mark > this.#flushedTo) this.#flushedTo = mark;
      for (const done of waiting) done(error);
      if (this.#waiting.length > 0 && !this.#flushing) this.#startFlush();
    };
    this.#checkRest((error) => {
      if (error !== null) return finish(error, 0);
      const mark = this.#takenTo;
      const queues = this.#disk.dirty;
      this.#disk.dirty = [];
      new QueueFlush(this.#platform, this.#disk.pool, queues, this.#disk.unsynced, (error) => finish(error, mark))
        .run();
    });
  }

  /** Looks at the queues that nobody asked for since an abnormal end, so that what they hold too much is cut. */
  #checkRest(done: Done): void {
    const end = this.#platform.clock.monotonicUs() + SLICE_US;
    try {
      for (let next = this.#unchecked.pop(); next !== undefined; next = this.#unchecked.pop()) {
        const entry = this.#topics.get(next.topic);
        if (entry?.queues.get(next.queueId) === null) this.#open(next.topic, entry, next.queueId);
        if (this.#platform.clock.monotonicUs() > end) {
          this.#platform.clock.setTimer(0, () => this.#checkRest(done));
          return;
        }
      }
    } catch (error) {
      return done(asPlatformError(error));
    }
    done(null);
  }

  /** Lists the queues that are on disk, without opening any. Rejects with StoreError when they have another file size. */
  async load(recovery: FollowerRecovery): Promise<void> {
    this.#clean = !recovery.abnormal;
    this.#flushedTo = this.#takenTo = Math.max(0, recovery.flushedTo);
    const files = this.#platform.files;
    let end = this.#platform.clock.monotonicUs() + SLICE_US;
    for (const topic of files.list(this.#disk.directory)) {
      const queueIds: number[] = [];
      for (const name of files.list(`${this.#disk.directory}/${topic}`)) {
        const queueId = Number(name);
        if (!/^[0-9]{1,10}$/.test(name) || queueId > 0x7fffffff) continue;
        queueIds.push(queueId);
        if (recovery.abnormal) this.#unchecked.push({ topic, queueId });
      }
      if (queueIds.length > 0) {
        const entry = this.#addTopic(topic);
        for (const queueId of queueIds) entry.queues.set(queueId, null);
      }
      if (this.#platform.clock.monotonicUs() < end) continue;
      await this.#turn();
      end = this.#platform.clock.monotonicUs() + SLICE_US;
    }
    this.#checkFileBytes();
  }

  /**
   * Looks at one file: files of another size than the configured one must not be written to. After a crash a file may
   * be shorter than it was made; then another one has to tell.
   */
  #checkFileBytes(): void {
    for (const [topic, entry] of this.#topics) {
      for (const queueId of entry.queues.keys()) {
        const directory = `${this.#disk.directory}/${topic}/${queueId}`;
        const name = this.#platform.files.list(directory)[0];
        if (name === undefined) continue;
        const bytes = this.#platform.files.stat(`${directory}/${name}`)?.size ?? 0;
        if (bytes === this.#disk.fileBytes || bytes === 0) return;
        if (!this.#clean && bytes < this.#disk.fileBytes) continue;
        throw new StoreError(
          "CORRUPT",
          `${directory}/${name} has ${bytes} bytes: set mappedFileSizeConsumeQueue to what it was (now ${this.#disk.fileBytes})`,
        );
      }
    }
  }

  truncate(physicalOffset: number): void {
    if (physicalOffset === 0) this.#removeAll();
    this.#cut = Math.min(this.#cut, physicalOffset);
    this.#flushedTo = Math.min(this.#flushedTo, physicalOffset);
    this.#takenTo = Math.min(this.#takenTo, physicalOffset);
    for (const entry of this.#topics.values()) {
      for (const queue of entry.queues.values()) {
        if (queue !== null && queue.maxPhysical > physicalOffset) cutQueue(queue, physicalOffset, this.#clean);
      }
    }
  }

  /** Nothing is left of the log: what is on disk of queues must not be found by anybody. */
  #removeAll(): void {
    for (const [topic, entry] of this.#topics) {
      for (const queue of entry.queues.values()) queue?.reset();
      for (const [queueId, queue] of entry.queues) {
        if (queue === null) entry.queues.delete(queueId);
      }
      this.#removeFiles(`${this.#disk.directory}/${topic}`, entry);
    }
    this.#unchecked = [];
  }

  expire(minPhysicalOffset: number): void {
    const rest = [...this.#topics.keys()];
    const run = (): void => {
      const end = this.#platform.clock.monotonicUs() + SLICE_US;
      for (let topic = rest.pop(); topic !== undefined; topic = rest.pop()) {
        const entry = this.#topics.get(topic);
        if (entry !== undefined) this.#expireTopic(topic, entry, minPhysicalOffset);
        if (this.#platform.clock.monotonicUs() > end) {
          this.#platform.clock.setTimer(0, run);
          return;
        }
      }
    };
    run();
  }

  #expireTopic(topic: string, entry: TopicQueues, minPhysicalOffset: number): void {
    for (const [queueId, known] of entry.queues) {
      try {
        // Not used since the start: worth a look only when it has files to spare.
        if (known === null && this.#platform.files.list(`${this.#disk.directory}/${topic}/${queueId}`).length < 2) {
          continue;
        }
        expireQueue(known ?? this.#open(topic, entry, queueId), minPhysicalOffset);
      } catch (error) {
        this.#disk.logger.warn("consume queue: can't drop old files", { topic, queueId, error: String(error) });
      }
    }
  }

  /** Removes a topic's queues from memory and disk; `done` when that is durable. */
  deleteTopic(topic: string, done: Done): void {
    const entry = this.#topics.get(topic);
    if (entry === undefined) return done(null);
    this.#topics.delete(topic);
    this.#names.remove(entry);
    const directory = `${this.#disk.directory}/${topic}`;
    for (const queue of entry.queues.values()) {
      if (queue === null) continue;
      queue.deleted = true;
      queue.reset();
    }
    try {
      this.#removeFiles(directory, entry);
    } catch (error) {
      return done(asPlatformError(error));
    }
    if (this.#platform.files.stat(this.#disk.directory) === null) return done(null);
    this.#platform.files.syncDirectory(this.#disk.directory, done);
  }

  #removeFiles(directory: string, entry: TopicQueues): void {
    this.#disk.pool.closeBelow(directory);
    for (const queueId of entry.queues.keys()) {
      for (const name of this.#platform.files.list(`${directory}/${queueId}`)) {
        this.#disk.cache.invalidate({ path: `${directory}/${queueId}/${name}` });
      }
    }
    this.#platform.files.removeTree(directory);
  }

  close(done: Done): void {
    this.flush((error) => {
      this.#disk.pool.closeAll();
      done(error);
    });
  }

  abandon(): void {
    this.#disk.pool.closeAll();
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => this.#platform.clock.setTimer(0, resolve));
  }
}
