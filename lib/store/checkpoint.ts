import type { Done, File, Files } from "@rmq/platform";
import { asPlatformError } from "./platform_error.ts";
import { writeFully } from "./small_file.ts";

/*
 * Apache's `checkpoint` (storage §6, `StoreCheckpoint`), 4096 bytes, longs:
 *
 * |  0 | physicMsgTimestamp   store time, ms, up to which the log is on disk                |
 * |  8 | logicsMsgTimestamp   store time, ms, up to which the consume queues are            |
 * | 16 | indexMsgTimestamp    store time, ms, up to which the index files are               |
 * | 24 | masterFlushedOffset                                                               |
 * | 32 | confirmPhyOffset                                                                  |
 * | 40 | logicsPhysicalOffset physical offset up to which the consume queues are on disk    |
 */
const FILE_BYTES = 4096;
const PHYSIC_TIMESTAMP = 0;
const LOGICS_TIMESTAMP = 8;
const INDEX_TIMESTAMP = 16;
const LOGICS_PHYSICAL = 40;

/** How far behind its times Apache starts to recover, ms. */
const MARGIN_MS = 3000;

/** The `checkpoint` file: from it a Java broker recovers what we left, and we what it left. */
export class Checkpoint {
  readonly #bytes = new Uint8Array(FILE_BYTES);
  readonly #view = new DataView(this.#bytes.buffer);
  readonly #path: string;
  #file: File | null = null;
  /** The directory has the file's name for good: without it a power cut takes the file, and the index with it. */
  #named = false;

  constructor(private readonly files: Files, private readonly root: string) {
    this.#path = `${root}/checkpoint`;
  }

  /** Reads what is there; an absent or short file counts as zeros. Throws PlatformError. */
  load(): void {
    const found = this.files.readWhole(this.#path);
    if (found !== null && found.length >= LOGICS_PHYSICAL + 8) this.#bytes.set(found.subarray(0, FILE_BYTES));
  }

  /** Store time up to which the index files were on disk, ms. */
  get indexTimestamp(): number {
    return this.#read(INDEX_TIMESTAMP);
  }

  /** Store time, ms, before which log and queues are surely complete. */
  get minTimestamp(): number {
    return Math.max(0, Math.min(this.#read(PHYSIC_TIMESTAMP), this.#read(LOGICS_TIMESTAMP)) - MARGIN_MS);
  }

  /** What stands in it, for comparison. */
  get fingerprint(): string {
    let text = "";
    for (let at = 0; at < LOGICS_PHYSICAL + 8; at += 8) text += `${this.#read(at)} `;
    return text.trimEnd();
  }

  /** Sets what log and queues hold: all up to a store time and a physical offset. */
  setLogAndQueues(timestampMs: number, physicalOffset: number): void {
    this.#write(PHYSIC_TIMESTAMP, timestampMs);
    this.#write(LOGICS_TIMESTAMP, timestampMs);
    this.#write(LOGICS_PHYSICAL, physicalOffset);
  }

  /** Sets what the index files hold: all up to a store time. */
  setIndex(timestampMs: number): void {
    this.#write(INDEX_TIMESTAMP, timestampMs);
  }

  /** Brings it to disk. */
  save(done: Done): void {
    try {
      this.#file ??= this.files.open(this.#path, { create: true });
      writeFully(this.#file, this.#bytes, 0);
    } catch (error) {
      return done(asPlatformError(error));
    }
    this.#file.syncData((error) => {
      if (error !== null || this.#named) return done(error);
      this.files.syncDirectory(this.root, (error) => {
        this.#named = error === null;
        done(error);
      });
    });
  }

  close(): void {
    this.#file?.close();
    this.#file = null;
  }

  #read(at: number): number {
    const value = this.#view.getInt32(at) * 0x1_0000_0000 + this.#view.getUint32(at + 4);
    return Number.isSafeInteger(value) && value > 0 ? value : 0;
  }

  #write(at: number, value: number): void {
    this.#view.setInt32(at, Math.floor(value / 0x1_0000_0000));
    this.#view.setUint32(at + 4, value >>> 0);
  }
}
