import { PlatformError } from "../types.ts";
import { Directory, type Node } from "./directory.ts";
import { Faults } from "./faults.ts";
import type { Inode } from "./inode.ts";
import type { Life } from "./life.ts";
import { PAGE_BYTES } from "./pages.ts";
import type { Seeded } from "./seeded.ts";
import { find } from "./tree.ts";
import type { DiskControl, Fault } from "./types.ts";

const TOTAL_BYTES = 2 ** 40;

/** The disk that the files of all processes of one machine stand on. */
export class SimulatedDisk implements DiskControl {
  readonly root: Directory = new Directory();
  readonly faults: Faults = new Faults();
  readonly latencyMs: { sync: number; read: number } = { sync: 0, read: 0 };
  syncs = 0;
  readonly #random: Seeded;
  readonly #locks = new Map<Inode, Life>();
  #freeBytes = TOTAL_BYTES;

  constructor(random: Seeded) {
    this.#random = random;
  }

  failNext(fault: Fault): void {
    this.faults.add(fault);
  }

  clearFaults(): void {
    this.faults.clear();
  }

  setFreeBytes(bytes: number): void {
    this.#freeBytes = bytes;
  }

  get freeBytes(): number {
    return this.#freeBytes;
  }

  get totalBytes(): number {
    return TOTAL_BYTES;
  }

  flipBit(path: string, position: number, bit = 0): void {
    const node = find(this.root, path);
    if (node?.kind !== "file") throw new PlatformError("ENOENT", `${path}: no such file`);
    node.flip(position, bit);
  }

  /** Takes up to `pages` pages; returns how many it got. */
  takePages(pages: number): number {
    const got = Math.max(0, Math.min(pages, Math.floor(this.#freeBytes / PAGE_BYTES)));
    this.#freeBytes -= got * PAGE_BYTES;
    return got;
  }

  givePages(pages: number): void {
    this.#freeBytes += pages * PAGE_BYTES;
  }

  /** One entry or handle of `inode` is gone. */
  drop(inode: Inode): void {
    if (--inode.uses === 0) this.givePages(inode.pages);
  }

  /** Whether `life` gets the lock of `inode`. */
  lock(inode: Inode, life: Life): boolean {
    if (this.#locks.get(inode)?.alive) return false;
    this.#locks.set(inode, life);
    return true;
  }

  unlock(inode: Inode, life: Life): void {
    if (this.#locks.get(inode) === life) this.#locks.delete(inode);
  }

  /** The power fails: what was not synced survives, vanishes, tears or changes places, as the seed has it. */
  powerCut(): void {
    const before = allNodes(this.root);
    for (const node of before) node.powerCut(this.#random);
    for (const node of before) if (node.kind === "directory") node.restart();
    for (const node of before) if (node.kind === "file") node.uses = 0;
    const files = allNodes(this.root).filter((node) => node.kind === "file");
    for (const inode of files) inode.uses++;
  }
}

// In the order in which they are found, so that a seed means the same each time. Removed entries may come back, so
// what only the device still names counts too.
function allNodes(root: Directory): Node[] {
  const found = new Set<Node>([root]);
  for (const node of found) {
    if (node.kind === "directory") { for (const child of node.named()) found.add(child); }
  }
  return [...found];
}
