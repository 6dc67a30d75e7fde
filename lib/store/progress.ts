import type { Done, Files } from "@rmq/platform";
import { readObject, replaceDurably } from "./small_file.ts";

/** What we record about ourselves; believed only when `abort` names the same session. */
export interface ProgressRecord {
  /** Which run wrote it: the same word stands in `abort`. */
  readonly session: string;
  /** Physical offset below which the log is on disk. */
  readonly durable: number;
  /** Physical offset below which every follower is on disk: recovery starts there. */
  readonly followers: number;
  /** Last store timestamp of the log, ms. */
  readonly storeTimestamp: number;
  /** The store was closed cleanly with its log ending at `durable`. */
  readonly clean: boolean;
  /** Apache's checkpoint as we left it: a broker that appended since has changed it. */
  readonly checkpoint: string;
}

const NAME = "progress.json";

/** Our own progress under `<root>/rmq/`, the one thing that tells recovery which part of the log only we can have written. */
export class Progress {
  readonly #directory: string;

  constructor(private readonly files: Files, root: string) {
    this.#directory = `${root}/rmq`;
  }

  /** The record, or null when there is none that makes sense. */
  load(): ProgressRecord | null {
    const found = readObject(this.files, `${this.#directory}/${NAME}`);
    if (found === null) return null;
    const { session, durable, followers, storeTimestamp, clean, checkpoint } = found;
    if (typeof session !== "string" || typeof checkpoint !== "string") return null;
    if (!isOffset(durable) || !isOffset(followers) || !isOffset(storeTimestamp)) return null;
    return { session, durable, followers, storeTimestamp, clean: clean === true, checkpoint };
  }

  /** Brings a record to disk. */
  save(record: ProgressRecord, done: Done): void {
    replaceDurably(this.files, this.#directory, NAME, JSON.stringify(record) + "\n", done);
  }
}

function isOffset(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
