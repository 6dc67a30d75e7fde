/** What all connections of a load count together. */
import { Histogram } from "./histogram.ts";

export class Tally {
  messages = 0;
  requests = 0;
  bytes = 0;
  readonly codes = new Map<number, number>();
  readonly latency = new Histogram();
  #cleared = 0;

  error(code: number): void {
    this.codes.set(code, (this.codes.get(code) ?? 0) + 1);
  }

  /** From the beginning, warm-up included. */
  get allMessages(): number {
    return this.#cleared + this.messages;
  }

  clear(): void {
    this.#cleared += this.messages;
    this.messages = this.requests = this.bytes = 0;
    this.codes.clear();
    this.latency.clear();
  }
}

/** A connection of a load, under way until it is closed. */
export interface LoadConnection {
  /** Sends what the pace allows now. */
  pump(): void;
  close(): void;
}

/** Lets `perSecond` requests pass in each second, over all connections. */
export class Pace {
  readonly #perSecond: number;
  readonly #started = performance.now();
  #passed = 0;
  #left: number;

  /** `perSecond` Infinity: no limit. `count`: how many in all. */
  constructor(perSecond: number, count: number) {
    this.#perSecond = perSecond;
    this.#left = count;
  }

  /** How many of `wanted` may go now. */
  take(wanted: number): number {
    let granted = Math.min(wanted, this.#left);
    if (this.#perSecond !== Infinity) {
      const due = Math.floor((performance.now() - this.#started) * this.#perSecond / 1000) - this.#passed;
      granted = Math.max(0, Math.min(granted, due));
    }
    this.#passed += granted;
    this.#left -= granted;
    return granted;
  }

  get limited(): boolean {
    return this.#perSecond !== Infinity;
  }
}
