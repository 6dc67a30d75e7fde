import { clearInterval, clearTimeout, setImmediate, setInterval, setTimeout } from "node:timers";
import { performance } from "node:perf_hooks";
import { localTime } from "../local_time.ts";
import { TurnList } from "../turn_list.ts";
import type { Clock, Timer } from "../types.ts";

// What lies beyond it the runtimes run at once.
const LONGEST_DELAY_MS = 0x7fffffff;

class HostTimer implements Timer {
  #handle: ReturnType<typeof setTimeout> | null = null;
  readonly #run: () => void;
  readonly #keepsAlive: boolean;
  #leftMs: number;

  constructor(delayMs: number, run: () => void, keepsAlive: boolean) {
    this.#keepsAlive = keepsAlive;
    this.#run = run;
    this.#leftMs = delayMs;
    this.#arm();
  }

  #arm(): void {
    const stepMs = Math.min(this.#leftMs, LONGEST_DELAY_MS);
    this.#leftMs -= stepMs;
    this.#handle = setTimeout(this.#fire, stepMs);
    if (!this.#keepsAlive) this.#handle.unref();
  }

  readonly #fire = (): void => {
    this.#handle = null;
    if (this.#leftMs > 0) this.#arm();
    else this.#run();
  };

  cancel(): void {
    this.#leftMs = 0;
    if (this.#handle !== null) clearTimeout(this.#handle);
    this.#handle = null;
  }
}

/** The machine's clock and the runtime's event loop. */
export function hostClock(): Clock {
  const drain = (): void => turn.drain();
  const turn = new TurnList(() => void setImmediate(drain));
  return {
    nowMs: () => Date.now(),
    monotonicUs: () => Math.floor(performance.now() * 1000),
    setTimer: (delayMs, run, keepsAlive = false) => new HostTimer(Math.max(0, delayMs), run, keepsAlive),
    every: (periodMs, run) => {
      const handle = setInterval(run, Math.min(periodMs, LONGEST_DELAY_MS));
      handle.unref();
      return { cancel: () => clearInterval(handle) };
    },
    afterTurn: (run) => turn.add(run),
    localTime,
  };
}
