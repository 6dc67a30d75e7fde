import { type File, type Files, PlatformError } from "@rmq/platform";

/** A bounded number of open files, by path; the one that was not used for longest is closed for the next. */
export class FilePool {
  readonly #files: Files;
  readonly #limit: number;
  readonly #open = new Map<string, File>();
  #last: File | null = null;

  /** Keeps at most `limit` (at least 1) files open. */
  constructor(files: Files, limit: number) {
    this.#files = files;
    this.#limit = Math.max(1, limit);
  }

  /** The file, opened if need be, or null when it does not exist and `create` is false. Use it at once, don't keep it. */
  get(path: string, create = false): File | null {
    if (this.#last !== null && this.#last.path === path) return this.#last;
    let file = this.#open.get(path);
    if (file !== undefined) this.#open.delete(path);
    else {
      while (this.#open.size >= this.#limit) this.#closeOldest();
      try {
        file = this.#files.open(path, { create });
      } catch (error) {
        if (!create && error instanceof PlatformError && error.code === "ENOENT") return null;
        throw error;
      }
    }
    this.#open.set(path, file);
    this.#last = file;
    return file;
  }

  /** Closes one file, if it is open. */
  close(path: string): void {
    this.#open.get(path)?.close();
    this.#open.delete(path);
    if (this.#last?.path === path) this.#last = null;
  }

  /** Closes all files below a directory. */
  closeBelow(directory: string): void {
    for (const path of [...this.#open.keys()]) {
      if (path.startsWith(directory + "/")) this.close(path);
    }
  }

  closeAll(): void {
    for (const file of this.#open.values()) file.close();
    this.#open.clear();
    this.#last = null;
  }

  #closeOldest(): void {
    for (const path of this.#open.keys()) return this.close(path);
  }
}
