import { TurnList } from "../turn_list.ts";
import type { Clock, LocalTime, Timer } from "../types.ts";
import type { Life } from "./life.ts";
import type { Scheduler } from "./scheduler.ts";
import type { ClockControl } from "./types.ts";

/** The time that all machines agree on. */
export class WallClock implements ClockControl {
  #offsetMs: number;
  readonly #scheduler: Scheduler;

  constructor(scheduler: Scheduler, startMs: number) {
    this.#scheduler = scheduler;
    this.#offsetMs = startMs;
  }

  nowMs(): number {
    return this.#offsetMs + Math.floor(this.#scheduler.nowUs / 1000);
  }

  stepMs(ms: number): void {
    this.#offsetMs += ms;
  }
}

/** The clock of one process. Its zone is UTC, so that a run is the same on every machine. */
export function simulatedClock(scheduler: Scheduler, wall: WallClock, life: Life): Clock {
  const drain = (): void => {
    if (life.alive) turn.drain();
  };
  const turn = new TurnList(() => scheduler.atTurnEnd(drain));
  const every = (periodMs: number, run: () => void): Timer => {
    let timer: Timer;
    let cancelled = false;
    const arm = (): void => {
      timer = scheduler.timer(life, Math.max(periodMs, 0.001), () => {
        arm();
        run();
      });
      if (cancelled) timer.cancel();
    };
    arm();
    return {
      cancel: () => {
        cancelled = true;
        timer.cancel();
      },
    };
  };
  return {
    nowMs: () => wall.nowMs(),
    monotonicUs: () => scheduler.nowUs,
    setTimer: (delayMs, run) => scheduler.timer(life, delayMs, run),
    every,
    afterTurn: (run) => turn.add(run),
    localTime: utc,
  };
}

function utc(ms: number): LocalTime {
  const date = new Date(ms);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    millisecond: date.getUTCMilliseconds(),
  };
}
