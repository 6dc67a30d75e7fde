import { type Done, type File, PlatformError } from "../types.ts";
import type { SimulatedDisk } from "./disk.ts";
import { errorOf } from "./faults.ts";
import type { Inode } from "./inode.ts";
import type { Life } from "./life.ts";
import { PAGE_BYTES } from "./pages.ts";
import type { Scheduler } from "./scheduler.ts";

/** What the files of one process stand on. */
export interface FileWorld {
  readonly disk: SimulatedDisk;
  readonly scheduler: Scheduler;
  readonly life: Life;
  nowMs(): number;
}

/** An open file of a simulated process. */
export class SimulatedFile implements File {
  readonly path: string;
  readonly #inode: Inode;
  readonly #readOnly: boolean;
  readonly #world: FileWorld;
  #inFlight = 0;
  #closed = false;

  constructor(path: string, inode: Inode, readOnly: boolean, world: FileWorld) {
    this.path = path;
    this.#inode = inode;
    this.#readOnly = readOnly;
    this.#world = world;
    inode.uses++;
    world.life.belongings.add(this);
  }

  writeAt(bytes: Uint8Array, position: number): number {
    this.#mustBeWritable();
    const { disk } = this.#world;
    const fault = disk.faults.take("write", this.path);
    if (fault !== null) {
      this.#write(bytes.subarray(0, Math.min(fault.shortWrite ?? 0, bytes.length)), position);
      throw errorOf(fault, this.path);
    }
    const written = this.#write(bytes, position);
    if (written < bytes.length) throw new PlatformError("ENOSPC", `${this.path}: no space left on device`);
    return written;
  }

  readAtSync(into: Uint8Array, position: number): number {
    this.#mustBeOpen();
    this.#world.disk.faults.strike("read", this.path);
    return this.#inode.read(into, position);
  }

  readAt(into: Uint8Array, position: number, done: (error: PlatformError | null, bytesRead: number) => void): void {
    this.#mustBeOpen();
    this.#inFlight++;
    const { disk, scheduler, life } = this.#world;
    scheduler.after(life, disk.latencyMs.read, () => {
      this.#landed();
      const fault = disk.faults.take("read", this.path);
      if (fault !== null) done(errorOf(fault, this.path), 0);
      else done(null, this.#inode.read(into, position));
    });
  }

  syncData(done: Done): void {
    this.#mustBeOpen();
    this.#inFlight++;
    const { disk, scheduler, life } = this.#world;
    const mark = this.#inode.mark();
    scheduler.after(life, disk.latencyMs.sync, () => {
      this.#landed();
      const fault = disk.faults.take("sync", this.path);
      if (fault === null) {
        disk.syncs++;
        this.#inode.synced(mark);
        return done(null);
      }
      this.#inode.syncFailed(mark);
      done(errorOf(fault, this.path));
    });
  }

  truncate(length: number): void {
    this.#mustBeWritable();
    const { disk } = this.#world;
    disk.faults.strike("truncate", this.path);
    const before = this.#inode.pages;
    this.#inode.truncate(length);
    this.#inode.modifiedMs = this.#world.nowMs();
    disk.givePages(before - this.#inode.pages);
  }

  size(): number {
    this.#mustBeOpen();
    return this.#inode.length;
  }

  close(): void {
    if (this.#closed || !this.#world.life.alive) return;
    this.#closed = true;
    if (this.#inFlight === 0) this.#letGo();
  }

  /** The process that had it open is dead. */
  abandon(): void {
    this.#world.disk.drop(this.#inode);
  }

  // Up to where the space lasts; returns how much that was.
  #write(bytes: Uint8Array, position: number): number {
    const { disk } = this.#world;
    const wanted = this.#inode.missingPages(position, bytes.length);
    const got = disk.takePages(wanted);
    let count = bytes.length;
    if (got < wanted) {
      // As a kernel that writes page by page: the pages that there was room for, up to a page's end.
      count = 0;
      while (count < bytes.length) {
        const piece = Math.min(bytes.length - count, PAGE_BYTES - ((position + count) % PAGE_BYTES));
        if (this.#inode.missingPages(position, count + piece) > got) break;
        count += piece;
      }
    }
    this.#inode.write(bytes.subarray(0, count), position);
    this.#inode.modifiedMs = this.#world.nowMs();
    return count;
  }

  #landed(): void {
    this.#inFlight--;
    if (this.#closed && this.#inFlight === 0) this.#letGo();
  }

  #letGo(): void {
    this.#world.life.belongings.delete(this);
    this.#world.disk.drop(this.#inode);
  }

  #mustBeOpen(): void {
    this.#world.life.mustLive();
    if (this.#closed) throw new PlatformError("EBADF", `${this.path} is closed`);
  }

  #mustBeWritable(): void {
    this.#mustBeOpen();
    if (this.#readOnly) throw new PlatformError("EBADF", `${this.path} is open for reading only`);
  }
}
