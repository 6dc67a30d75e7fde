import type { ConsumeQueue } from "./consume_queue.ts";

/** Bounds what all queues together keep in memory; queues that were not used lately give back first. */
export class QueueMemory {
  /** Bytes of all buffers. */
  bytes = 0;
  readonly #limit: number;
  readonly #holders = new Set<ConsumeQueue>();

  constructor(limitBytes: number) {
    this.#limit = limitBytes;
  }

  /** The buffer of `queue` grew or shrank by `change` bytes. */
  changed(queue: ConsumeQueue, change: number): void {
    this.bytes += change;
    if (queue.bufferBytes > 0) this.#holders.add(queue);
    else this.#holders.delete(queue);
  }

  /**
   * Gives back until the bound holds again: first what is on disk and synced, then what is at least written; `spill`
   * writes a queue's units out. Never touches `keep`, which is being appended to, but for its old units.
   */
  shrink(keep: ConsumeQueue | null, spill: (queue: ConsumeQueue) => void): void {
    if (this.bytes <= this.#limit) return;
    // Aims lower than the bound, so that it is not the business of each single append.
    const goal = Math.floor(this.#limit * 0.9);
    for (let pass = 0; pass < 3 && this.bytes > goal; pass++) {
      for (const queue of [...this.#holders]) {
        if (this.bytes <= goal) return;
        if (queue === keep && pass < 2) continue;
        if (pass === 0 && queue.used) {
          queue.used = false;
          continue;
        }
        if (pass === 2) spill(queue);
        queue.release(pass === 2 ? queue.written : queue.synced);
      }
    }
  }
}
