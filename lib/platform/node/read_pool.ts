import { read } from "node:fs";

type ReadDone = (error: Error | null, bytesRead: number) => void;

interface Read {
  readonly descriptor: number;
  readonly into: Uint8Array;
  readonly position: number;
  readonly done: ReadDone;
}

/** Positional reads off the loop, so many at a time that the runtime's pool stays usable for the rest. */
export class ReadPool {
  #running = 0;
  readonly #limit: number;
  readonly #waiting: Read[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  read(descriptor: number, into: Uint8Array, position: number, done: ReadDone): void {
    const request = { descriptor, into, position, done };
    if (this.#running < this.#limit) this.#start(request);
    else this.#waiting.push(request);
  }

  #start({ descriptor, into, position, done }: Read): void {
    this.#running++;
    read(descriptor, into, 0, into.length, position, (error, bytesRead) => {
      this.#running--;
      const next = this.#waiting.shift();
      if (next !== undefined) this.#start(next);
      done(error, bytesRead);
    });
  }
}
