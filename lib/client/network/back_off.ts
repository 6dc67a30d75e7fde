import type { Random } from "@rmq/platform";

/** Pauses that double from `firstMs` up to `mostMs`, each shortened by chance so that clients do not come in step. */
export class BackOff {
  readonly #random: Random;
  readonly #firstMs: number;
  readonly #mostMs: number;
  #tries = 0;

  constructor(random: Random, firstMs: number, mostMs: number) {
    this.#random = random;
    this.#firstMs = firstMs;
    this.#mostMs = mostMs;
  }

  /** The next pause: between half and all of its length, ms. */
  nextMs(): number {
    const whole = Math.min(this.#mostMs, this.#firstMs * 2 ** Math.min(this.#tries++, 20));
    return whole / 2 + this.#random.below(Math.floor(whole / 2) + 1);
  }

  /** Begins anew. */
  reset(): void {
    this.#tries = 0;
  }
}
