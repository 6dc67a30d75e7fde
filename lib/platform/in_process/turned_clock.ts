import { durationMs } from "../simulated/duration.ts";
import { Life } from "../simulated/life.ts";
import { TimerQueue } from "../simulated/timer_queue.ts";
import type { Clock, Timer } from "../types.ts";

/** Turns of the loop that one step waits for at most, for what a timer set going. */
const MOST_TURNS = 64;

/** A clock that runs as the host's does, and that a test turns forward. */
export interface TurnedClock extends Clock {
  /**
   * Lets time pass at once: `250` ms, `"10s"`, `"2h"`, `"1h 30m"`. Every timer that is due meanwhile runs, in order and
   * at its time, and what it sets going gets turns of the loop before the next one. Throws RangeError for what is no
   * duration.
   */
  advance(duration: number | string): Promise<void>;
}

/** A clock on `host` with timers of its own. */
export function turnedClock(host: Clock): TurnedClock {
  return new ShiftedClock(host);
}

class ShiftedClock implements TurnedClock {
  readonly #host: Clock;
  readonly #timers = new TimerQueue();
  readonly #life = new Life();
  #aheadUs = 0;
  /** The host's timer for the first of ours, and when it is due. */
  #armed: Timer | null = null;
  #armedUs = Infinity;
  /** What runs at the end of a turn and has not run yet. */
  #pending = 0;
  #advancing: Promise<void> = Promise.resolve();

  readonly #startMs: number;
  readonly #startUs: number;

  constructor(host: Clock) {
    this.#host = host;
    this.#startMs = host.nowMs();
    this.#startUs = host.monotonicUs();
  }

  /** Goes with the monotonic clock, so that turning one by an hour turns the other by no millisecond less. */
  nowMs(): number {
    return this.#startMs + Math.floor((this.monotonicUs() - this.#startUs) / 1000);
  }

  monotonicUs(): number {
    return this.#host.monotonicUs() + this.#aheadUs;
  }

  setTimer(delayMs: number, run: () => void): Timer {
    const timer = this.#timers.add(this.monotonicUs() + Math.ceil(Math.max(0, delayMs) * 1000), this.#life, run);
    this.#arm();
    return timer;
  }

  every(periodMs: number, run: () => void): Timer {
    let timer: Timer;
    const next = () => {
      timer = this.setTimer(periodMs, () => {
        next();
        run();
      });
    };
    next();
    return { cancel: () => timer.cancel() };
  }

  afterTurn(run: () => void): void {
    this.#pending++;
    this.#host.afterTurn(() => {
      this.#pending--;
      run();
    });
  }

  localTime(ms: number): ReturnType<Clock["localTime"]> {
    return this.#host.localTime(ms);
  }

  advance(duration: number | string): Promise<void> {
    const us = durationMs(duration) * 1000;
    // Two at once would each go by times that the other has turned on.
    return this.#advancing = this.#advancing.catch(() => {}).then(() => this.#advance(us));
  }

  async #advance(us: number): Promise<void> {
    const target = this.monotonicUs() + us;
    await this.#settle();
    for (;;) {
      const left = target - this.monotonicUs();
      if (left <= 0) break;
      const next = this.#timers.nextDueUs();
      this.#aheadUs += next === null ? left : Math.min(left, Math.max(0, next - this.monotonicUs()));
      this.#fire();
      await this.#settle();
    }
    this.#fire();
    await this.#settle();
  }

  /** Gives the loop turns until nothing waits for the end of one. */
  async #settle(): Promise<void> {
    for (let turn = 0; turn < MOST_TURNS; turn++) {
      await new Promise<void>((resolve) => this.#host.afterTurn(resolve));
      if (this.#pending === 0) return;
    }
  }

  #arm(): void {
    const next = this.#timers.nextDueUs();
    if (next === null || next >= this.#armedUs) return;
    this.#armed?.cancel();
    this.#armedUs = next;
    this.#armed = this.#host.setTimer(Math.max(0, next - this.monotonicUs()) / 1000, () => this.#fire());
  }

  /** Runs what is due. */
  #fire(): void {
    this.#armed?.cancel();
    this.#armedUs = Infinity;
    const now = this.monotonicUs();
    try {
      for (let due = this.#timers.takeDue(now); due !== null; due = this.#timers.takeDue(now)) due.run();
    } finally {
      this.#arm();
    }
  }
}
