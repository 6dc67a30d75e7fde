const nothing = (): void => {};
const KEPT_SLOTS = 4096;

/**
 * The ordered list behind `Clock.afterTurn`. `schedule` must bring about one later call of `drain`; it is called
 * when the list becomes non-empty.
 */
export class TurnList {
  #slots: (() => void)[] = [];
  #count = 0;
  #scheduled = false;
  readonly #schedule: () => void;

  constructor(schedule: () => void) {
    this.#schedule = schedule;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  add(run: () => void): void {
    this.#slots[this.#count++] = run;
    if (!this.#scheduled) {
      this.#scheduled = true;
      this.#schedule();
    }
  }

  /** Runs all, those too that are added meanwhile. One that throws is reported to the caller; the rest runs in a new drain. */
  drain(): void {
    const slots = this.#slots;
    let next = 0;
    try {
      while (next < this.#count) {
        const run = slots[next];
        slots[next++] = nothing;
        run();
      }
    } finally {
      this.#settle(next);
    }
  }

  #settle(ran: number): void {
    const left = this.#count - ran;
    if (left > 0) this.#slots.copyWithin(0, ran, this.#count);
    this.#count = left;
    this.#scheduled = left > 0;
    if (left > 0) this.#schedule();
    // The array is reused turn after turn, but one burst must not hold its memory for ever.
    else if (this.#slots.length > KEPT_SLOTS) this.#slots = [];
  }
}
