import { closeSync, openSync } from "node:fs";
import { platformError } from "../errors.ts";
import type { ReadPool } from "../node/read_pool.ts";
import { type Done, type File, PlatformError } from "../types.ts";

/** What we use of `Deno.FsFile`, declared here so that the other runtimes' type checkers know it too. */
interface FsFile {
  seekSync(offset: number, whence: number): number;
  writeSync(bytes: Uint8Array): number;
  readSync(into: Uint8Array): number | null;
  syncData(): Promise<void>;
  truncateSync(length: number): void;
  statSync(): { size: number };
  close(): void;
}

interface DenoNames {
  openSync(path: string, options: { read: boolean; write: boolean; create: boolean; mode: number }): FsFile;
}

const SEEK_START = 0;

/** A file on `Deno.FsFile`. Its cursor is moved and used within one synchronous call, so nobody sees it move. */
export class DenoFile implements File {
  readonly path: string;
  readonly #file: FsFile;
  readonly #reads: ReadPool;
  /** FsFile's own asynchronous read would move the cursor under a write: these reads have a descriptor of their own. */
  #readDescriptor = -1;
  #inFlight = 0;
  #closed = false;

  constructor(path: string, options: { readOnly: boolean; create: boolean; mode: number }, reads: ReadPool) {
    const deno = (globalThis as unknown as { Deno: DenoNames }).Deno;
    this.path = path;
    this.#reads = reads;
    const { readOnly, create, mode } = options;
    this.#file = deno.openSync(path, { read: true, write: !readOnly, create, mode });
  }

  writeAt(bytes: Uint8Array, position: number): number {
    this.#mustBeOpen();
    let written = 0;
    try {
      this.#file.seekSync(position, SEEK_START);
      while (written < bytes.length) {
        const taken = this.#file.writeSync(written === 0 ? bytes : bytes.subarray(written));
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
    if (into.length === 0) return 0;
    try {
      this.#file.seekSync(position, SEEK_START);
      return this.#file.readSync(into) ?? 0;
    } catch (error) {
      throw platformError(error);
    }
  }

  readAt(into: Uint8Array, position: number, done: (error: PlatformError | null, bytesRead: number) => void): void {
    this.#mustBeOpen();
    try {
      if (this.#readDescriptor < 0) this.#readDescriptor = openSync(this.path, "r");
    } catch (error) {
      // Told like any other failure of the read: later.
      const reason = platformError(error);
      this.#inFlight++;
      void Promise.resolve().then(() => {
        this.#landed();
        done(reason, 0);
      });
      return;
    }
    this.#inFlight++;
    this.#reads.read(this.#readDescriptor, into, position, (error, bytesRead) => {
      this.#landed();
      if (error) done(platformError(error), 0);
      else done(null, bytesRead);
    });
  }

  syncData(done: Done): void {
    this.#mustBeOpen();
    this.#inFlight++;
    const landed = (error: PlatformError | null) => {
      this.#landed();
      done(error);
    };
    this.#file.syncData().then(() => landed(null), (error: unknown) => landed(platformError(error)));
  }

  truncate(length: number): void {
    this.#mustBeOpen();
    try {
      this.#file.truncateSync(length);
    } catch (error) {
      throw platformError(error);
    }
  }

  size(): number {
    this.#mustBeOpen();
    try {
      return this.#file.statSync().size;
    } catch (error) {
      throw platformError(error);
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#inFlight === 0) this.#release();
  }

  #landed(): void {
    this.#inFlight--;
    if (this.#closed && this.#inFlight === 0) this.#release();
  }

  #release(): void {
    this.#file.close();
    if (this.#readDescriptor >= 0) closeSync(this.#readDescriptor);
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new PlatformError("EBADF", `${this.path} is closed`);
  }
}
