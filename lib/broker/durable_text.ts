import type { Clock, Done, Logger } from "@rmq/platform";
import { encodeSliced } from "./text_slices.ts";

/** Where a table is kept: `ConfigFile` of the store, or what a test puts in its place. */
export interface TextFile {
  readonly path: string;
  load(accept: (text: string) => boolean): string | null;
  /** The bytes are UTF-8 and stay as they are until `done`. */
  save(text: Uint8Array, done: Done): void;
}

/** A write that failed is tried again after this long. */
const RETRY_MS = 1000;

/**
 * Keeps a table's file up to date: changes of one turn, and those that come while a write is under way, are one write.
 * A write that fails is repeated until it succeeds; who waits for it goes on waiting.
 */
export class DurableText {
  #waiting: (() => void)[] = [];
  #wanted = false;
  #scheduled = false;
  #busy = false;
  #failed = false;
  #closing: (() => void) | null = null;

  constructor(
    private readonly file: TextFile,
    private readonly clock: Clock,
    private readonly logger: Logger,
    /** The text in parts. The table may change between two of them, since each change asks for another write. */
    private readonly parts: () => Iterator<string>,
  ) {}

  /** Asks for a write of the present state; `done` is called when it is on disk. */
  write(done?: () => void): void {
    this.#wanted = true;
    if (done !== undefined) this.#waiting.push(done);
    if (this.#scheduled || this.#busy) return;
    this.#scheduled = true;
    this.clock.afterTurn(() => this.#run());
  }

  /** Writes what is still to be written, then calls `done`. After a failure nothing more is tried. */
  close(done: () => void): void {
    this.#closing = done;
    if (this.#busy) return;
    if (this.#wanted) return this.#run();
    this.#finish();
  }

  #run(): void {
    this.#scheduled = false;
    if (this.#busy || !this.#wanted) return;
    this.#busy = true;
    this.#wanted = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    encodeSliced(
      this.clock,
      this.parts(),
      (bytes) => this.file.save(bytes, (error) => this.#written(waiting, error?.message ?? null)),
      (error) => this.#written(waiting, String(error)),
    );
  }

  #written(waiting: (() => void)[], problem: string | null): void {
    this.#busy = false;
    if (problem !== null) return this.#retry(waiting, problem);
    if (this.#failed) this.logger.info(`${this.file.path} is written again`);
    this.#failed = false;
    for (const done of waiting) done();
    if (this.#wanted) this.#run();
    else if (this.#closing !== null) this.#finish();
  }

  #retry(waiting: (() => void)[], cause: string): void {
    this.#wanted = true;
    this.#waiting = waiting.concat(this.#waiting);
    if (!this.#failed) this.logger.error(`cannot write ${this.file.path}, trying again: ${cause}`);
    this.#failed = true;
    if (this.#closing !== null) return this.#finish();
    this.#scheduled = true;
    this.clock.setTimer(RETRY_MS, () => this.#run());
  }

  #finish(): void {
    const done = this.#closing;
    this.#closing = null;
    done?.();
  }
}
