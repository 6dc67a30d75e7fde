import type { Done, File, Files } from "@rmq/platform";
import { int64At, putInt64 } from "./consume_queue_layout.ts";
import { makeDirectoriesDurably } from "./durable_directory.ts";
import { asPlatformError } from "./platform_error.ts";
import { writeFully } from "./small_file.ts";

/*
 * `config/timercheck` (storage sheet §11; Apache: `TimerCheckpoint`), 4096 bytes, longs:
 *
 * |  0 | lastReadTimeMs         ticks before it are delivered                                |
 * |  8 | lastTimerLogFlushPos   the wheel on disk holds all units of the timer log before it  |
 * | 16 | lastTimerQueueOffset   messages of the timer topic before it have their unit         |
 * | 24 | masterTimerQueueOffset the same at the master                                       |
 * | 32 | state version, 40 timestamp, 48 counter of its version                               |
 */
const FILE_BYTES = 4096;
const USED_BYTES = 56;

/** What the checkpoint of the timers says. */
export interface TimerProgress {
  /** Ticks before it are delivered, ms. */
  readonly readMs: number;
  /** The wheel on disk holds all units of the timer log before this position. */
  readonly logPosition: number;
  /** Messages of the timer topic before this queue offset have their unit. */
  readonly queueOffset: number;
}

/** The checkpoint of the timers: from it a Java broker goes on, and we from its. */
export class TimerCheck {
  readonly #files: Files;
  readonly #directory: string;
  readonly #bytes = new Uint8Array(FILE_BYTES);
  #file: File | null = null;
  #named = false;

  /** `root`: `storePathRootDir`. */
  constructor(files: Files, root: string) {
    this.#files = files;
    this.#directory = `${root}/config`;
  }

  /** What stands in the file; null: there is none. Throws PlatformError. */
  load(): TimerProgress | null {
    const found = this.#files.readWhole(`${this.#directory}/timercheck`);
    if (found === null || found.length < USED_BYTES) return null;
    this.#bytes.set(found.subarray(0, USED_BYTES));
    const [readMs, logPosition, queueOffset] = [0, 8, 16].map((at) => Math.max(0, int64At(this.#bytes, at)));
    return { readMs, logPosition, queueOffset };
  }

  /** The bytes as request 60 asks for them. */
  encoded(): Uint8Array {
    return this.#bytes.slice(0, USED_BYTES);
  }

  /** Brings a progress to disk. */
  save(progress: TimerProgress, nowMs: number, done: Done): void {
    const bytes = this.#bytes;
    putInt64(bytes, 0, progress.readMs);
    putInt64(bytes, 8, progress.logPosition);
    putInt64(bytes, 16, progress.queueOffset);
    putInt64(bytes, 24, progress.queueOffset);
    putInt64(bytes, 40, nowMs);
    putInt64(bytes, 48, int64At(bytes, 48) + 1);
    if (this.#named) return this.#write(done);
    makeDirectoriesDurably(this.#files, [this.#directory]).then(
      () => this.#write(done),
      (error) => done(asPlatformError(error)),
    );
  }

  #write(done: Done): void {
    try {
      this.#file ??= this.#files.open(`${this.#directory}/timercheck`, { create: true });
      writeFully(this.#file, this.#bytes, 0);
    } catch (error) {
      return done(asPlatformError(error));
    }
    this.#file.syncData((error) => {
      if (error !== null || this.#named) return done(error);
      this.#files.syncDirectory(this.#directory, (error) => {
        this.#named = error === null;
        done(error);
      });
    });
  }

  /** Closes the file. */
  close(): void {
    this.#file?.close();
    this.#file = null;
  }
}
