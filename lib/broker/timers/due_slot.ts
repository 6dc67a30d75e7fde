import type { Clock, PlatformError } from "@rmq/platform";
import { StoredMessage } from "@rmq/protocol";
import { newTimerUnit, readTimerUnit, type Store, TIMER_UNIT_BYTES, type TimerLog, TimerMagic } from "@rmq/store";
import { DUE_UNITS, DueUnits } from "./due_units.ts";

/** Blocks of units that are gone through in one turn. */
const BLOCKS_PER_TURN = 8;
/** A short chain is read by little, a long one by much. */
const FIRST_READ_BYTES = 64 * TIMER_UNIT_BYTES;
/** What can't be read now is tried again after this long. */
const RETRY_MS = 1000;
const READ_BYTES = DUE_UNITS * TIMER_UNIT_BYTES;

/** What slots are read from. */
export interface DueSlotOptions {
  readonly clock: Clock;
  readonly log: TimerLog;
  readonly store: Pick<Store, "entryAt">;
}

/** Gets some units of the slot, oldest first, and calls `next` when it is through with them. */
export type TakeDue = (units: DueUnits, next: () => void) => void;

/**
 * Reads the chain of one slot. It leads from the newest unit to the oldest, and is gone through twice when it is long: once for
 * the places where each part begins and for the marks that take messages back, then part by part, oldest first.
 */
export class DueSlot {
  readonly #options: DueSlotOptions;
  readonly #units = new DueUnits();
  readonly #buffer = new Uint8Array(READ_BYTES);
  readonly #message = new StoredMessage();
  #closed = false;

  constructor(options: DueSlotOptions) {
    this.#options = options;
  }

  close(): void {
    this.#closed = true;
  }

  /** Hands all units of the chain that ends at `last` to `take`. */
  read(last: number, take: TakeDue, done: (error: PlatformError | null) => void): void {
    const { clock } = this.#options;
    const parts: number[] = [];
    const marks: number[] = [];
    const first = (from: number): void => {
      parts.push(from);
      this.#part(from, marks, (error, previous) => {
        if (error !== null) return done(error);
        if (previous >= 0) return first(previous);
        this.#readMarks(marks, () => deliver(parts.length - 1));
      });
    };
    const deliver = (index: number): void => take(this.#units, () => index === 0 ? done(null) : next(index - 1));
    const next = (index: number): void => {
      this.#part(parts[index], null, (error) => {
        // From the beginning again, what was delivered would be delivered again each time.
        if (error !== null) clock.setTimer(RETRY_MS, () => next(index));
        else deliver(index);
      });
    };
    first(last);
  }

  /**
   * Reads the units from `position` back, as many as a part has; `done` gets the one before them, −1: none.
   */
  #part(
    position: number,
    marks: number[] | null,
    done: (error: PlatformError | null, previous: number) => void,
  ): void {
    const { log, clock } = this.#options;
    const units = this.#units;
    const unit = newTimerUnit();
    units.count = 0;
    let blocks = 0;
    const finish = (previous: number): void => {
      units.turn();
      done(null, previous);
    };
    const step = (from: number): void => {
      if (this.#closed) return;
      // What is left of the chain went with a file of the log, as its messages had with theirs.
      if (from < log.start) return finish(-1);
      const room = units.count === 0 ? FIRST_READ_BYTES : READ_BYTES;
      log.block(from, this.#buffer.subarray(0, room), (error, bytes, at, start) => {
        if (error !== null) return done(error, -1);
        for (;;) {
          if (!readTimerUnit(bytes, at, unit)) return finish(-1);
          if (marks !== null && isMark(unit.magic)) marks.push(unit.physicalOffset, unit.size);
          units.add(unit, from);
          // A chain only leads back; anything else would lead round and round.
          if (unit.previous < 0 || unit.previous >= from) return finish(-1);
          if (units.count === DUE_UNITS) return finish(unit.previous);
          at -= from - unit.previous;
          from = unit.previous;
          if (at < start) break;
        }
        if (++blocks % BLOCKS_PER_TURN === 0) clock.setTimer(0, () => step(from));
        else step(from);
      });
    };
    step(position);
  }

  /** Reads which messages are taken back. */
  #readMarks(marks: readonly number[], done: () => void): void {
    const { store, clock } = this.#options;
    const deleted = this.#units.deleted = new Set();
    const step = (index: number): void => {
      if (this.#closed) return;
      if (index >= marks.length) return done();
      store.entryAt(marks[index], marks[index + 1], (bytes, start, end, unreadable) => {
        if (unreadable) return void clock.setTimer(RETRY_MS, () => step(index));
        if (bytes !== null && this.#message.parse(bytes, start, end, false) > 0) {
          const key = this.#message.property("TIMER_DEL_UNIQKEY");
          if (key !== null) deleted.add(key);
        }
        if (index % 128 === 126) clock.setTimer(0, () => step(index + 2));
        else step(index + 2);
      });
    };
    step(0);
  }
}

/** A unit that takes back another one, and is not itself on its way to a later slot. */
function isMark(magic: number): boolean {
  return (magic & TimerMagic.DELETE) !== 0 && (magic & TimerMagic.ROLL) === 0;
}
