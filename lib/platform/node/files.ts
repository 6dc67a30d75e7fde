import {
  constants,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { codeOf, platformError } from "../errors.ts";
import type { Libc } from "../native/libc.ts";
import type { File, Files } from "../types.ts";
import type { DataSync } from "./data_sync.ts";
import { HostFile } from "./file.ts";
import { lockFile } from "./lock.ts";
import { ReadPool } from "./read_pool.ts";

const MODE = 0o644;

/** Opens a file in the way of one runtime. */
export type OpenFile = (
  path: string,
  options: { readonly create: boolean; readonly readOnly: boolean; readonly mode: number },
  reads: ReadPool,
) => File;

/** Opens with `node:fs`; `sync` brings what was written to the device. */
export function openOnNode(sync: DataSync): OpenFile {
  return (path, { create, readOnly, mode }, reads) => {
    const flags = (readOnly ? constants.O_RDONLY : constants.O_RDWR) | (create ? constants.O_CREAT : 0);
    return new HostFile(path, openSync(path, flags, mode), sync, reads);
  };
}

/** The machine's file system. `poolReads` bounds the reads that run off the loop at once. */
export function hostFiles(open: OpenFile, sync: DataSync, poolReads: number, libc: () => Libc | null): Files {
  const reads = new ReadPool(poolReads);
  return {
    open: (path, { create = false, readOnly = false } = {}) =>
      typed(() => open(path, { create, readOnly, mode: MODE }, reads)),
    readWhole: (path) =>
      unlessAbsent(null, () => {
        const bytes = readFileSync(path);
        return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
      }),
    writeWhole: (path, bytes) => typed(() => writeFileSync(path, bytes, { mode: MODE })),
    rename: (from, to) => typed(() => renameSync(from, to)),
    remove: (path) => unlessAbsent(undefined, () => unlinkSync(path)),
    removeTree: (path) => typed(() => rmSync(path, { recursive: true, force: true })),
    makeDirectory: (path) => typed(() => void mkdirSync(path, { recursive: true })),
    list: (path) => unlessAbsent([], () => readdirSync(path).sort()),
    stat: (path) =>
      unlessAbsent(null, () => {
        const found = statSync(path);
        return {
          isFile: found.isFile(),
          isDirectory: found.isDirectory(),
          size: found.size,
          modifiedMs: Math.floor(found.mtimeMs),
        };
      }),
    syncDirectory: (path, done) => sync.directory(path, done),
    space: (path) =>
      typed(() => {
        const found = statfsSync(path);
        return { totalBytes: found.blocks * found.bsize, freeBytes: found.bavail * found.bsize };
      }),
    lock: (path, content) => typed(() => lockFile(libc(), path, content)),
  };
}

function typed<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw platformError(error);
  }
}

function unlessAbsent<T>(absent: T, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (codeOf(error) === "ENOENT") return absent;
    throw platformError(error);
  }
}
