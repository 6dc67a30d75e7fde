import { PlatformError } from "./types.ts";

const LEAST_RESERVE = 64;

/**
 * How many connections this process may hold. A runtime that is out of descriptors can't open its files any more
 * (Deno even ends), so the last sixteenth of them is never given to connections.
 */
export class ConnectionBudget {
  #open = 0;
  readonly #descriptorLimit: () => number;

  /** `descriptorLimit` tells the limit now in force, 0 when unknown. */
  constructor(descriptorLimit: () => number) {
    this.#descriptorLimit = descriptorLimit;
  }

  /** Takes one; false when there is none left. */
  take(): boolean {
    const limit = this.#descriptorLimit();
    if (limit > 0 && this.#open >= limit - Math.max(LEAST_RESERVE, limit >> 4)) return false;
    this.#open++;
    return true;
  }

  giveBack(): void {
    this.#open--;
  }

  /** The error that a listener reports when there is none left. */
  exhausted(): PlatformError {
    return new PlatformError("EMFILE", `${this.#open} connections are open, and the descriptor limit allows no more`);
  }
}
