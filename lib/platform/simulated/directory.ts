import type { Inode } from "./inode.ts";
import type { Seeded } from "./seeded.ts";

/** What an entry of a directory names. */
export type Node = Inode | Directory;

/** An entry that gets a new meaning; null removes it. */
export interface EntryChange {
  readonly directory: Directory;
  readonly name: string;
  readonly node: Node | null;
}

/** Changes that the file system's journal keeps together: both halves of a rename, one half of the rest. */
interface Transaction {
  readonly order: number;
  readonly changes: readonly EntryChange[];
  settled: boolean;
}

/** A simulated directory: its entries as seen, as certainly on the device, and the changes between the two. */
export class Directory {
  readonly kind = "directory";
  entries: Map<string, Node> = new Map();
  readonly #durable = new Map<string, Node>();
  readonly #hardened = new Map<string, number>();
  #pending: Transaction[] = [];

  /** Makes `changes` visible, as one. */
  static change(changes: readonly EntryChange[]): void {
    const transaction: Transaction = { order: transactions++, changes, settled: false };
    for (const { directory, name, node } of changes) {
      if (node === null) directory.entries.delete(name);
      else directory.entries.set(name, node);
    }
    for (const directory of new Set(changes.map((change) => change.directory))) directory.#pending.push(transaction);
  }

  /** How many changes there are: what a sync that begins now will make durable. */
  mark(): readonly unknown[] {
    return [...this.#pending];
  }

  /** A sync that began when `mark` was taken succeeded. */
  synced(mark: readonly unknown[]): void {
    const covered = new Set(mark);
    for (const transaction of this.#pending) if (covered.has(transaction)) settle(transaction, true);
    this.#pending = this.#pending.filter((transaction) => !transaction.settled);
  }

  /** The power is cut: each change that is not durable survives or not. */
  powerCut(random: Seeded): void {
    const mood = random.below(3);
    for (const transaction of this.#pending) settle(transaction, mood === 1 || (mood === 2 && random.chance(50)));
    this.#pending = [];
  }

  /** What stands in it, as seen and on the device. */
  *named(): Generator<Node> {
    yield* this.entries.values();
    yield* this.#durable.values();
    for (const { changes } of this.#pending) {
      for (const { directory, node } of changes) if (directory === this && node !== null) yield node;
    }
  }

  /** After all directories had their power cut: shows what is on the device. */
  restart(): void {
    this.entries = new Map(this.#durable);
  }

  /** Makes one change durable, unless a later one of this name is already. */
  harden({ name, node }: EntryChange, order: number): void {
    if ((this.#hardened.get(name) ?? -1) > order) return;
    this.#hardened.set(name, order);
    if (node === null) this.#durable.delete(name);
    else this.#durable.set(name, node);
  }
}

// Only compared within one directory, so that a number shared by all simulations leaves each one deterministic.
let transactions = 0;

function settle(transaction: Transaction, survives: boolean): void {
  if (transaction.settled) return;
  transaction.settled = true;
  if (!survives) return;
  for (const change of transaction.changes) change.directory.harden(change, transaction.order);
}
