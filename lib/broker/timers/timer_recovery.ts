import type { Clock, Logger, PlatformError } from "@rmq/platform";
import { StoredMessage } from "@rmq/protocol";
import {
  type Store,
  TIMER_WHEEL_SLOTS,
  type TimerCheck,
  type TimerLog,
  type TimerProgress,
  type TimerUnit,
  type TimerWheel,
} from "@rmq/store";
import { floorTo } from "./timer_intake.ts";

/** Ticks that Apache leaves free when it does not know how far a wheel was read (`TIMER_BLANK_SLOTS`). */
const BLANK_TICKS = 60;

/** The files of the timers, and what they are held against. */
export interface TimerFiles {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: Pick<Store, "visible" | "entryAt">;
  readonly log: TimerLog;
  readonly wheel: TimerWheel;
  readonly check: TimerCheck;
  readonly precisionMs: number;
  /** Nothing is to be touched any more. */
  readonly closed: () => boolean;
}

/**
 * Brings wheel and log together after whatever end (Apache: `TimerMessageStore.recover`): the wheel on disk holds the units
 * before the checkpoint's position, the log says what came after it. `done` gets where to go on: from which tick to read,
 * and the first message of the timer topic that has no unit.
 */
export function recoverTimers(
  files: TimerFiles,
  done: (error: PlatformError | null, found: TimerProgress) => void,
): void {
  new Recovery(files, done).run();
}

class Recovery {
  readonly #files: TimerFiles;
  readonly #done: (error: PlatformError | null, found: TimerProgress) => void;
  readonly #message = new StoredMessage();
  #found: TimerProgress = { readMs: 0, logPosition: 0, queueOffset: 0 };
  #last: { physicalOffset: number; size: number } | null = null;
  #problem: PlatformError | null = null;

  constructor(files: TimerFiles, done: (error: PlatformError | null, found: TimerProgress) => void) {
    this.#files = files;
    this.#done = done;
  }

  run(): void {
    const { clock, log, wheel, check, precisionMs } = this.#files;
    const nowMs = floorTo(clock.nowMs(), precisionMs);
    const stands = check.load();
    const half = TIMER_WHEEL_SLOTS / 2;
    this.#found = stands !== null && stands.readMs > 0 ? stands : {
      readMs: nowMs - (half - BLANK_TICKS) * precisionMs,
      logPosition: log.start,
      queueOffset: stands?.queueOffset ?? 0,
    };
    const known = wheel.open();
    if (!known) return this.#rebuild();
    wheel.scan(this.#found.readMs, (error, highest) => {
      if (this.#files.closed()) return;
      if (error !== null) return this.#fail(error);
      this.#followLog(Math.max(this.#found.logPosition, log.start), (end) => {
        // The log lost what the wheel knows of: only a power cut under a broker that syncs them the other way round.
        if (highest >= end) return this.#rebuild();
        this.#cut(end);
      });
    });
  }

  /** Makes the wheel anew from the whole log. The checkpoint is told first that the wheel on disk holds nothing. */
  #rebuild(): void {
    const { clock, log, wheel, check } = this.#files;
    const begin = (error: PlatformError | null): void => {
      if (this.#files.closed()) return;
      if (error !== null) return this.#fail(error);
      try {
        wheel.reset();
      } catch (problem) {
        return this.#fail(problem as PlatformError);
      }
      this.#followLog(log.start, (end) => this.#cut(end));
    };
    if (this.#found.logPosition <= log.start) return begin(null);
    this.#found = { ...this.#found, logPosition: log.start };
    check.save(this.#found, clock.nowMs(), begin);
  }

  /** Gives the slots what the log has from `from` on; `next` gets the end of the log. */
  #followLog(from: number, next: (end: number) => void): void {
    const { log, wheel, store } = this.#files;
    const { readMs } = this.#found;
    const visit = (unit: TimerUnit, position: number): boolean => {
      const { physicalOffset, size, slotMs } = unit;
      // A unit about a message that the commit log lost, and all behind it, were never acted on.
      if (physicalOffset < 0 || size <= 0 || physicalOffset + size > store.visible) return false;
      if (this.#files.closed()) return false;
      try {
        if (slotMs >= readMs && !wheel.taken(slotMs) && wheel.last(slotMs) < position) {
          wheel.put(slotMs, position, (unit.magic & 4) === 0 ? 1 : -1);
        }
      } catch (error) {
        this.#problem = error as PlatformError;
        return false;
      }
      this.#last = { physicalOffset, size };
      return true;
    };
    log.scan(from, visit, (error, end) => {
      if (this.#files.closed()) return;
      const problem = error ?? this.#problem;
      if (problem !== null) return this.#fail(problem);
      next(end);
    });
  }

  #cut(end: number): void {
    const { log } = this.#files;
    try {
      log.cut(end);
    } catch (error) {
      return this.#fail(error as PlatformError);
    }
    if (this.#last !== null) return this.#queueOffset(end, this.#last);
    const before = log.before(end);
    if (before < 0) return this.#finish(end, 0);
    log.scan(before, (unit) => {
      this.#last = { physicalOffset: unit.physicalOffset, size: unit.size };
      return false;
    }, () => this.#queueOffset(end, this.#last));
  }

  /** The message of the last unit is the last one that was taken. */
  #queueOffset(end: number, last: { physicalOffset: number; size: number } | null): void {
    if (last === null) return this.#finish(end, 0);
    this.#files.store.entryAt(last.physicalOffset, last.size, (bytes, start, stop) => {
      const there = bytes !== null && this.#message.parse(bytes, start, stop, false) > 0;
      this.#finish(end, there ? this.#message.queueOffset + 1 : 0);
    });
  }

  #finish(logPosition: number, queueOffset: number): void {
    const { readMs } = this.#found;
    this.#done(null, { readMs, logPosition, queueOffset: Math.max(queueOffset, this.#found.queueOffset) });
  }

  #fail(error: PlatformError): void {
    this.#done(error, this.#found);
  }
}
