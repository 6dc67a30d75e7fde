import { type Clock, type Done, type Logger, PlatformError, type Timer } from "@rmq/platform";
import type { Store, TimerCheck, TimerLog, TimerProgress, TimerWheel } from "@rmq/store";

/** What the progress is kept of. */
export interface TimerProgressOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: Pick<Store, "flush">;
  readonly log: TimerLog;
  readonly wheel: TimerWheel;
  readonly check: TimerCheck;
  /** `timerFlushIntervalMs`. */
  readonly intervalMs: number;
  /** How far everything is at this moment. */
  readonly now: () => TimerProgress;
  /** Position of the unit where the undelivered part of the slot begins that is being delivered; −1: nothing to note. */
  readonly partBegin: () => number;
  /** A write is through. */
  readonly flushed: () => void;
}

/**
 * Brings log, wheel and checkpoint to disk, in this order, a while after something changed: the checkpoint never claims what
 * the other two don't hold, nor a delivery that is not on disk.
 */
export class TimerFlush {
  readonly #options: TimerProgressOptions;
  #saved: TimerProgress;
  #timer: Timer | null = null;
  #running = false;
  #failed = false;
  #again = false;
  #closing: (() => void) | null = null;

  constructor(options: TimerProgressOptions, saved: TimerProgress) {
    this.#options = options;
    this.#saved = saved;
  }

  /** Something changed. */
  wanted(): void {
    if (this.#timer !== null || this.#running || this.#closing !== null) return;
    this.#timer = this.#options.clock.setTimer(this.#options.intervalMs, () => {
      this.#timer = null;
      this.#start();
    });
  }

  /** Writes what is still to be written, then calls `done`; a failure is not repeated. */
  close(done: () => void): void {
    this.#closing = done;
    this.#timer?.cancel();
    this.#timer = null;
    // What is under way was begun with an older state.
    if (this.#running) this.#again = true;
    else this.#start();
  }

  #start(): void {
    this.#running = true;
    const { store, wheel, partBegin, now } = this.#options;
    const progress = now();
    const pages = wheel.take();
    const begin = partBegin();
    const finish: Done = (error) => {
      if (error !== null) wheel.giveBack(pages);
      this.#finish(error);
    };
    const write = (): void =>
      this.#lower(progress, (error) => {
        if (error !== null) return finish(error);
        this.#write(progress, pages, begin, finish);
      });
    // What was delivered is on disk before the checkpoint says so, with ASYNC_FLUSH too.
    store.flush().then(write, (error) => {
      finish(error instanceof PlatformError ? error : new PlatformError("EIO", String(error)));
    });
  }

  /** A clock that was set back lets slots be filled that count as read: the checkpoint goes back before the log goes on. */
  #lower(progress: TimerProgress, done: Done): void {
    if (progress.readMs >= this.#saved.readMs) return done(null);
    this.#save({ ...this.#saved, readMs: progress.readMs }, done);
  }

  #write(progress: TimerProgress, pages: ReturnType<TimerWheel["take"]>, partBegin: number, done: Done): void {
    const { clock, log, wheel } = this.#options;
    if (partBegin >= 0) {
      try {
        log.endChain(partBegin);
      } catch {
        // Without it the slot is delivered from its beginning after a crash.
      }
    }
    const later = (run: () => void): void => void clock.setTimer(0, run);
    log.flush(later, (error) => {
      if (error !== null) return done(error);
      wheel.write(pages, later, (error) => error === null ? this.#save(progress, done) : done(error));
    });
  }

  #save(progress: TimerProgress, done: Done): void {
    const { check, clock } = this.#options;
    check.save(progress, clock.nowMs(), (error) => {
      if (error === null) this.#saved = progress;
      done(error);
    });
  }

  #finish(error: PlatformError | null): void {
    const { logger, flushed } = this.#options;
    this.#running = false;
    if (error !== null && !this.#failed) {
      logger.error("the timers can't be brought to disk, trying again", { error: error.message });
    } else if (error === null && this.#failed) logger.info("the timers are brought to disk again");
    this.#failed = error !== null;
    if (this.#again) {
      this.#again = false;
      return this.#start();
    }
    if (this.#closing !== null) return this.#closing();
    if (error !== null) this.wanted();
    flushed();
  }
}
