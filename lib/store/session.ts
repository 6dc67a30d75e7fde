import type { Clock, Done, Files } from "@rmq/platform";
import { asPlatformError } from "./platform_error.ts";
import { writeFully } from "./small_file.ts";

const NAME = "abort";
const MARK = "rmq ";

/**
 * The `abort` file (storage §6): there while a broker runs, so that a later start knows that this one did not end
 * well. Its first line is the process id, as Java writes it; ours has a second one, which names the run: a Java broker
 * that ran since has written its own file.
 */
export class Session {
  readonly #path: string;

  constructor(private readonly files: Files, private readonly root: string) {
    this.#path = `${root}/${NAME}`;
  }

  /** Null: the last run ended cleanly. Else the word of the run of ours that did not, or "" when it was another broker's. */
  left(): string | null {
    const bytes = this.files.readWhole(this.#path);
    if (bytes === null) return null;
    const line = new TextDecoder().decode(bytes).split("\n")[1] ?? "";
    return line.startsWith(MARK) ? line.slice(MARK.length) : "";
  }

  /** A word for a new run. */
  static word(clock: Clock): string {
    return `${clock.nowMs().toString(36)}-${Math.floor(clock.monotonicUs()).toString(36)}`;
  }

  /** Brings the file of a run to disk. */
  begin(word: string, processId: number, done: Done): void {
    let file;
    try {
      this.files.remove(this.#path);
      file = this.files.open(this.#path, { create: true });
      writeFully(file, new TextEncoder().encode(`${processId}\n${MARK}${word}\n`), 0);
    } catch (error) {
      file?.close();
      return done(asPlatformError(error));
    }
    const written = file;
    written.syncData((error) => {
      written.close();
      if (error !== null) return done(error);
      this.files.syncDirectory(this.root, done);
    });
  }

  /** Removes the file, durably: the run ended cleanly. */
  end(done: Done): void {
    try {
      this.files.remove(this.#path);
    } catch (error) {
      return done(asPlatformError(error));
    }
    this.files.syncDirectory(this.root, done);
  }
}
