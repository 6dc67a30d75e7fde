import { closeSync, openSync, readFileSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import process from "node:process";
import { codeOf } from "../errors.ts";
import type { Libc } from "../native/libc.ts";
import { takeRecordLock } from "../native/record_lock.ts";
import { PlatformError } from "../types.ts";

// Record locks belong to the process: a second one would be granted, and closing any descriptor of the file gives it up.
const held = new Set<string>();

/** Implements `Files.lock`: a POSIX record lock, or a file with the holder's pid where there is no FFI. */
export function lockFile(libc: Libc | null, path: string, content: string): { release(): void } {
  const present = identity(path);
  if (present !== null && held.has(present)) throw locked(path);
  const letGo = libc === null ? takePidFile(path, content) : takeRecord(libc, path, content);
  const name = identity(path);
  if (name !== null) held.add(name);
  return {
    release: () => {
      if (name !== null && !held.delete(name)) return;
      letGo();
    },
  };
}

function takeRecord(libc: Libc, path: string, content: string): () => void {
  // Opens through the runtime first, which tells precisely why a path can't be opened.
  closeSync(openSync(path, "a"));
  const descriptor = takeRecordLock(libc, path, content);
  if (descriptor === null) throw locked(path);
  return () => void libc.close(descriptor);
}

function takePidFile(path: string, content: string): () => void {
  const owner = `${path}.pid`;
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      writeFileSync(owner, String(process.pid), { flag: "wx" });
      writeFileSync(path, content);
      return () => unlinkSync(owner);
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
      const holder = Number(readFileSync(owner, "latin1"));
      if (isAlive(holder)) throw locked(path);
      unlinkSync(owner);
    }
  }
  throw locked(path);
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === "EPERM";
  }
}

function identity(path: string): string | null {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? null : `${found.dev}:${found.ino}`;
}

function locked(path: string): PlatformError {
  return new PlatformError("ELOCKED", `${path} is locked by another process`);
}
