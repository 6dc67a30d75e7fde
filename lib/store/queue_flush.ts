import type { Clock, Done, Files } from "@rmq/platform";
import type { PlatformError } from "@rmq/platform";
import type { ConsumeQueue } from "./consume_queue.ts";
import { writeSome } from "./consume_queue_files.ts";
import type { FilePool } from "./file_pool.ts";
import { asPlatformError } from "./platform_error.ts";

/** Syncs under way at once: enough for the journal to take several in one go, few enough not to crowd out the log's. */
const SYNCS_AT_ONCE = 8;
/** Longest stretch of writing in one turn, microseconds. */
const SLICE_US = 2000;

/** What was written and is not synced; it outlives a flush that failed. */
export interface Unsynced {
  readonly files: Set<string>;
  readonly directories: Set<string>;
}

/** One flush of a list of queues: writes them in slices, syncs each file and then each directory that changed. */
export class QueueFlush {
  readonly #clock: Clock;
  readonly #files: Files;
  #next = 0;
  /** Files of the present queue that this flush has written. */
  readonly #paths = new Set<string>();
  #underWay = 0;
  #error: PlatformError | null = null;
  #waiting = false;
  #running = false;
  #finished = false;

  constructor(
    platform: { readonly clock: Clock; readonly files: Files },
    readonly pool: FilePool,
    readonly queues: readonly ConsumeQueue[],
    readonly unsynced: Unsynced,
    readonly done: Done,
  ) {
    this.#clock = platform.clock;
    this.#files = platform.files;
  }

  /** Goes on until nothing is left or syncs must be waited for; called again by each of them. */
  run(): void {
    if (this.#running || this.#waiting) return;
    this.#running = true;
    const end = this.#clock.monotonicUs() + SLICE_US;
    while (this.#underWay < SYNCS_AT_ONCE && this.#step()) {
      if (this.#clock.monotonicUs() > end) {
        this.#running = false;
        return this.#later();
      }
    }
    this.#running = false;
    if (this.#underWay > 0) return;
    if (this.#error === null) this.#syncDirectories();
    else this.#finish();
  }

  #later(): void {
    this.#waiting = true;
    this.#clock.setTimer(0, () => {
      this.#waiting = false;
      this.run();
    });
  }

  /** One queue, or one file that a spill has written; false: nothing is left. */
  #step(): boolean {
    if (this.#next < this.queues.length) {
      if (this.#write(this.queues[this.#next])) this.#next++;
      return true;
    }
    if (this.#error !== null) return false;
    for (const path of this.unsynced.files) {
      this.#sync(path, new Share(null, 0, 1));
      return true;
    }
    return false;
  }

  /** Writes a part of the queue; true: that was the last one, and its files are being synced. */
  #write(queue: ConsumeQueue): boolean {
    queue.dirty = false;
    try {
      const path = writeSome(queue);
      if (path !== null) {
        this.#paths.add(path);
        return false;
      }
    } catch (error) {
      this.#failed(new Share(queue, 0, 0), asPlatformError(error));
    }
    const paths = [...this.#paths];
    this.#paths.clear();
    const share = new Share(queue, queue.written, paths.length);
    for (const path of paths) this.#sync(path, share);
    return true;
  }

  #sync(path: string, share: Share): void {
    this.unsynced.files.delete(path);
    let file;
    try {
      file = this.pool.get(path);
    } catch (error) {
      this.unsynced.files.add(path);
      return this.#failed(share, asPlatformError(error));
    }
    if (file === null) return; // Removed with its topic or by retention: nothing to keep.
    this.#underWay++;
    file.syncData((error) => {
      this.#underWay--;
      if (error !== null) {
        this.unsynced.files.add(path);
        this.#failed(share, error);
      } else share.oneDone();
      this.run();
    });
  }

  /** After a failed sync its pages may count as clean though they are not on disk: they are written again. */
  #failed(share: Share, error: PlatformError): void {
    this.#error ??= error;
    const queue = share.queue;
    share.left = Infinity;
    if (queue === null || queue.deleted) return;
    if (queue.bufferStart <= queue.synced) queue.written = Math.min(queue.written, queue.synced);
    if (!queue.dirty) {
      queue.dirty = true;
      queue.disk.dirty.push(queue);
    }
  }

  /** Several at once too; each leaves the set when it is synced. */
  #syncDirectories(): void {
    const directories = this.unsynced.directories;
    const rest = [...directories];
    let underWay = 0;
    const next = (): void => {
      while (underWay < SYNCS_AT_ONCE && rest.length > 0 && this.#error === null) {
        const directory = rest.pop() ?? "";
        try {
          if (this.#files.stat(directory) === null) {
            // Gone with its topic: nothing to keep.
            directories.delete(directory);
            continue;
          }
        } catch (error) {
          this.#error ??= asPlatformError(error);
          continue;
        }
        underWay++;
        this.#files.syncDirectory(directory, (error) => {
          underWay--;
          this.#error ??= error;
          if (error === null) directories.delete(directory);
          next();
        });
      }
      if (underWay === 0 && (rest.length === 0 || this.#error !== null)) this.#finish();
    };
    next();
  }

  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.done(this.#error);
  }
}

/** The files of one queue that one flush syncs: the queue is synced up to `end` when all of them are. */
class Share {
  constructor(readonly queue: ConsumeQueue | null, readonly end: number, public left: number) {}

  oneDone(): void {
    const queue = this.queue;
    if (--this.left > 0 || queue === null) return;
    if (this.end > queue.synced && this.end <= queue.written) queue.synced = this.end;
  }
}
