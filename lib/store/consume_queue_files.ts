import { PlatformError } from "@rmq/platform";
import {
  blankUnits,
  isBlankUnit,
  offsetFileName,
  offsetOfFileName,
  UNIT_BYTES,
  unitPhysical,
  unitSize,
} from "./consume_queue_layout.ts";
import type { ConsumeQueue } from "./consume_queue.ts";
import { asPlatformError } from "./platform_error.ts";

const BLANK_CHUNK_UNITS = 4096;
/** Units that are written with one call: 1 MiB. */
const WRITE_UNITS = 52_428;
/** How far behind the last unit a crash's left-overs are looked for. */
const WIPE_BYTES = 64 * 1024;

/**
 * Finds out what a queue's files hold: the newest units are those that are written and point below `cut` (storage
 * sheet §7). With `clean` false the rest of the last file is wiped, because a crash may have left anything there.
 */
export function loadQueue(queue: ConsumeQueue, cut: number, clean: boolean): void {
  const { files, fileBytes } = queue.disk;
  const directory = queue.directory;
  let starts: number[] = [];
  for (const name of files.list(directory)) {
    const start = offsetOfFileName(name);
    if (start < 0 || start % fileBytes !== 0) continue;
    // A hole in the row of files: what lies before it can't be reached from the newest messages.
    if (starts.length > 0 && start !== starts[starts.length - 1] + fileBytes) starts = [];
    starts.push(start);
  }
  queue.starts = starts;
  cutQueue(queue, cut, clean);
}

/** Cuts a queue at the first unit that is not written or points to `cut` or beyond; its offsets go back with it. */
export function cutQueue(queue: ConsumeQueue, cut: number, clean: boolean): void {
  const { starts } = queue;
  const fileUnits = queue.disk.fileBytes / UNIT_BYTES;
  // Files and memory must agree before the search, and memory may hold units that no file has.
  const inMemory = cutMemory(queue, cut);
  let end = inMemory;
  while (end < 0 && starts.length > 0) {
    const first = starts[starts.length - 1] / UNIT_BYTES;
    const count = countValid(queue, first, Math.min(fileUnits, Math.max(queue.written - first, 0) || fileUnits), cut);
    if (count > 0) end = first + count;
    else dropLastFile(queue, clean && cut === Infinity);
  }
  if (end < 0) return queue.reset();
  queue.max = queue.nextOffset = end;
  queue.written = Math.min(inMemory < 0 ? end : queue.written, end);
  queue.synced = inMemory < 0 ? end : Math.min(queue.synced, end);
  if (inMemory < 0) {
    queue.release(end);
    queue.bufferStart = end;
  }
  dropFilesFrom(queue, queue.written * UNIT_BYTES);
  wipeRest(queue, queue.written, clean);
  queue.maxPhysical = endOfEntry(queue, end - 1);
  queue.forgetMin();
}

/** New end if it lies within the units in memory (after their first), else -1. */
function cutMemory(queue: ConsumeQueue, cut: number): number {
  const { buffer, bufferStart, max } = queue;
  if (buffer.length === 0 || bufferStart === max || unitPhysical(buffer, 0) >= cut) {
    queue.max = Math.min(max, bufferStart);
    return -1;
  }
  let low = 0;
  let high = max - bufferStart;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (unitPhysical(buffer, middle * UNIT_BYTES) < cut) low = middle;
    else high = middle;
  }
  return bufferStart + low + 1;
}

/** How many of the file's first `limit` units are written and point below `cut`; they stand before all others. */
function countValid(queue: ConsumeQueue, first: number, limit: number, cut: number): number {
  const path = queue.pathOf(first * UNIT_BYTES);
  const file = queue.disk.pool.get(path);
  if (file === null) return 0;
  const units = new Uint8Array(2 * UNIT_BYTES);
  // Half of a unit can look like an older one: each must follow one that was written and lies before it in the log.
  const valid = (n: number): boolean => {
    const own = n === 0 ? 0 : UNIT_BYTES;
    const bytes = n === 0 ? units.subarray(0, UNIT_BYTES) : units;
    if (file.readAtSync(bytes, Math.max(0, n - 1) * UNIT_BYTES) !== bytes.length) return false;
    const physical = unitPhysical(bytes, own);
    if (unitSize(bytes, own) <= 0 || physical < 0 || physical >= cut) return false;
    if (n === 0 || isBlankUnit(bytes, 0)) return true;
    return unitSize(bytes, 0) > 0 && unitPhysical(bytes, 0) + unitSize(bytes, 0) <= physical;
  };
  if (!valid(0)) return 0;
  let low = 0;
  let high = limit;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (valid(middle)) low = middle;
    else high = middle;
  }
  return low + 1;
}

function endOfEntry(queue: ConsumeQueue, unit: number): number {
  if (!queue.locate(unit) || isBlankUnit(queue.unitBytes, queue.unitAt)) return 0;
  return unitPhysical(queue.unitBytes, queue.unitAt) + unitSize(queue.unitBytes, queue.unitAt);
}

/** Takes the last file off the list, and off the disk unless `keep`. */
function dropLastFile(queue: ConsumeQueue, keep: boolean): void {
  const start = queue.starts.pop();
  if (start !== undefined && !keep) removeFile(queue, start);
}

function removeFile(queue: ConsumeQueue, start: number): void {
  const path = queue.pathOf(start);
  queue.disk.pool.close(path);
  queue.disk.cache.invalidate({ path });
  queue.disk.files.remove(path);
  queue.disk.unsynced.directories.add(queue.directory);
}

function dropFilesFrom(queue: ConsumeQueue, position: number): void {
  while (queue.starts.length > 0 && queue.starts[queue.starts.length - 1] >= Math.max(position, 1)) {
    dropLastFile(queue, false);
  }
}

/** Makes sure that nothing is written behind the last unit, where a later look for the end would find it. */
function wipeRest(queue: ConsumeQueue, end: number, clean: boolean): void {
  const { fileBytes } = queue.disk;
  const start = queue.starts[queue.starts.length - 1];
  const position = end * UNIT_BYTES - start;
  if (start === undefined || position >= fileBytes) return;
  const path = queue.pathOf(start);
  const file = queue.disk.pool.get(path);
  if (file === null) return;
  const rest = new Uint8Array(clean ? UNIT_BYTES : Math.min(WIPE_BYTES, fileBytes - position));
  const count = file.readAtSync(rest, position);
  const isZero = rest.every((byte) => byte === 0) && count === rest.length;
  if (isZero && (clean || position + rest.length === fileBytes)) return;
  // What was there must not come back with the next power cut.
  if (!isZero) queue.disk.unsynced.files.add(path);
  file.truncate(position);
  file.truncate(fileBytes);
  queue.disk.cache.invalidate(file, position);
}

/**
 * Writes units that no file has yet, at most 1 MiB of them, into one file; returns its path, or null when there is
 * nothing left to write. Throws PlatformError.
 */
export function writeSome(queue: ConsumeQueue): string | null {
  if (queue.written >= queue.max || queue.deleted) return null;
  const { pool, cache, fileBytes } = queue.disk;
  const position = queue.written * UNIT_BYTES;
  const start = position - (position % fileBytes);
  if (queue.starts.length === 0 || queue.starts[queue.starts.length - 1] < start) createFile(queue, start);
  const path = queue.pathOf(position);
  const file = pool.get(path);
  if (file === null) throw new PlatformError("ENOENT", `${path}: was removed`);
  const end = Math.min(queue.max, (start + fileBytes) / UNIT_BYTES, queue.written + WRITE_UNITS);
  const from = (queue.written - queue.bufferStart) * UNIT_BYTES;
  const bytes = queue.buffer.subarray(from, (end - queue.bufferStart) * UNIT_BYTES);
  if (file.writeAt(bytes, position - start) !== bytes.length) throw new PlatformError("ENOSPC", `${path}: short write`);
  cache.invalidate(file, position - start);
  queue.written = end;
  return path;
}

function createFile(queue: ConsumeQueue, start: number): void {
  const { disk, directory } = queue;
  const changed = disk.unsynced.directories;
  if (queue.starts.length === 0) {
    disk.files.makeDirectory(directory);
    changed.add(`${disk.directory}/${queue.topic}`);
    changed.add(disk.directory);
  }
  const file = disk.pool.get(`${directory}/${offsetFileName(start)}`, true);
  if (file === null) throw new PlatformError("ENOENT", directory);
  // Anything that an older run left in a file of this name goes.
  file.truncate(0);
  file.truncate(disk.fileBytes);
  changed.add(directory);
  if (queue.starts.length === 0) {
    const blanks = queue.written - start / UNIT_BYTES;
    for (let done = 0; done < blanks; done += BLANK_CHUNK_UNITS) {
      const bytes = blankUnits(Math.min(BLANK_CHUNK_UNITS, blanks - done));
      if (file.writeAt(bytes, done * UNIT_BYTES) !== bytes.length) {
        throw new PlatformError("ENOSPC", `${file.path}: short write`);
      }
    }
  }
  queue.starts.push(start);
}

/** Removes whole files whose last unit points below `minPhysical`; the last file stays. */
export function expireQueue(queue: ConsumeQueue, minPhysical: number): void {
  while (queue.starts.length > 1) {
    const last = queue.starts[1] / UNIT_BYTES - 1;
    if (last >= queue.written || !queue.locate(last)) return;
    if (unitPhysical(queue.unitBytes, queue.unitAt) >= minPhysical) return;
    removeFile(queue, queue.starts[0]);
    queue.starts.shift();
    queue.forgetMin();
  }
}

/** Gets `count` units from `bytes[start]` on (0: past the end), valid during the call, or what went wrong. */
export type UnitsDone = (error: PlatformError | null, bytes: Uint8Array, start: number, count: number) => void;

/** Units [from, to) that can be looked at now, the first at `bytes[start]`. */
export interface UnitsAtHand {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly from: number;
  readonly to: number;
}

const READ_UNITS = 256;
const noBytes = new Uint8Array(0);

/** Units from `from` on that a cached block holds, valid until control returns to the event loop; null: none is cached. */
export function cachedUnits(queue: ConsumeQueue, from: number, to: number): UnitsAtHand | null {
  const { fileBytes, cache } = queue.disk;
  const position = (from * UNIT_BYTES) % fileBytes;
  const found = { bytes: noBytes, start: 0 };
  // One unit tells whether the block is here; as many as were asked for may reach into a block that is not.
  let count = Math.min(to, queue.bufferStart, from + (fileBytes - position) / UNIT_BYTES) - from;
  const path = queue.pathOf(from * UNIT_BYTES);
  for (; count > 0; count >>= 1) {
    if (cache.view(path, position, count * UNIT_BYTES, found)) {
      return { bytes: found.bytes, start: found.start, from, to: from + count };
    }
  }
  return null;
}

/** Reads some of the units [from, to): those that one place (memory, or one file) holds, at once when it can. */
export function readUnits(queue: ConsumeQueue, from: number, to: number, done: UnitsDone): void {
  const end = Math.min(to, queue.max);
  if (from >= end) return done(null, noBytes, 0, 0);
  if (from >= queue.bufferStart) {
    return done(null, queue.buffer, (from - queue.bufferStart) * UNIT_BYTES, end - from);
  }
  const { fileBytes, pool, cache } = queue.disk;
  const position = (from * UNIT_BYTES) % fileBytes;
  const fileEnd = from + (fileBytes - position) / UNIT_BYTES;
  const count = Math.min(end, queue.bufferStart, fileEnd, from + READ_UNITS) - from;
  const path = queue.pathOf(from * UNIT_BYTES);
  const read = (mayRetry: boolean): void => {
    let file;
    try {
      file = pool.get(path);
    } catch (error) {
      return done(asPlatformError(error), noBytes, 0, 0);
    }
    if (file === null) return done(new PlatformError("ENOENT", path), noBytes, 0, 0);
    cache.read(file, position, count * UNIT_BYTES, (error, bytes, start) => {
      // The pool closed it for another file while it was being read.
      if (mayRetry && error?.code === "EBADF") return read(false);
      done(error, bytes, start, count);
    });
  };
  read(true);
}
