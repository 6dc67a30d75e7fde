import { Pages } from "./pages.ts";
import type { Seeded } from "./seeded.ts";

/** Disks write this much or nothing. */
const SECTOR_BYTES = 512;
/** Beyond this the simulated kernel writes back by itself. */
const WRITE_BACK_BYTES = 64 * 1024 * 1024;

/** A change that is not known to be on the device. `bytes` is null for a change of length, or where data was lost. */
interface Change {
  readonly order: number;
  readonly position: number;
  bytes: Uint8Array | null;
  /** The change is a truncation to `lengthAfter`. */
  readonly truncates: boolean;
  readonly lengthAfter: number;
}

/**
 * A simulated file: what processes see, what is certainly on the device, and the changes between the two. A power
 * cut keeps any part of those changes.
 */
export class Inode {
  readonly kind = "file";
  modifiedMs = 0;
  /** Directory entries and open handles; at 0 its space is free again. */
  uses = 0;
  #seen = new Pages();
  #length = 0;
  #durable = new Pages();
  #durableLength = 0;
  #changes: Change[] = [];
  #changedBytes = 0;
  #order = 0;

  get length(): number {
    return this.#length;
  }

  get pages(): number {
    return this.#seen.count;
  }

  /** How many pages a write there would add. */
  missingPages(position: number, length: number): number {
    return this.#seen.missing(position, length);
  }

  read(into: Uint8Array, position: number): number {
    const count = Math.max(0, Math.min(into.length, this.#length - position));
    if (count > 0) this.#seen.read(into.subarray(0, count), position);
    return count;
  }

  write(bytes: Uint8Array, position: number): void {
    if (bytes.length === 0) return;
    this.#seen.write(bytes, position);
    this.#length = Math.max(this.#length, position + bytes.length);
    this.#note({ position, bytes: bytes.slice(), truncates: false });
    this.#changedBytes += bytes.length;
    if (this.#changedBytes > WRITE_BACK_BYTES) this.synced(this.mark());
  }

  truncate(length: number): void {
    if (length < this.#length) this.#seen.cut(length);
    this.#length = length;
    this.#note({ position: length, bytes: null, truncates: true });
  }

  /** Turns a bit of what stands on the device and in memory, behind everybody's back. */
  flip(position: number, bit: number): void {
    for (const pages of [this.#seen, this.#durable]) {
      const byte = new Uint8Array(1);
      pages.read(byte, position);
      byte[0] ^= 1 << bit;
      pages.write(byte, position);
    }
    for (const change of this.#changes) {
      const at = position - change.position;
      if (change.bytes !== null && at >= 0 && at < change.bytes.length) change.bytes[at] ^= 1 << bit;
    }
  }

  /** The present point in the history of changes; what lies before it a sync makes durable. */
  mark(): number {
    return this.#order;
  }

  /** A sync that began at `mark` succeeded. */
  synced(mark: number): void {
    const kept = this.#changes.findIndex((change) => change.order >= mark);
    const done = this.#changes.splice(0, kept < 0 ? this.#changes.length : kept);
    for (const change of done) this.#harden(change);
  }

  /**
   * A sync that began at `mark` failed. As in Linux the pages count as clean from then on: they are still read from
   * memory, but no later sync writes them.
   */
  syncFailed(mark: number): void {
    for (const change of this.#changes) {
      if (change.order >= mark || change.bytes === null) continue;
      this.#changedBytes -= change.bytes.length;
      change.bytes = null;
    }
  }

  /** The power is cut: what is on the device becomes all there is. */
  powerCut(random: Seeded): void {
    const changes = this.#changes;
    const mood = random.below(4);
    // Changes of length go through the file system's journal: a prefix of them survives, whatever becomes of the data.
    const lengths = mood === 0 ? 0 : mood === 1 ? changes.length : random.below(changes.length + 1);
    changes.forEach((change, i) => {
      if (change.truncates && i < lengths) this.#durable.cut(change.lengthAfter);
      else if (change.bytes !== null) this.#tear(change.position, change.bytes, mood, random);
    });
    if (lengths > 0) this.#durableLength = changes[lengths - 1].lengthAfter;
    this.#durable.cut(this.#durableLength);
    this.#changes = [];
    this.#changedBytes = 0;
    this.#seen = this.#durable.copy();
    this.#length = this.#durableLength;
  }

  // Writes lie within sectors of the device, so the pieces that survive are those between sector borders of the file.
  #tear(position: number, bytes: Uint8Array, mood: number, random: Seeded): void {
    const fate = mood === 0 ? "lost" : mood === 1 ? "whole" : FATES[random.below(FATES.length)];
    if (fate === "lost") return;
    if (fate === "whole") return this.#durable.write(bytes, position);
    const firstSector = Math.floor(position / SECTOR_BYTES);
    const sectors = Math.ceil((position + bytes.length) / SECTOR_BYTES) - firstSector;
    const prefix = random.below(sectors + 1);
    for (let i = 0; i < sectors; i++) {
      if (fate === "prefix" ? i >= prefix : random.chance(50)) continue;
      const from = Math.max(0, (firstSector + i) * SECTOR_BYTES - position);
      const to = Math.min(bytes.length, (firstSector + i + 1) * SECTOR_BYTES - position);
      this.#durable.write(bytes.subarray(from, to), position + from);
    }
  }

  #harden(change: Change): void {
    if (change.bytes !== null) {
      this.#durable.write(change.bytes, change.position);
      this.#changedBytes -= change.bytes.length;
    } else if (change.truncates) this.#durable.cut(change.lengthAfter);
    this.#durableLength = change.lengthAfter;
  }

  #note(change: { position: number; bytes: Uint8Array | null; truncates: boolean }): void {
    this.#changes.push({ ...change, order: this.#order++, lengthAfter: this.#length });
  }
}

const FATES = ["lost", "whole", "prefix", "sectors"] as const;
