import { PairedConnection } from "../paired_connection.ts";
import { type Address, PlatformError } from "../types.ts";
import type { Life } from "./life.ts";
import type { Wires } from "./wires.ts";

const LARGEST_CHUNK_BYTES = 64 * 1024;
const POISON = 0xdb;

/** One end of a simulated connection. */
export class SimulatedConnection extends PairedConnection {
  declare peer: SimulatedConnection;
  readonly life: Life;
  readonly #wires: Wires;

  constructor(wires: Wires, life: Life, local: Address, remote: Address) {
    super(local, remote);
    this.#wires = wires;
    this.life = life;
  }

  /** The network lost it: both ends learn of it, what was on the way is gone. */
  reset(): void {
    for (const end of [this, this.peer]) end.lose(new PlatformError("ECONNRESET", "connection reset by peer"));
  }

  protected override arrive(run: () => void): void {
    this.#wires.deliver(this, run);
  }

  protected override soon(run: () => void): void {
    this.#wires.soon(this.life, run);
  }

  protected override get reachable(): boolean {
    return !this.#wires.areParted(this.local.host, this.remote.host);
  }

  protected override get alive(): boolean {
    return this.life.alive;
  }

  // Of a size that the seed picks, as a private copy that is spoilt afterwards: its bytes are the handler's only until
  // it returns.
  protected override piece(first: Uint8Array): Uint8Array {
    return first.slice(0, Math.min(first.length, this.#wires.chunkBytes(LARGEST_CHUNK_BYTES)));
  }

  protected override seen(chunk: Uint8Array): void {
    chunk.fill(POISON);
  }

  protected override closing(): void {
    this.#wires.forget(this);
  }
}
