import type { Timer } from "../types.ts";
import type { Life } from "./life.ts";

/** A timer that waits. */
export interface Waiting {
  readonly dueUs: number;
  readonly order: number;
  readonly life: Life;
  readonly run: () => void;
  cancelled: boolean;
}

/** Timers by due time, those of one instant in the order in which they were set: a binary heap. */
export class TimerQueue {
  readonly #heap: Waiting[] = [];
  #order = 0;

  add(dueUs: number, life: Life, run: () => void): Timer {
    const timer: Waiting = { dueUs, order: this.#order++, life, run, cancelled: false };
    this.#push(timer);
    return { cancel: () => void (timer.cancelled = true) };
  }

  /** Takes the first timer that is due by `untilUs`, or null. */
  takeDue(untilUs: number): Waiting | null {
    this.#dropDead();
    return this.#heap.length > 0 && this.#heap[0].dueUs <= untilUs ? this.#pop() : null;
  }

  nextDueUs(): number | null {
    this.#dropDead();
    return this.#heap.length > 0 ? this.#heap[0].dueUs : null;
  }

  #dropDead(): void {
    while (this.#heap.length > 0 && (this.#heap[0].cancelled || !this.#heap[0].life.alive)) this.#pop();
  }

  #push(timer: Waiting): void {
    const heap = this.#heap;
    let at = heap.push(timer) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(heap[at], heap[parent])) return;
      [heap[at], heap[parent]] = [heap[parent], heap[at]];
      at = parent;
    }
  }

  #pop(): Waiting {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop() as Waiting;
    if (heap.length === 0) return first;
    heap[0] = last;
    for (let at = 0;;) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < heap.length && isBefore(heap[child], heap[least])) least = child;
      }
      if (least === at) return first;
      [heap[at], heap[least]] = [heap[least], heap[at]];
      at = least;
    }
  }
}

function isBefore(a: Waiting, b: Waiting): boolean {
  return a.dueUs < b.dueUs || (a.dueUs === b.dueUs && a.order < b.order);
}
