import type { Clock, Timer } from "@rmq/platform";
import type { Store } from "@rmq/store";
import type { AnswerHold } from "./answer_hold.ts";

/** All connections that hold answers of sends back until the store has got far enough. */
export class HeldSends {
  private holds: AnswerHold[] = [];
  /** Runs while something is held, and a little longer: an idle broker has nothing to wake up for. */
  private timer: Timer | null = null;
  private closed = false;

  /** `syncFlushTimeoutMs`: an answer that waits longer leaves with code 10. */
  constructor(
    private readonly store: Store,
    private readonly clock: Clock,
    private readonly syncFlushTimeoutMs: number,
  ) {
    store.onAdvance(() => this.release());
    store.onRollback((from, cause) => this.rollback(from, cause));
  }

  /** Notes an answer that was just encoded into `hold`; it needs the log up to physical offset `need`. */
  add(hold: AnswerHold, wait: boolean, need: number): void {
    if (!hold.listed) {
      hold.listed = true;
      this.holds.push(hold);
      // One reading of the clock a connection and turn is enough to notice seconds.
      this.nowUs = this.clock.monotonicUs();
      if (this.timer === null) this.arm();
    }
    hold.mark(wait, need, this.store.written, this.nowUs);
  }

  /** No answer is given up any more: the broker stops. */
  close(): void {
    this.closed = true;
    this.timer?.cancel();
  }

  private nowUs = 0;

  private arm(): void {
    if (this.closed) return;
    const periodMs = Math.max(10, Math.min(500, this.syncFlushTimeoutMs / 4));
    this.timer = this.clock.setTimer(periodMs, () => {
      this.timer = null;
      const before = this.clock.monotonicUs() - this.syncFlushTimeoutMs * 1000;
      for (const hold of this.holds) hold.expire(before);
      this.drop();
      if (this.holds.length > 0) this.arm();
    });
  }

  private release(): void {
    const { visible, written } = this.store;
    for (const hold of this.holds) hold.release(visible, written);
    this.nowUs = this.clock.monotonicUs();
    this.drop();
  }

  private rollback(from: number, cause: string): void {
    for (const hold of this.holds) hold.rollback(from, cause);
    this.drop();
  }

  private drop(): void {
    let kept = 0;
    for (const hold of this.holds) {
      if (hold.empty) hold.listed = false;
      else this.holds[kept++] = hold;
    }
    this.holds.length = kept;
  }
}
