import type { Clock } from "@rmq/platform";

/** From so many ms on … */
const LATENCY_MS = [50, 100, 550, 1800, 3000, 5000, 15_000];
/** … a broker is passed over for so many. */
const AVOID_MS = [0, 0, 2000, 5000, 6000, 10_000, 30_000];
/** As how slow a broker counts that did not answer at all, ms. */
const ISOLATED_MS = 10_000;

/** Which brokers are passed over for a while. (MQFaultStrategy, LatencyFaultToleranceImpl) */
export class BrokerFaults {
  readonly #clock: Clock;
  /** By broker name: until when, monotonic ms. */
  readonly #untilMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether any is passed over, or was lately. */
  get any(): boolean {
    return this.#untilMs.size > 0;
  }

  /** Names of brokers that are passed over now. */
  get avoided(): string[] {
    return [...this.#untilMs.keys()].filter((name) => !this.available(name));
  }

  /** Whether the broker may be picked. */
  available(brokerName: string): boolean {
    const until = this.#untilMs.get(brokerName);
    if (until === undefined) return true;
    if (this.#clock.monotonicUs() / 1000 < until) return false;
    this.#untilMs.delete(brokerName);
    return true;
  }

  /** It answered after so many ms. */
  answered(brokerName: string, latencyMs: number): void {
    if (latencyMs < LATENCY_MS[2]) {
      if (this.#untilMs.size > 0) this.#untilMs.delete(brokerName);
      return;
    }
    this.#avoid(brokerName, latencyMs);
  }

  /** It did not answer. */
  failed(brokerName: string): void {
    this.#avoid(brokerName, ISOLATED_MS);
  }

  #avoid(brokerName: string, latencyMs: number): void {
    let i = LATENCY_MS.length - 1;
    while (i > 0 && latencyMs < LATENCY_MS[i]) i--;
    if (AVOID_MS[i] > 0) this.#untilMs.set(brokerName, this.#clock.monotonicUs() / 1000 + AVOID_MS[i]);
  }
}
