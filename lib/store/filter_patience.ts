import type { Clock } from "@rmq/platform";

/** How long one read may keep a turn with looking into messages, microseconds. */
const PATIENCE_US = 2000;
/** Messages between two looks at the clock, once it is known that one is quick. */
const MOST_BETWEEN = 16;

/**
 * Bounds what filters may cost a turn: a slow one ends a read early with what was found so far, and its consumer goes on
 * from there with its next pull. The clock is asked after 1, 2, 4, 8 and 16 messages, and after each 16 more.
 */
export class FilterPatience {
  #deadline = 0;
  #seen = 0;
  #next = 1;

  /** `clock`: what turns are measured by. */
  constructor(private readonly clock: Pick<Clock, "monotonicUs">) {}

  /** A read begins, or goes on in a new turn. */
  begin(): void {
    this.#deadline = this.clock.monotonicUs() + PATIENCE_US;
    this.#seen = 0;
    this.#next = 1;
  }

  /** One more message was looked into; true: that was enough for this turn. */
  isOver(): boolean {
    if (++this.#seen < this.#next) return false;
    this.#next += Math.min(this.#seen, MOST_BETWEEN);
    return this.clock.monotonicUs() > this.#deadline;
  }
}
