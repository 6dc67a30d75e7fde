import type { Clock, Logger, Platform, PlatformError, Timer } from "@rmq/platform";
import { TIMER_TOPIC } from "@rmq/protocol";
import { type Store, TIMER_WHEEL_SLOTS, TimerCheck, TimerLog, type TimerProgress, TimerWheel } from "@rmq/store";
import type { Put } from "../delivery/put.ts";
import type { Rewriter } from "../delivery/rewriters.ts";
import type { TextFile } from "../durable_text.ts";
import type { TopicTable } from "../topics/topic_table.ts";
import { DueSlot } from "./due_slot.ts";
import { TimerDeliveries } from "./timer_deliveries.ts";
import { floorTo, TimerIntake } from "./timer_intake.ts";
import { TopicCounts } from "../topic_counts.ts";
import { TimerFlush } from "./timer_progress.ts";
import { recoverTimers } from "./timer_recovery.ts";
import { timerRewriter } from "./timer_rewriter.ts";

/** Longest sleep before the wall clock is looked at again: it may have been set. */
const LONGEST_SLEEP_MS = 5000;
/** What can't be read now is tried again after this long. */
const RETRY_MS = 1000;
/** At the end, deliveries under way get so long to become safe. */
const CLOSE_PATIENCE_MS = 1000;
/** How often it is looked whether files of the timer log can go. */
const EXPIRE_MS = 30_000;
/** Ticks of the wheel that the window leaves free (`TIMER_BLANK_SLOTS`). */
const BLANK_TICKS = 60;

/** What the timers read of the configuration; Apache's key names. */
export interface TimerSettings {
  readonly storePathRootDir: string;
  /** False: messages with a time are refused. */
  readonly timerWheelEnable: boolean;
  /** A tick, ms. */
  readonly timerPrecisionMs: number;
  /** The longest time away, s. */
  readonly timerMaxDelaySec: number;
  /** A message farther away is put back on its way, ticks. */
  readonly timerRollWindowSlot: number;
  /** Bytes of a file of the timer log. */
  readonly mappedFileSizeTimerLog: number;
  /** Progress to disk, ms. */
  readonly timerFlushIntervalMs: number;
}

/** What the timers are made of. */
export interface TimersOptions {
  readonly platform: Pick<Platform, "clock" | "files">;
  readonly logger: Logger;
  readonly settings: TimerSettings;
  readonly store: Pick<Store, "get" | "onEntry" | "entryAt" | "flush" | "visible" | "minOffset">;
  readonly topics: Pick<TopicTable, "get" | "find" | "whenDurable" | "onChange">;
  /** config/timermetrics */
  readonly metrics: TextFile;
}

/** Plain numbers about the timers; what runtime info shows of them. */
export interface TimerStats {
  /** How long ago the oldest message that waits was due, ms; 0: none is overdue. */
  readonly readBehindMs: number;
  /** Messages of the timer topic that have no place in the wheel yet. */
  readonly offsetBehind: number;
  /** Messages in the wheel. */
  readonly congestNum: number;
  /** Delivered since the start. */
  readonly delivered: number;
}

/**
 * Messages with a time of their own (storage §11, `TimerMessageStore`): on their way in they go to the timer topic; followed
 * from there into a wheel of ticks with a log of units; when their tick is over they are put where they were sent to. All of it
 * is kept in files that a Java broker goes on with, and so are its own.
 */
export class Timers {
  /** Sends messages with a time to the timer topic. */
  readonly rewriter: Rewriter;
  readonly metrics: TopicCounts;
  readonly check: TimerCheck;
  readonly #options: TimersOptions;
  readonly #clock: Clock;
  readonly #log: TimerLog;
  readonly #wheel: TimerWheel;
  #intake: TimerIntake | null = null;
  #deliveries: TimerDeliveries | null = null;
  #slot: DueSlot | null = null;
  #flush: TimerFlush | null = null;
  #ready = false;
  #closed = false;
  /** No slot before this tick holds anything. */
  #fromMs = 0;
  /** Tick that is being delivered, −1: none. */
  #readingMs = -1;
  #timer: Timer | null = null;
  #wakeMs = 0;
  #expiry: Timer | null = null;

  /** Finds the files. Throws StoreError for ones of another size, PlatformError. */
  constructor(options: TimersOptions) {
    const { platform, logger, settings, topics, metrics } = options;
    const { clock, files } = platform;
    const { storePathRootDir: root } = settings;
    this.#options = options;
    this.#clock = clock;
    this.rewriter = timerRewriter({ clock, topics, settings });
    this.metrics = new TopicCounts(clock, logger, metrics, "timingCount");
    topics.onChange((changed) => {
      for (const topic of changed) if (topic.deleted) this.metrics.remove(topic.name);
    });
    this.check = new TimerCheck(files, root);
    this.#log = new TimerLog(files, `${root}/timerlog`, settings.mappedFileSizeTimerLog);
    this.#wheel = new TimerWheel(files, root, settings.timerPrecisionMs);
    if (settings.timerWheelEnable) this.#log.load();
  }

  /** Begins to deliver through `put`, once the files are gone through. */
  start(put: Put): void {
    const { logger, settings, store, topics } = this.#options;
    const topic = topics.get(TIMER_TOPIC);
    if (!settings.timerWheelEnable || topic === null) return;
    const clock = this.#clock;
    const parts = {
      clock,
      closed: (): boolean => this.#closed,
      logger,
      store,
      log: this.#log,
      wheel: this.#wheel,
      check: this.check,
      metrics: this.metrics,
    };
    const precisionMs = settings.timerPrecisionMs;
    const intake = this.#intake = new TimerIntake({
      ...parts,
      queue: topic.queue(0),
      precisionMs,
      windowMs: windowTicks(settings.timerRollWindowSlot) * precisionMs,
      delivering: (slotMs) => slotMs === this.#readingMs,
      arrived: (slotMs) => this.#arrived(slotMs),
    });
    this.#deliveries = new TimerDeliveries({ ...parts, topics, put });
    this.#slot = new DueSlot(parts);
    store.onEntry(({ queue, message }) => {
      if (queue !== null && queue.topic === TIMER_TOPIC && queue.queueId === 0) intake.stored(message);
    });
    this.#recover({ ...parts, precisionMs });
    this.#expiry = clock.every(EXPIRE_MS, () => this.#expire());
  }

  /** Plain numbers. */
  stats(): TimerStats {
    const precisionMs = this.#options.settings.timerPrecisionMs;
    const overdue = this.#wheel.empty ? 0 : this.#clock.nowMs() - this.#fromMs - precisionMs;
    return {
      readBehindMs: Math.max(0, overdue),
      offsetBehind: this.#intake?.behind ?? 0,
      congestNum: this.#wheel.count,
      delivered: this.#deliveries?.delivered ?? 0,
    };
  }

  /** Delivers nothing more, lets what is under way become safe, and writes the progress. */
  close(done: () => void): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#expiry?.cancel();
    this.#intake?.close();
    this.#slot?.close();
    const end = (): void => {
      this.#log.close();
      this.#wheel.close();
      this.check.close();
      this.metrics.close(done);
    };
    const flush = (): void => this.#flush === null ? end() : this.#flush.close(end);
    if (this.#deliveries === null) flush();
    else this.#deliveries.close(CLOSE_PATIENCE_MS, flush);
  }

  #recover(files: Parameters<typeof recoverTimers>[0]): void {
    recoverTimers(files, (error, found) => {
      if (this.#closed) return;
      if (error !== null) return this.#notRecovered(files, error);
      this.#flush = new TimerFlush({
        ...files,
        store: this.#options.store,
        intervalMs: this.#options.settings.timerFlushIntervalMs,
        now: () => this.#progress(),
        partBegin: () => this.#deliveries?.reached ?? -1,
        flushed: () => this.#intake?.again(),
      }, found);
      this.#fromMs = found.readMs;
      this.#intake?.start(found.queueOffset, () => {
        this.#ready = true;
        this.#pump();
      });
    });
  }

  #notRecovered(files: Parameters<typeof recoverTimers>[0], error: PlatformError): void {
    this.#options.logger.error("the timers can't be read, trying again", { error: error.message });
    this.#wheel.close();
    this.#timer = this.#clock.setTimer(RETRY_MS, () => {
      this.#timer = null;
      this.#recover(files);
    });
  }

  #progress(): TimerProgress {
    this.metrics.save();
    const nowMs = floorTo(this.#clock.nowMs(), this.#options.settings.timerPrecisionMs);
    return {
      readMs: this.#wheel.empty ? nowMs : Math.min(this.#fromMs, nowMs),
      logPosition: this.#log.end,
      queueOffset: this.#intake?.next ?? 0,
    };
  }

  #arrived(slotMs: number): void {
    this.#flush?.wanted();
    if (this.#fromMs > slotMs) this.#fromMs = slotMs;
    if (this.#timer !== null && slotMs < this.#wakeMs) {
      this.#timer.cancel();
      this.#timer = null;
    }
    if (this.#timer === null) this.#pump();
  }

  /** Sees to it that what comes next will happen; may be called at any time. */
  #pump(): void {
    if (this.#closed || !this.#ready || this.#readingMs >= 0 || this.#timer !== null) return;
    let slotMs: number;
    try {
      slotMs = this.#wheel.next(this.#fromMs);
    } catch (error) {
      this.#options.logger.warn("the timer wheel can't be read", { error: String(error) });
      return this.#sleep(RETRY_MS, 0);
    }
    if (slotMs < 0) return;
    this.#fromMs = slotMs;
    const overMs = slotMs + this.#options.settings.timerPrecisionMs;
    const toWait = overMs - this.#clock.nowMs();
    // A slot that was added to in this turn gets what else comes in it.
    this.#sleep(Math.max(0, Math.min(toWait, LONGEST_SLEEP_MS)), slotMs);
  }

  #sleep(ms: number, slotMs: number): void {
    this.#wakeMs = slotMs;
    this.#timer = this.#clock.setTimer(ms, () => {
      this.#timer = null;
      const over = slotMs + this.#options.settings.timerPrecisionMs <= this.#clock.nowMs();
      if (over && !this.#closed && slotMs > 0) this.#deliver(slotMs);
      else this.#pump();
    });
  }

  #deliver(slotMs: number): void {
    const { logger } = this.#options;
    let last: number;
    try {
      last = this.#wheel.last(slotMs);
    } catch {
      return this.#sleep(RETRY_MS, slotMs);
    }
    if (last < 0) return this.#pump();
    this.#readingMs = slotMs;
    this.#slot?.read(last, (units, next) => {
      this.#flush?.wanted();
      this.#deliveries?.deliver(units, next);
    }, (error) => {
      this.#readingMs = -1;
      if (error !== null) {
        logger.warn("the timer log can't be read", { error: error.message });
        return this.#sleep(RETRY_MS, slotMs);
      }
      this.#delivered(slotMs);
    });
  }

  #delivered(slotMs: number): void {
    try {
      this.#wheel.clear(slotMs);
    } catch {
      // The page is in memory: it was read when the slot was.
    }
    this.#flush?.wanted();
    this.#intake?.again();
    this.#pump();
  }

  #expire(): void {
    try {
      this.#log.expire(this.#options.store.minOffset);
    } catch (error) {
      this.#options.logger.warn("old files of the timer log can't be removed", { error: String(error) });
    }
  }
}

/** The window as Apache takes it: at most half of the wheel less what is left free. */
function windowTicks(configured: number): number {
  const most = TIMER_WHEEL_SLOTS / 2 - BLANK_TICKS;
  return configured > most || configured < 2 ? most : configured;
}
