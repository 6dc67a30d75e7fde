import type { Clock, Logger, Timer } from "@rmq/platform";
import { javaHash, KnownProperty, Properties, StoredMessage } from "@rmq/protocol";
import {
  type GetResult,
  newTimerUnit,
  type QueueState,
  type Store,
  type TimerLog,
  TimerMagic,
  type TimerWheel,
} from "@rmq/store";
import type { TopicCounts } from "../topic_counts.ts";

/** Messages of one read, and how many of them in one turn. */
const READ_COUNT = 32;
const READ_BYTES = 262_144;
/** A turn that goes through what lies in the queue takes so long at most. */
const SLICE_US = 2000;
/** So many bytes of the timer log may wait in memory for the disk; beyond it the queue is where messages wait. */
const UNWRITTEN_BYTES = 16 * 1024 * 1024;
/** Why nothing can be taken may be over after this long. */
const RETRY_MS = 1000;

/** What the intake works on. */
export interface TimerIntakeOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: Pick<Store, "get">;
  readonly log: TimerLog;
  readonly wheel: TimerWheel;
  readonly metrics: TopicCounts;
  /** Queue 0 of the timer topic. */
  readonly queue: QueueState;
  /** A tick, ms. */
  readonly precisionMs: number;
  /** A message farther away than this is put back into the timer topic on its way, ms. */
  readonly windowMs: number;
  /** Whether this tick is being delivered: nothing can be added to its slot now. */
  readonly delivering: (slotMs: number) => boolean;
  /** A slot got a message. */
  readonly arrived: (slotMs: number) => void;
}

/**
 * Follows the timer topic: each message of its queue gets a unit in the timer log and its place in the wheel (Apache:
 * `TimerMessageStore.enqueue`, `doEnqueue`). What becomes visible is taken at once, without reading it again; what can't be
 * taken waits in the queue.
 */
export class TimerIntake {
  readonly #options: TimerIntakeOptions;
  readonly #message = new StoredMessage();
  readonly #properties = new Properties();
  readonly #unit = newTimerUnit();
  /** Next queue offset to take. */
  #next = 0;
  #started = false;
  #reading = false;
  #closed = false;
  #timer: Timer | null = null;
  #caughtUp: (() => void) | null = null;
  #catchUpTo = 0;
  #complained = false;

  constructor(options: TimerIntakeOptions) {
    this.#options = options;
  }

  /** Everything in the queue before it has its unit. */
  get next(): number {
    return this.#next;
  }

  /** Messages that wait in the queue. */
  get behind(): number {
    return Math.max(0, this.#options.queue.max - this.#next);
  }

  /**
   * Begins at this queue offset. `caughtUp` is called once, when all that is in the queue now is taken, or can't be before
   * something is delivered: marks among it may take back what is due already.
   */
  start(next: number, caughtUp: () => void): void {
    const { min, max } = this.#options.queue;
    this.#next = Math.min(Math.max(next, min), max);
    this.#started = true;
    this.#caughtUp = caughtUp;
    this.#catchUpTo = max;
    this.#look(false);
    this.pump();
  }

  #look(stuck: boolean): void {
    if (this.#caughtUp === null || this.#next < this.#catchUpTo && !stuck) return;
    const caughtUp = this.#caughtUp;
    this.#caughtUp = null;
    caughtUp();
  }

  /** This message of the queue became visible. */
  stored(message: StoredMessage): void {
    if (!this.#started || this.#closed) return;
    if (message.queueOffset === this.#next && !this.#reading && this.#timer === null && this.#take(message)) return;
    this.pump();
  }

  /** What could not be taken may be by now: a slot is delivered, or the log is on disk. */
  again(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.pump();
  }

  /** Looks whether something waits that can be taken by now. */
  pump(): void {
    if (!this.#started || this.#closed || this.#reading || this.#timer !== null || this.behind === 0) return;
    this.#wait(0);
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #wait(ms: number): void {
    this.#timer = this.#options.clock.setTimer(ms, () => {
      this.#timer = null;
      this.#read(this.#options.clock.monotonicUs() + SLICE_US);
    });
  }

  #read(untilUs: number): void {
    const { queue, store, clock } = this.#options;
    if (this.#closed || this.behind === 0) return;
    this.#reading = true;
    this.#next = Math.max(this.#next, queue.min);
    const offset = this.#next;
    store.get({ queue, offset, maxCount: READ_COUNT, maxBytes: READ_BYTES, tags: null, matches: null }, (result) => {
      this.#reading = false;
      if (this.#closed) return;
      const all = this.#takeAll(result);
      // What lies between the last message and where the read ended is gone from the log.
      if (all) this.#next = Math.max(this.#next, result.nextBeginOffset);
      this.#look(!all);
      if (this.behind === 0) return;
      // A read that brings nothing on is a disk that can't be read now, or a slot that can't be added to.
      if (this.#next === offset) this.#wait(RETRY_MS);
      else if (all && clock.monotonicUs() < untilUs) this.#read(untilUs);
      else this.#wait(all ? 0 : RETRY_MS);
    });
  }

  #takeAll(result: GetResult): boolean {
    for (let i = 0; i < result.pieces; i++) {
      for (let at = result.starts[i]; at < result.ends[i];) {
        const size = this.#message.parse(result.buffers[i], at, result.ends[i], false);
        if (size <= 0) return true;
        if (!this.#take(this.#message)) return false;
        at += size;
      }
    }
    return true;
  }

  /** False: it can't be taken now. */
  #take(message: StoredMessage): boolean {
    const { log, logger } = this.#options;
    if (log.unwritten > UNWRITTEN_BYTES) return false;
    const properties = this.#properties;
    properties.readText(message.bytes, message.propertiesStart, message.propertiesEnd);
    const text = properties.text(KnownProperty.TIMER_OUT_MS) ?? "";
    if (!/^\d{1,15}$/.test(text)) {
      if (!this.#complained) {
        const first = { queueOffset: message.queueOffset };
        logger.error("messages of the timer topic do not say when they are due and are left there", first);
      }
      this.#complained = true;
      this.#next = message.queueOffset + 1;
      return true;
    }
    try {
      if (!this.#enqueue(message, Number(text))) return false;
    } catch (error) {
      logger.warn("the timer wheel can't be read", { error: String(error) });
      return false;
    }
    this.#next = message.queueOffset + 1;
    return true;
  }

  /** Gives the message its unit; false: its slot can't be added to now. Throws PlatformError. */
  #enqueue(message: StoredMessage, outMs: number): boolean {
    const { clock, log, wheel, metrics, precisionMs, windowMs, delivering, arrived } = this.#options;
    const unit = this.#unit;
    const properties = this.#properties;
    const writtenMs = floorTo(clock.nowMs(), precisionMs);
    const deletes = properties.has(KnownProperty.TIMER_DEL_UNIQKEY);
    const away = outMs - writtenMs;
    unit.magic = TimerMagic.DEFAULT | (away >= windowMs ? TimerMagic.ROLL : 0) | (deletes ? TimerMagic.DELETE : 0);
    unit.slotMs = away >= windowMs ? writtenMs + this.#stage(away) : floorTo(outMs, precisionMs);
    if (delivering(unit.slotMs) || wheel.taken(unit.slotMs)) return false;
    unit.writtenMs = writtenMs;
    unit.previous = wheel.last(unit.slotMs);
    unit.physicalOffset = message.physicalOffset;
    unit.size = message.size;
    const topic = properties.text(KnownProperty.REAL_TOPIC);
    unit.topicHash = topic === null ? 0 : javaHash(topic);
    wheel.put(unit.slotMs, log.append(unit), deletes ? -1 : 1);
    if (topic !== null) metrics.add(topic, deletes ? -1 : 1);
    arrived(unit.slotMs);
    return true;
  }

  /** How far the next stage of a message lies that is beyond the window: half of it when the rest would be a short one. */
  #stage(away: number): number {
    const { windowMs, precisionMs } = this.#options;
    const rest = away - windowMs;
    return rest < floorTo(windowMs / 3, precisionMs) ? floorTo(windowMs / 2, precisionMs) : windowMs;
  }
}

/** The largest multiple of `step` that is not above `value`. */
export function floorTo(value: number, step: number): number {
  return Math.floor(value / step) * step;
}
