import type { Files, PlatformError } from "@rmq/platform";
import { asPlatformError } from "./platform_error.ts";
import { readObject, writeFully } from "./small_file.ts";
import { type Segments, settled } from "./segments.ts";

const NAME = "failed_sync.json";
const PIECE_BYTES = 1024 * 1024;

/**
 * Remembers over a kill that a sync of the log failed. The kernel then counts pages as clean that never reached the
 * disk: a process that starts later reads them and even syncs them without an error. Only writing them again helps.
 * The note itself needs no sync: it is wanted exactly as long as those pages are in memory.
 */
export class FailedSync {
  readonly #path: string;

  constructor(private readonly files: Files, root: string) {
    this.#path = `${root}/rmq/${NAME}`;
  }

  /** Notes that what stands from `offset` on may not be on disk. */
  note(offset: number): void {
    try {
      if (this.from() !== null) return;
      this.files.writeWhole(this.#path, new TextEncoder().encode(JSON.stringify({ from: offset }) + "\n"));
    } catch {
      // The disk fails altogether; there is no place left to note it.
    }
  }

  /**
   * All was written again and synced. A note that can't be removed does no harm: it makes the next start after a crash
   * write more again than it has to.
   */
  clear(): PlatformError | null {
    try {
      this.files.remove(this.#path);
      return null;
    } catch (error) {
      return asPlatformError(error);
    }
  }

  /** Physical offset from which on the log must be written again, null: no sync failed. Throws PlatformError. */
  from(): number | null {
    const from = readObject(this.files, this.#path)?.from;
    return typeof from === "number" && from >= 0 ? from : null;
  }
}

/** Writes [from, to) of the log again, as it reads now, so that the next sync means something. */
export async function rewriteLog(segments: Segments, from: number, to: number): Promise<void> {
  for (let at = Math.max(from, segments.minOffset); at < to;) {
    const segment = segments.at(at);
    if (segment === null) return;
    const end = Math.min(to, segment.base + segments.segmentBytes, at + PIECE_BYTES);
    const bytes = new Uint8Array(end - at);
    const position = at - segment.base;
    const file = segments.open(segment);
    await settled((done) => file.readAt(bytes, position, (error) => done(error)));
    writeFully(file, bytes, position);
    at = end;
  }
}
