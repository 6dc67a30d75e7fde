import type { Clock, Files, Logger, PlatformError } from "@rmq/platform";
import type { FailedSync } from "./failed_sync.ts";
import type { Ladder } from "./ladder.ts";
import { asPlatformError } from "./platform_error.ts";
import type { Segment, Segments } from "./segments.ts";
import { writeFully } from "./small_file.ts";
import type { Tail } from "./tail.ts";
import type { Writability } from "./writability.ts";

const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 2000;
/** Chunks of the tail that one turn writes again. */
const CHUNKS_A_TURN = 4;

interface Waiter {
  target: number;
  readonly resolve: () => void;
  readonly reject: (error: PlatformError) => void;
}

/**
 * Makes the log durable: one fdatasync at a time, and while it runs the next group gathers. `durable` moves
 * contiguously: the old segment is synced before the new one, and a new segment's directory entry with it.
 */
export class GroupCommit {
  flushes = 0;
  failures = 0;
  totalUs = 0;
  longestUs = 0;
  #running = false;
  #stopped = false;
  #retryMs = FIRST_RETRY_MS;
  /** What was asked to become durable; beyond it nothing is synced of itself. */
  #goal = 0;
  #waiters: Waiter[] = [];

  constructor(
    private readonly clock: Clock,
    private readonly files: Files,
    private readonly segments: Segments,
    private readonly tail: Tail,
    private readonly ladder: Ladder,
    private readonly writability: Writability,
    private readonly failedSync: FailedSync,
    private readonly logger: Logger,
    /** Told after durable moved. */
    private readonly moved: () => void,
  ) {}

  /** Asks for all that is written: starts a sync, unless one is under way, which is then followed by the next. */
  request(): void {
    this.#goal = this.ladder.written;
    this.#goOn();
  }

  #goOn(): void {
    if (!this.#running && !this.#stopped && Math.min(this.#goal, this.ladder.written) > this.ladder.durable) {
      this.#next();
    }
  }

  /** Resolves when durable reached `target`; rejects when the sync that it waits for fails. */
  wait(target: number): Promise<void> {
    if (this.ladder.durable >= target) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiters.push({ target, resolve, reject });
      this.request();
    });
  }

  /** A batch was rolled back: nobody waits for what is gone. */
  rolledBack(): void {
    for (const waiter of this.#waiters) waiter.target = Math.min(waiter.target, this.ladder.written);
    this.#serve();
  }

  /** The store is closed: what failed is not tried again. */
  stop(): void {
    this.#stopped = true;
  }

  #next(): void {
    this.#running = true;
    const segment = this.segments.at(this.ladder.durable);
    if (segment === null) throw new Error(`no segment at ${this.ladder.durable} though it was written`);
    if (segment.entrySynced) this.#syncSegment(segment);
    else this.#syncEntries();
  }

  #syncEntries(): void {
    const created = this.segments.list.filter((segment) => !segment.entrySynced);
    this.files.syncDirectory(this.segments.directory, (error) => {
      if (error !== null) return this.#failed(error);
      for (const segment of created) segment.entrySynced = true;
      this.#next();
    });
  }

  #syncSegment(segment: Segment): void {
    const target = Math.min(this.ladder.written, segment.base + this.segments.segmentBytes);
    const started = this.clock.monotonicUs();
    let file;
    try {
      file = this.segments.open(segment);
    } catch (error) {
      return this.#failed(asPlatformError(error));
    }
    file.syncData((error) => {
      this.#count(this.clock.monotonicUs() - started);
      if (error !== null) return this.#failed(error);
      this.#synced(target);
    });
  }

  #count(elapsedUs: number): void {
    this.flushes++;
    this.totalUs += elapsedUs;
    this.longestUs = Math.max(this.longestUs, elapsedUs);
  }

  #synced(target: number): void {
    this.ladder.sync(target);
    this.#retryMs = FIRST_RETRY_MS;
    if (this.writability.has("flushFailed")) {
      this.writability.set("flushFailed", null);
      const left = this.failedSync.clear();
      if (left !== null) this.logger.warn("the note of a failed sync can't be removed", { error: left.message });
      this.logger.info("the commit log can be synced again", { durable: target });
    }
    // The disk works on the next group while this one is dispatched and answered.
    this.#running = false;
    this.#goOn();
    this.#serve();
    this.moved();
  }

  #serve(): void {
    if (this.#waiters.length === 0) return;
    const ready = this.#waiters.filter((waiter) => waiter.target <= this.ladder.durable);
    this.#waiters = this.#waiters.filter((waiter) => waiter.target > this.ladder.durable);
    for (const waiter of ready) waiter.resolve();
  }

  #failed(error: PlatformError): void {
    this.failures++;
    this.failedSync.note(this.ladder.durable);
    if (!this.writability.has("flushFailed")) {
      this.logger.error("the commit log could not be synced; writes are refused until it can", {
        error: error.message,
        durable: this.ladder.durable,
      });
    }
    this.writability.set("flushFailed", `the commit log could not be synced to disk: ${error.message}`);
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.reject(error);
    this.clock.setTimer(this.#retryMs, () => {
      if (!this.#stopped) this.#rewrite(this.ladder.durable);
    });
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
  }

  /** After a failed sync the kernel may have dropped the dirty pages and report success the next time: write all again. */
  #rewrite(from: number): void {
    const { written } = this.ladder;
    const first = this.tail.indexFrom(from);
    try {
      for (let i = first; i < this.tail.chunks.length; i++) {
        const chunk = this.tail.chunks[i];
        if (i === first + CHUNKS_A_TURN) {
          this.clock.setTimer(0, () => this.#stopped || this.#rewrite(chunk.base));
          return;
        }
        const start = Math.max(from, chunk.base);
        const end = Math.min(written, chunk.base + chunk.used);
        if (start < end) this.#rewriteAt(start, chunk.bytes.subarray(start - chunk.base, end - chunk.base));
      }
    } catch (error) {
      return this.#failed(asPlatformError(error));
    }
    this.#next();
  }

  #rewriteAt(offset: number, bytes: Uint8Array): void {
    const segment = this.segments.at(offset);
    if (segment === null) throw new Error(`no segment at ${offset} though it was written`);
    writeFully(this.segments.open(segment), bytes, offset - segment.base);
  }
}
