import type { Clock, Timer } from "@rmq/platform";
import { StoredMessage } from "@rmq/protocol";
import { AppendStatus, type GetResult, type QueueState, type Store } from "@rmq/store";

/** Longest sleep before the wall clock is looked at again: it may have been set. */
const LONGEST_SLEEP_MS = 5000;
/** How long after a failed delivery it is tried again: the store is busy, or refuses. */
const RETRY_BUSY_MS = 100;
const RETRY_REFUSED_MS = 1000;
/** Deliveries under way at once. */
const MAX_IN_FLIGHT = 1024;
/** Messages of one read, the loop turns between reads. */
const READ_COUNT = 32;
const READ_BYTES = 262_144;

/** Puts one due message back; `done` is called once with an AppendStatus, 0 when it is safe. The view is valid during the call. */
export type Deliver = (message: StoredMessage, done: (status: number) => void) => void;

/** What a level needs of its surroundings. */
export interface DelayLevelOptions {
  readonly clock: Clock;
  readonly store: Pick<Store, "get">;
  readonly delayMs: number;
  readonly queue: QueueState;
  readonly deliver: Deliver;
  /** Called when the progress moved. */
  readonly moved: () => void;
}

interface InFlight {
  readonly queueOffset: number;
  done: boolean;
}

/**
 * One delay level: delivers its queue in order, each message when it is due. Between two due times it sleeps, and an
 * empty level does nothing until a message is stored in it.
 */
export class DelayLevel {
  readonly #options: DelayLevelOptions;
  readonly #message = new StoredMessage();
  /** Progress: everything below was put back and is safe. */
  #delivered: number;
  /** Next queue offset to read, and when it is due (wall clock); −1: not known. */
  #next: number;
  #dueMs = -1;
  /** Deliveries under way, oldest first. */
  readonly #inFlight: InFlight[] = [];
  /** Lowest queue offset whose delivery failed, −1: none. Read again from there once all others are through. */
  #failedAt = -1;
  #retryMs = 0;
  #reading = false;
  #timer: Timer | null = null;
  #closed = false;
  #drained: (() => void) | null = null;

  constructor(options: DelayLevelOptions, progress: number) {
    this.#options = options;
    const { min, max } = options.queue;
    this.#delivered = this.#next = Math.min(Math.max(progress, min), max);
  }

  /** Queue offset up to which everything was delivered. */
  get progress(): number {
    return this.#delivered;
  }

  /** Looks what is due. */
  start(): void {
    this.#pump();
  }

  /** The message at `queueOffset`, due at `dueMs`, became visible. */
  stored(queueOffset: number, dueMs: number): void {
    if (queueOffset === this.#next && !this.#reading) this.#dueMs = dueMs;
    this.#pump();
  }

  /** Delivers nothing more; `done` when what is under way is safe, or after `patienceMs`. */
  close(patienceMs: number, done: () => void): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#inFlight.length === 0) return done();
    const patience = this.#options.clock.setTimer(patienceMs, () => {
      this.#drained = null;
      done();
    });
    this.#drained = () => {
      patience.cancel();
      done();
    };
  }

  /** Sees to it that what comes next will happen; may be called at any time. */
  #pump(leastMs = 0): void {
    if (this.#closed || this.#reading || this.#timer !== null) return;
    if (this.#failedAt >= 0) {
      if (this.#inFlight.length > 0) return;
      this.#next = this.#failedAt;
      this.#failedAt = -1;
      this.#dueMs = -1;
      return this.#sleep(this.#retryMs);
    }
    if (this.#next >= this.#options.queue.max || this.#inFlight.length >= MAX_IN_FLIGHT) return;
    const toWait = this.#due() ? 0 : this.#dueMs - this.#options.clock.nowMs();
    this.#sleep(Math.max(leastMs, Math.min(toWait, LONGEST_SLEEP_MS)));
  }

  #sleep(ms: number): void {
    this.#timer = this.#options.clock.setTimer(ms, () => {
      this.#timer = null;
      if (this.#due()) this.#read();
      else this.#pump();
    });
  }

  /** Later than the level's delay from now can only be a clock that was set back: such a message is due at once. */
  #due(dueMs: number = this.#dueMs, nowMs: number = this.#options.clock.nowMs()): boolean {
    return dueMs <= nowMs || dueMs > nowMs + this.#options.delayMs;
  }

  #read(): void {
    const { queue, store, clock } = this.#options;
    this.#next = Math.max(this.#next, queue.min);
    const from = this.#next;
    const nowMs = clock.nowMs();
    let blockedUntil = -1;
    // The queue's tags code is the due time, so the filter sees it before the log is touched.
    const tags = (high: number, low: number) => {
      if (blockedUntil >= 0) return false;
      const dueMs = high * 0x1_0000_0000 + (low >>> 0);
      if (this.#due(dueMs, nowMs)) return true;
      blockedUntil = dueMs;
      return false;
    };
    this.#reading = true;
    store.get({ queue, offset: from, maxCount: READ_COUNT, maxBytes: READ_BYTES, tags, matches: null }, (result) => {
      if (!this.#closed) this.#take(result, blockedUntil);
      this.#reading = false;
      this.#settle();
      // A read that brings nothing on is a disk that can't be read now.
      this.#pump(this.#next > from || blockedUntil >= 0 ? 0 : RETRY_REFUSED_MS);
    });
  }

  #take(result: GetResult, blockedUntil: number): void {
    for (let i = 0; i < result.pieces; i++) {
      for (let at = result.starts[i]; at < result.ends[i];) {
        const size = this.#message.parse(result.buffers[i], at, result.ends[i], false);
        if (size <= 0) break;
        this.#deliver(this.#message.queueOffset);
        if (this.#failedAt >= 0) return;
        at += size;
      }
    }
    this.#dueMs = blockedUntil;
    // What lies between the last message and where the read ended is gone from the log.
    if (blockedUntil < 0) this.#next = Math.max(this.#next, result.nextBeginOffset);
  }

  #deliver(queueOffset: number): void {
    const one: InFlight = { queueOffset, done: false };
    this.#inFlight.push(one);
    this.#next = queueOffset + 1;
    this.#options.deliver(this.#message, (status) => {
      one.done = true;
      if (status !== AppendStatus.OK) this.#fail(queueOffset, status);
      if (this.#reading) return;
      this.#settle();
      if (this.#inFlight.length <= MAX_IN_FLIGHT / 2) this.#pump();
    });
  }

  #fail(queueOffset: number, status: number): void {
    if (this.#failedAt < 0 || queueOffset < this.#failedAt) this.#failedAt = queueOffset;
    this.#retryMs = status === AppendStatus.BUSY ? RETRY_BUSY_MS : RETRY_REFUSED_MS;
  }

  /** Takes note of deliveries that are through. */
  #settle(): void {
    let through = 0;
    while (through < this.#inFlight.length && this.#inFlight[through].done) through++;
    this.#inFlight.splice(0, through);
    const reached = this.#inFlight.length > 0 ? this.#inFlight[0].queueOffset : this.#next;
    const progress = this.#failedAt < 0 ? reached : Math.min(reached, this.#failedAt);
    if (progress > this.#delivered) {
      this.#delivered = progress;
      this.#options.moved();
    }
    if (this.#inFlight.length > 0 || this.#drained === null) return;
    this.#drained();
    this.#drained = null;
  }
}
