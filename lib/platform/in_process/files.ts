import { type Clock, type Done, type File, type FileInfo, type Files, PlatformError } from "../types.ts";

/** What all files together may hold. */
const TOTAL_BYTES = 1536 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;

/** A file system that lives in memory and ends with the process; `clock` gives the times of its files. */
export function memoryFiles(clock: Clock): Files {
  return new MemoryFiles(clock);
}

/** Bytes by position; what was never written is zero and takes no memory. */
class Content {
  readonly chunks = new Map<number, Uint8Array>();
  length = 0;
  modifiedMs = 0;
}

/** A file system in memory: paths to contents, and the set of directories. Everything succeeds until it is full. */
export class MemoryFiles implements Files {
  readonly #contents = new Map<string, Content>();
  readonly #directories = new Set<string>(["/"]);
  readonly #locked = new Set<string>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  open(path: string, { create = false, readOnly = false }: { create?: boolean; readOnly?: boolean } = {}): File {
    this.#mustBeNoDirectory(path);
    let content = this.#contents.get(path);
    if (content === undefined) {
      this.#mustBeDirectory(parentOf(path));
      if (!create) throw new PlatformError("ENOENT", `${path}: no such file`);
      this.#contents.set(path, content = new Content());
      content.modifiedMs = this.#clock.nowMs();
    }
    return new MemoryFile(path, content, readOnly, this.#clock, (bytes) => this.#mustHold(bytes));
  }

  readWhole(path: string): Uint8Array | null {
    this.#mustBeNoDirectory(path);
    const content = this.#contents.get(path);
    if (content === undefined) return null;
    const bytes = new Uint8Array(content.length);
    read(content, bytes, 0);
    return bytes;
  }

  writeWhole(path: string, bytes: Uint8Array): void {
    const file = this.open(path, { create: true });
    file.truncate(0);
    file.writeAt(bytes, 0);
  }

  rename(from: string, to: string): void {
    const content = this.#contents.get(from);
    if (content === undefined) throw new PlatformError("ENOENT", `${from}: no such file`);
    this.#contents.delete(from);
    this.#contents.set(to, content);
  }

  remove(path: string): void {
    this.#contents.delete(path);
  }

  removeTree(path: string): void {
    const within = (name: string): boolean => name === path || name.startsWith(`${path}/`);
    for (const name of [...this.#contents.keys()]) if (within(name)) this.#contents.delete(name);
    for (const name of [...this.#directories]) if (within(name)) this.#directories.delete(name);
  }

  makeDirectory(path: string): void {
    for (let at = path; at !== "" && at !== "/"; at = parentOf(at)) {
      if (this.#contents.has(at)) throw new PlatformError("EEXIST", `${at} is a file`);
      this.#directories.add(at);
    }
  }

  list(path: string): string[] {
    const prefix = path.endsWith("/") ? path : `${path}/`;
    if (this.#contents.has(path)) throw new PlatformError("ENOTDIR", `${path} is a file`);
    const names = new Set<string>();
    for (const name of [...this.#contents.keys(), ...this.#directories]) {
      if (name.startsWith(prefix) && name.length > prefix.length) names.add(name.slice(prefix.length).split("/")[0]);
    }
    return [...names].sort();
  }

  stat(path: string): FileInfo | null {
    const content = this.#contents.get(path);
    if (content === undefined && !this.#directories.has(path)) return null;
    const { length: size, modifiedMs } = content ?? new Content();
    return { isFile: content !== undefined, isDirectory: content === undefined, size, modifiedMs };
  }

  syncDirectory(path: string, done: Done): void {
    const error = this.#directories.has(path) ? null : new PlatformError("ENOENT", `${path}: no such directory`);
    this.#clock.afterTurn(() => done(error));
  }

  space(): { totalBytes: number; freeBytes: number } {
    return { totalBytes: TOTAL_BYTES, freeBytes: Math.max(0, TOTAL_BYTES - this.#usedBytes()) };
  }

  lock(path: string, content: string): { release(): void } {
    if (this.#locked.has(path)) throw new PlatformError("ELOCKED", `${path} is locked`);
    this.writeWhole(path, new TextEncoder().encode(content));
    this.#locked.add(path);
    return { release: () => void this.#locked.delete(path) };
  }

  #mustBeNoDirectory(path: string): void {
    if (this.#directories.has(path)) throw new PlatformError("EISDIR", `${path} is a directory`);
  }

  #mustBeDirectory(path: string): void {
    if (this.#directories.has(path)) return;
    const isBelowFile = this.#contents.has(path);
    throw new PlatformError(
      isBelowFile ? "ENOTDIR" : "ENOENT",
      `${path}: ${isBelowFile ? "not a" : "no such"} directory`,
    );
  }

  #usedBytes(): number {
    let chunks = 0;
    for (const content of this.#contents.values()) chunks += content.chunks.size;
    return chunks * CHUNK_BYTES;
  }

  #mustHold(bytes: number): void {
    if (this.#usedBytes() + bytes > TOTAL_BYTES) throw new PlatformError("ENOSPC", "the memory for messages is full");
  }
}

class MemoryFile implements File {
  #closed = false;

  constructor(
    readonly path: string,
    private readonly content: Content,
    private readonly readOnly: boolean,
    private readonly clock: Clock,
    private readonly mustHold: (bytes: number) => void,
  ) {}

  writeAt(bytes: Uint8Array, position: number): number {
    this.#mustBeOpen();
    if (this.readOnly) throw new PlatformError("EBADF", `${this.path} was opened for reading`);
    const { content } = this;
    for (let done = 0; done < bytes.length;) {
      const index = Math.floor((position + done) / CHUNK_BYTES);
      const start = position + done - index * CHUNK_BYTES;
      const count = Math.min(CHUNK_BYTES - start, bytes.length - done);
      let chunk = content.chunks.get(index);
      if (chunk === undefined) {
        this.mustHold(CHUNK_BYTES);
        content.chunks.set(index, chunk = new Uint8Array(CHUNK_BYTES));
      }
      chunk.set(bytes.subarray(done, done + count), start);
      done += count;
    }
    content.length = Math.max(content.length, position + bytes.length);
    content.modifiedMs = this.clock.nowMs();
    return bytes.length;
  }

  readAtSync(into: Uint8Array, position: number): number {
    this.#mustBeOpen();
    return read(this.content, into, position);
  }

  readAt(into: Uint8Array, position: number, done: (error: PlatformError | null, bytesRead: number) => void): void {
    this.#mustBeOpen();
    const count = read(this.content, into, position);
    this.clock.afterTurn(() => done(null, count));
  }

  syncData(done: Done): void {
    this.#mustBeOpen();
    this.clock.afterTurn(() => done(null));
  }

  truncate(length: number): void {
    this.#mustBeOpen();
    const { content } = this;
    const last = Math.floor(length / CHUNK_BYTES);
    for (const [index, chunk] of content.chunks) {
      if (index > last) content.chunks.delete(index);
      else if (index === last) chunk.fill(0, length - index * CHUNK_BYTES);
    }
    content.length = length;
    content.modifiedMs = this.clock.nowMs();
  }

  size(): number {
    this.#mustBeOpen();
    return this.content.length;
  }

  close(): void {
    this.#closed = true;
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new PlatformError("EBADF", `${this.path} is closed`);
  }
}

function read(content: Content, into: Uint8Array, position: number): number {
  const length = Math.max(0, Math.min(into.length, content.length - position));
  for (let done = 0; done < length;) {
    const index = Math.floor((position + done) / CHUNK_BYTES);
    const start = position + done - index * CHUNK_BYTES;
    const count = Math.min(CHUNK_BYTES - start, length - done);
    const chunk = content.chunks.get(index);
    if (chunk === undefined) into.fill(0, done, done + count);
    else into.set(chunk.subarray(start, start + count), done);
    done += count;
  }
  return length;
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash <= 0 ? "/" : path.slice(0, slash);
}
