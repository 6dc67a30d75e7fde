import { setImmediate } from "node:timers";
import type { Timer } from "../types.ts";
import type { Life } from "./life.ts";
import type { Seeded } from "./seeded.ts";
import { TimerQueue } from "./timer_queue.ts";

interface Event {
  readonly life: Life;
  readonly run: () => void;
}

const MICROTASK_TICKS = 4;

/**
 * Everything that happens: events that are ready, in an order that the seed picks; the ends of turns; timers, when
 * time is moved. Nothing runs by itself.
 */
export class Scheduler {
  readonly #random: Seeded;
  readonly #ready: Event[] = [];
  readonly #turnEnds: (() => void)[] = [];
  readonly #timers = new TimerQueue();
  #nowUs = 0;

  constructor(random: Seeded) {
    this.#random = random;
  }

  /** Simulated microseconds since the start. */
  get nowUs(): number {
    return this.#nowUs;
  }

  /** An event that is ready: it runs at some point of a coming turn, unless its process dies before. */
  soon(life: Life, run: () => void): void {
    this.#ready.push({ life, run });
  }

  /** An event that becomes ready after `delayMs`; at once when that is 0. */
  after(life: Life, delayMs: number, run: () => void): void {
    if (delayMs <= 0) this.soon(life, run);
    else this.timer(life, delayMs, () => this.soon(life, run));
  }

  /** Calls `drain` at the end of the next turn. */
  atTurnEnd(drain: () => void): void {
    this.#turnEnds.push(drain);
  }

  timer(life: Life, delayMs: number, run: () => void): Timer {
    return this.#timers.add(this.#nowUs + Math.max(0, Math.round(delayMs * 1000)), life, run);
  }

  /** Runs turn after turn until nothing is ready; time stands still. */
  async settle(): Promise<void> {
    do await this.#turn(); while (this.#ready.length > 0 || this.#turnEnds.length > 0);
  }

  /** Moves time by `ms`, running each timer at its time and settling around it. */
  async advance(ms: number): Promise<void> {
    await this.settle();
    const until = this.#nowUs + Math.round(ms * 1000);
    for (;;) {
      const timer = this.#timers.takeDue(until);
      if (timer === null) break;
      this.#nowUs = Math.max(this.#nowUs, timer.dueUs);
      if (timer.life.alive) timer.run();
      await this.settle();
    }
    this.#nowUs = Math.max(this.#nowUs, until);
  }

  /** Moves time to the next timer and runs what comes of it; false when there is no timer. */
  async step(): Promise<boolean> {
    await this.settle();
    const next = this.#timers.nextDueUs();
    if (next === null) return false;
    await this.advance((next - this.#nowUs) / 1000);
    return true;
  }

  // Some of the ready events, with promises let through between them, then the end of the turn: how many events
  // share a turn is the seed's choice, as it is the kernel's in life.
  async #turn(): Promise<void> {
    await macrotask();
    let events = this.#ready.length === 0 ? 0 : 1 + this.#random.below(this.#ready.length);
    while (events-- > 0 && this.#ready.length > 0) {
      const event = this.#take();
      if (event.life.alive) event.run();
      for (let i = 0; i < MICROTASK_TICKS; i++) await null;
    }
    if (this.#turnEnds.length === 0) return;
    for (const drain of this.#turnEnds.splice(0)) drain();
    await macrotask();
  }

  #take(): Event {
    const ready = this.#ready;
    const at = this.#random.below(ready.length);
    const event = ready[at];
    const last = ready.pop() as Event;
    if (at < ready.length) ready[at] = last;
    return event;
  }
}

function macrotask(): Promise<void> {
  return new Promise((run) => void setImmediate(run));
}
