import type { File, Platform, PlatformError } from "@rmq/platform";

type Saved = (error: PlatformError | null) => void;

/**
 * A small file that is replaced as a whole: written beside, synced, renamed, and the directory synced. Changes that
 * come while one is being saved share the next save.
 */
export class DurableFile {
  readonly #platform: Platform;
  readonly #path: string;
  readonly #directory: string;
  #saving = false;
  #content: () => Uint8Array = () => new Uint8Array(0);
  #waiting: Saved[] = [];

  constructor(platform: Platform, path: string) {
    this.#platform = platform;
    this.#path = path;
    this.#directory = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) || "/" : ".";
  }

  /** `content` is asked when the save begins; `saved` runs when it is durable, or failed. */
  save(content: () => Uint8Array, saved: Saved): void {
    this.#content = content;
    this.#waiting.push(saved);
    if (!this.#saving) this.#start();
  }

  #start(): void {
    this.#saving = true;
    const waiting = this.#waiting;
    this.#waiting = [];
    const finish = (error: PlatformError | null): void => {
      this.#saving = false;
      for (const saved of waiting) saved(error);
      if (this.#waiting.length > 0 && !this.#saving) this.#start();
    };
    try {
      this.#write(finish);
    } catch (error) {
      finish(error as PlatformError);
    }
  }

  #write(finish: Saved): void {
    const { files } = this.#platform;
    const beside = `${this.#path}.tmp`;
    files.makeDirectory(this.#directory);
    files.remove(beside);
    const file: File = files.open(beside, { create: true });
    const bytes = this.#content();
    file.writeAt(bytes, 0);
    file.syncData((error) => {
      file.close();
      if (error !== null) return finish(error);
      try {
        files.rename(beside, this.#path);
        files.syncDirectory(this.#directory, finish);
      } catch (failure) {
        finish(failure as PlatformError);
      }
    });
  }
}
