import { closeSync, fstatSync, ftruncateSync, readSync, writeSync } from "node:fs";
import { platformError } from "../errors.ts";
import { type Done, type File, PlatformError } from "../types.ts";
import type { DataSync } from "./data_sync.ts";
import type { ReadPool } from "./read_pool.ts";

/** A file by its descriptor, with `node:fs`'s positional calls (pread, pwrite in all three runtimes). */
export class HostFile implements File {
  readonly path: string;
  /** How often it was synced; the sync thread goes by it. */
  syncs = 0;
  readonly #descriptor: number;
  readonly #sync: DataSync;
  readonly #reads: ReadPool;
  // A descriptor that is closed under a running operation gets its number reused: operations are counted.
  #inFlight = 0;
  #closed = false;

  constructor(path: string, descriptor: number, sync: DataSync, reads: ReadPool) {
    this.path = path;
    this.#descriptor = descriptor;
    this.#sync = sync;
    this.#reads = reads;
  }

  writeAt(bytes: Uint8Array, position: number): number {
    this.#mustBeOpen();
    let written = 0;
    try {
      while (written < bytes.length) {
        const taken = writeSync(this.#descriptor, bytes, written, bytes.length - written, position + written);
        if (taken === 0) break;
        written += taken;
      }
    } catch (error) {
      throw platformError(error);
    }
    return written;
  }

  readAtSync(into: Uint8Array, position: number): number {
    this.#mustBeOpen();
    try {
      return into.length === 0 ? 0 : readSync(this.#descriptor, into, 0, into.length, position);
    } catch (error) {
      throw platformError(error);
    }
  }

  readAt(into: Uint8Array, position: number, done: (error: PlatformError | null, bytesRead: number) => void): void {
    this.#mustBeOpen();
    this.#inFlight++;
    this.#reads.read(this.#descriptor, into, position, (error, bytesRead) => {
      this.#landed();
      if (error) done(platformError(error), 0);
      else done(null, bytesRead);
    });
  }

  syncData(done: Done): void {
    this.#mustBeOpen();
    this.#inFlight++;
    this.#sync.file(this, this.#descriptor, (error) => {
      this.#landed();
      done(error);
    });
  }

  truncate(length: number): void {
    this.#mustBeOpen();
    try {
      ftruncateSync(this.#descriptor, length);
    } catch (error) {
      throw platformError(error);
    }
  }

  size(): number {
    this.#mustBeOpen();
    try {
      return fstatSync(this.#descriptor).size;
    } catch (error) {
      throw platformError(error);
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#inFlight === 0) closeSync(this.#descriptor);
  }

  #landed(): void {
    this.#inFlight--;
    if (this.#closed && this.#inFlight === 0) closeSync(this.#descriptor);
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new PlatformError("EBADF", `${this.path} is closed`);
  }
}
