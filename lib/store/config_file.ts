import type { Clock, Done, File, Files } from "@rmq/platform";
import { PlatformError } from "@rmq/platform";
import { makeDirectoriesDurably } from "./durable_directory.ts";
import { asPlatformError } from "./platform_error.ts";

const decoder = new TextDecoder("utf-8", { fatal: true });
const encoder = new TextEncoder();
/** A large file is written in pieces, between which the loop turns. */
const PIECE_BYTES = 1024 * 1024;

/**
 * One JSON file below `config/`, with its previous version beside it as `.bak` (storage sheet §15; Apache: `ConfigManager`).
 * Saves are durable when `done` is called; saves asked for while one is under way become one.
 */
export class ConfigFile {
  readonly #files: Files;
  readonly #clock: Clock;
  readonly #directory: string;
  #next: { text: () => string | Uint8Array; waiting: Done[] } | null = null;
  #busy = false;
  #hasDirectory = false;

  /** `path` is the file's; its directory is made at the first save. */
  constructor(platform: { readonly clock: Clock; readonly files: Files }, readonly path: string) {
    this.#files = platform.files;
    this.#clock = platform.clock;
    this.#directory = path.slice(0, Math.max(path.lastIndexOf("/"), 1));
  }

  /**
   * The text of the file, or of `.bak` when the file is missing, empty, not UTF-8, or `accept` returns false or throws;
   * null when neither serves.
   */
  load(accept: (text: string) => boolean): string | null {
    return this.#read(this.path, accept) ?? this.#read(this.path + ".bak", accept);
  }

  /**
   * Replaces the file: the old one becomes `.bak`, the new one is written and synced, then the directory.
   * A function is asked for the text when the write begins, so that a coalesced save writes the newest state. Bytes are
   * UTF-8 and must not change until `done`.
   */
  save(text: string | Uint8Array | (() => string | Uint8Array), done: Done): void {
    const produce = typeof text === "function" ? text : () => text;
    if (this.#next === null) this.#next = { text: produce, waiting: [done] };
    else {
      this.#next.text = produce;
      this.#next.waiting.push(done);
    }
    if (!this.#busy) this.#run();
  }

  #read(path: string, accept: (text: string) => boolean): string | null {
    try {
      const bytes = this.#files.readWhole(path);
      if (bytes === null || bytes.length === 0) return null;
      const text = decoder.decode(bytes);
      return accept(text) ? text : null;
    } catch {
      // What can't be read or understood is what the .bak is there for.
      return null;
    }
  }

  #run(): void {
    const job = this.#next;
    if (job === null) return;
    this.#next = null;
    this.#busy = true;
    this.#write(job.text, (error) => {
      this.#busy = false;
      for (const done of job.waiting) done(error);
      if (!this.#busy) this.#run();
    });
  }

  #write(text: () => string | Uint8Array, done: Done): void {
    if (this.#hasDirectory) return this.#writeFresh(text, done);
    makeDirectoriesDurably(this.#files, [this.#directory]).then(() => {
      this.#hasDirectory = true;
      this.#writeFresh(text, done);
    }, (error) => done(asPlatformError(error)));
  }

  #writeFresh(text: () => string | Uint8Array, done: Done): void {
    try {
      const content = text();
      const bytes = typeof content === "string" ? encoder.encode(content) : content;
      // Written beside and renamed over: at no instant is there neither a whole new nor a whole old file under the two names.
      const fresh = this.path + ".tmp";
      this.#files.remove(fresh);
      const file = this.#files.open(fresh, { create: true });
      this.#writePieces(file, bytes, 0, (error) => {
        file.close();
        if (error !== null) return done(error);
        this.#exchange(fresh, done);
      });
    } catch (error) {
      done(asPlatformError(error));
    }
  }

  /** Writes what lies from `position` on, and syncs at the end. */
  #writePieces(file: File, bytes: Uint8Array, position: number, done: Done): void {
    const end = Math.min(position + PIECE_BYTES, bytes.length);
    try {
      if (file.writeAt(bytes.subarray(position, end), position) !== end - position) {
        throw new PlatformError("EIO", `${file.path}: short write`);
      }
    } catch (error) {
      return done(asPlatformError(error));
    }
    if (end === bytes.length) file.syncData(done);
    else this.#clock.setTimer(0, () => this.#writePieces(file, bytes, end, done));
  }

  #exchange(fresh: string, done: Done): void {
    try {
      if (this.#files.stat(this.path) !== null) this.#files.rename(this.path, this.path + ".bak");
      this.#files.rename(fresh, this.path);
    } catch (error) {
      return done(asPlatformError(error));
    }
    this.#files.syncDirectory(this.#directory, done);
  }
}
