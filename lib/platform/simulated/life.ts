import { PlatformError } from "../types.ts";

/** One run of a simulated process, from its start to its crash; whatever belongs to a dead one is dropped. */
export class Life {
  alive = true;
  /** What the system takes back when the process dies: its open files. */
  readonly belongings: Set<{ abandon(): void }> = new Set();
  readonly #last: (() => void)[] = [];

  /** Runs `run` when the process dies. */
  atDeath(run: () => void): void {
    this.#last.push(run);
  }

  die(): void {
    if (!this.alive) return;
    this.alive = false;
    for (const each of this.belongings) each.abandon();
    this.belongings.clear();
    for (const run of this.#last.splice(0)) run();
  }

  /** Throws for a process that is no more. */
  mustLive(): void {
    if (!this.alive) throw new PlatformError("EIO", "this process has crashed");
  }
}
