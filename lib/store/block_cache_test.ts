import assert from "node:assert/strict";
import { test } from "node:test";
import { type File, PlatformError } from "@rmq/platform";
import { BlockCache } from "./block_cache.ts";

/** A file of `size` bytes, byte n is n modulo 251; reads answer when `answer` is called. */
class SlowFile implements Partial<File> {
  reads = 0;
  failing = false;
  closed = false;
  #pending: (() => void)[] = [];
  constructor(readonly path: string, public length: number, public add = 0) {}

  readAt(into: Uint8Array, position: number, done: (error: PlatformError | null, bytesRead: number) => void): void {
    this.reads++;
    if (this.closed) throw new PlatformError("EBADF", `${this.path} is closed`);
    this.#pending.push(() => {
      if (this.failing) return done(new PlatformError("EIO", "broken"), 0);
      // Short reads are normal.
      const count = Math.max(0, Math.min(into.length, this.length - position, 7));
      for (let i = 0; i < count; i++) into[i] = (position + i) % 251 + this.add;
      done(null, count);
    });
  }

  size(): number {
    return this.length;
  }

  answer(): void {
    for (let run = this.#pending.shift(); run !== undefined; run = this.#pending.shift()) run();
  }
}

function asFile(file: SlowFile): File {
  return file as unknown as File;
}

function read(cache: BlockCache, file: SlowFile, position: number, length: number): Uint8Array | string {
  let got: Uint8Array | string = "nothing";
  cache.read(asFile(file), position, length, (error, bytes, start) => {
    got = error === null ? bytes.slice(start, start + length) : error.code;
  });
  file.answer();
  return got;
}

function content(position: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (position + i) % 251);
}

test("what was read once is there without a read", () => {
  const cache = new BlockCache(1024, 64);
  const file = new SlowFile("a", 1000);
  assert.equal(cache.peek(asFile(file), 70, 10), null);
  assert.deepEqual(read(cache, file, 70, 10), content(70, 10));
  const reads = file.reads;
  assert.deepEqual(read(cache, file, 120, 8), content(120, 8));
  const seen = cache.peek(asFile(file), 64, 64);
  assert.deepEqual(seen?.bytes.slice(seen.start, seen.start + 64), content(64, 64));
  assert.equal(file.reads, reads);
});

test("bytes that cross blocks come whole", () => {
  const cache = new BlockCache(1024, 64);
  assert.deepEqual(read(cache, new SlowFile("a", 1000), 30, 200), content(30, 200));
  assert.deepEqual(read(new BlockCache(64, 64), new SlowFile("a", 1000), 30, 200), content(30, 200));
});

test("readers of one block share one read of the file", () => {
  const cache = new BlockCache(1024, 7);
  const file = new SlowFile("a", 1000);
  const got: number[] = [];
  for (const position of [0, 3, 6]) {
    cache.read(asFile(file), position, 1, (_error, bytes, start) => got.push(bytes[start]));
  }
  file.answer();
  assert.deepEqual([got, file.reads], [[0, 3, 6], 1]);
});

test("the cache holds no more than its bound, and lets go what was not used for longest", () => {
  const cache = new BlockCache(3 * 64, 64);
  const file = new SlowFile("a", 6400);
  for (const block of [0, 1, 2, 0, 3]) read(cache, file, block * 64, 4);
  assert.equal(cache.bytes, 3 * 64);
  assert.deepEqual([0, 1, 2, 3].map((block) => cache.peek(asFile(file), block * 64, 4) !== null), [
    true,
    false,
    true,
    true,
  ]);
});

test("after an invalidation the file is read again, also when a read was under way", () => {
  const cache = new BlockCache(1024, 64);
  const file = new SlowFile("a", 1000);
  read(cache, file, 0, 128);
  file.add = 1;
  cache.invalidate(asFile(file), 100);
  assert.equal((read(cache, file, 0, 1) as Uint8Array)[0], 0);
  assert.equal((read(cache, file, 64, 1) as Uint8Array)[0], 65);
  cache.prefetch(asFile(file), 200);
  cache.invalidate(asFile(file));
  file.answer();
  assert.equal(cache.peek(asFile(file), 200, 1), null);
  assert.equal(cache.bytes, 0);
});

test("the end of a file and a failing read are told, and neither is kept", () => {
  const cache = new BlockCache(1024, 64);
  const file = new SlowFile("a", 100);
  assert.equal(read(cache, file, 90, 20), "EIO");
  file.length = 200;
  cache.invalidate(asFile(file), 64);
  assert.deepEqual(read(cache, file, 90, 20), content(90, 20));
  file.failing = true;
  assert.equal(read(cache, file, 150, 20), "EIO");
  file.failing = false;
  assert.deepEqual(read(cache, file, 150, 20), content(150, 20));
});

test("a file that is closed before or between two reads is an error for all who wait, and is not kept", () => {
  const cache = new BlockCache(1024, 64);
  const file = new SlowFile("a", 1000);
  const codes: (string | undefined)[] = [];
  // Short reads: the second one finds the file closed.
  cache.read(asFile(file), 0, 10, (error) => codes.push(error?.code));
  cache.read(asFile(file), 20, 30, (error) => codes.push(error?.code));
  file.closed = true;
  file.answer();
  assert.deepEqual(codes, ["EBADF", "EBADF"]);
  assert.equal(read(cache, file, 200, 10), "EBADF");
  cache.prefetch(asFile(file), 300);
  file.closed = false;
  for (const position of [0, 200, 300]) assert.deepEqual(read(cache, file, position, 10), content(position, 10));
});

test("a file that is closed between two of many blocks of one read is an error; of two, it does not matter", () => {
  const file = new SlowFile("a", 1000);
  const results: string[] = [];
  for (const length of [64, 74, 200]) {
    file.closed = false;
    const cache = new BlockCache(1024, 64);
    cache.read(asFile(file), 2 * 64 - 10, length, (error) => results.push(error?.code ?? "read"));
    cache.read(asFile(file), 2 * 64, 1, () => file.closed = true);
    file.answer();
  }
  assert.deepEqual(results, ["read", "read", "EBADF"]);
});
