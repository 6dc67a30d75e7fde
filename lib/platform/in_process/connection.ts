import { PairedConnection } from "../paired_connection.ts";
import type { Address } from "../types.ts";

/** One end of a connection that delivers in the next turn of the loop. */
export class LocalConnection extends PairedConnection {
  readonly #soon: (run: () => void) => void;

  /** `soon` runs something in a later turn of the loop. */
  constructor(local: Address, remote: Address, soon: (run: () => void) => void) {
    super(local, remote);
    this.#soon = soon;
  }

  protected override arrive(run: () => void): void {
    this.#soon(run);
  }

  protected override soon(run: () => void): void {
    this.#soon(run);
  }
}
