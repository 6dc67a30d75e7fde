import { Buffer } from "node:buffer";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { hostPlatform, type Logger, PlatformError } from "@rmq/platform";
import type { StoredMessage } from "@rmq/protocol";
import type { EntryView, LogReader, ReadDone } from "./log_reader.ts";

/*
 * For tests: the stores that a Java broker wrote (tests/golden), a log held in memory, temporary directories.
 */
const goldenDirectory = new URL("../../tests/golden/", import.meta.url);

/** One message of the golden stores as the manifest tells it. */
export interface GoldenMessage {
  topic: string;
  queueId: number;
  queueOffset: number;
  physical: number;
  size: number;
  storeTimestamp: number;
  keys: string | null;
  tags: string | null;
}

export interface GoldenStore {
  /** Content by path below the store's root. */
  files: Map<string, Uint8Array>;
  maxPhysicalOffset: number;
  /** By `topic@queueId`. */
  maxQueueOffsets: Record<string, number>;
  messages: GoldenMessage[];
}

interface Manifest {
  columns: string[];
  clean: ManifestPart;
  killed: ManifestPart;
}

interface ManifestPart {
  maxPhysicalOffset: number;
  maxQueueOffsets: Record<string, number>;
  messages: (string | number | null)[][];
}

export const GOLDEN_SEGMENT_BYTES = 1_048_576;
export const GOLDEN_QUEUE_FILE_BYTES = 1000;
export const GOLDEN_SLOTS = 100;
export const GOLDEN_INDEX_ENTRIES = 400;

/** The golden store after a clean stop, or after a kill. */
export function goldenStore(which: "clean" | "killed"): GoldenStore {
  const manifest = JSON.parse(readFileSync(new URL("manifest.json", goldenDirectory), "utf8")) as Manifest;
  const part = manifest[which];
  const rows = which === "clean" ? part.messages : [...manifest.clean.messages, ...part.messages];
  const files = untar(gunzipSync(readFileSync(new URL(`store-${which}.tar.gz`, goldenDirectory))));
  const named = rows.map((row) => Object.fromEntries(manifest.columns.map((name, i) => [name, row[i]])));
  const messages = named.map((row) => ({ ...row, physical: row.commitLogOffset })) as unknown as GoldenMessage[];
  return { files, maxPhysicalOffset: part.maxPhysicalOffset, maxQueueOffsets: part.maxQueueOffsets, messages };
}

/** Regular files of a tar archive below `store/`, but for the timer wheel, which is large and empty. */
function untar(tar: Uint8Array): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const text = (at: number, length: number): string =>
    Buffer.from(tar.buffer, tar.byteOffset + at, length).toString("utf8").split("\0")[0];
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0;) {
    const name = text(at + 345, 155) + text(at, 100);
    const size = parseInt(text(at + 124, 12), 8);
    const kind = String.fromCharCode(tar[at + 156]);
    const path = name.replace(/^\.\//, "").replace(/^store\//, "");
    if (kind === "0" && path !== "timerwheel") files.set(path, tar.slice(at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}

/** Writes those files whose path starts with `prefix` below `root`. */
export function unpack(store: GoldenStore, prefix: string, root: string): void {
  for (const [path, bytes] of store.files) {
    if (!path.startsWith(prefix)) continue;
    const target = join(root, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, bytes);
  }
}

/** Runs `body` with a fresh directory that is removed afterwards. */
export async function withDirectory(body: (directory: string) => Promise<void> | void): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "rmq-store-"));
  // Timers don't keep a process alive; a broker's listening port does.
  const alive = await hostPlatform().net.listen({ host: "127.0.0.1", port: 0 }, () => {}, () => {});
  try {
    await body(directory);
  } finally {
    alive.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

export const quiet: Logger = { info() {}, warn() {}, error() {} };

/** A log in memory. `later` makes reads answer in a later turn, as from a disk; `hot` is where the tail begins. */
export class MemoryLog implements LogReader {
  minOffset = 0;
  visible: number;
  hot = 0;
  later: ((run: () => void) => void) | null = null;
  reads = 0;

  constructor(public bytes: Uint8Array) {
    this.visible = bytes.length;
  }

  static of(store: GoldenStore): MemoryLog {
    const names = [...store.files.keys()].filter((path) => path.startsWith("commitlog/")).sort();
    const bytes = new Uint8Array(names.length * GOLDEN_SEGMENT_BYTES);
    names.forEach((name, i) => bytes.set(store.files.get(name) ?? new Uint8Array(0), i * GOLDEN_SEGMENT_BYTES));
    const log = new MemoryLog(bytes);
    log.visible = store.maxPhysicalOffset;
    return log;
  }

  view(offset: number, size: number, out: EntryView): boolean {
    if (offset < this.hot || offset + size > this.visible) return false;
    out.bytes = this.bytes;
    out.start = offset;
    return true;
  }

  cached(offset: number, size: number, out: EntryView): boolean {
    return this.view(offset, size, out);
  }

  read(offset: number, size: number, done: ReadDone): void {
    this.reads++;
    const run = (): void => {
      if (offset < this.minOffset || offset + size > this.visible) {
        return done(new PlatformError("EINVAL", "not in the log"), new Uint8Array(0), 0);
      }
      // A copy that dies with the call, as nothing more is promised.
      const copy = this.bytes.slice(offset, offset + size);
      done(null, copy, 0);
      copy.fill(0xee);
    };
    if (this.later === null) run();
    else this.later(run);
  }

  /** Calls `each` with every entry from `from` on, in a view that is used again. */
  scan(message: StoredMessage, from: number, each: () => void): void {
    for (let at = from; at < this.visible;) {
      const size = message.parse(this.bytes, at, this.bytes.length, false);
      if (size < 0) throw new Error(`no entry at ${at}`);
      if (size > 0) each();
      at += message.size;
    }
  }
}
