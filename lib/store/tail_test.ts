import assert from "node:assert/strict";
import { test } from "node:test";
import { Tail } from "./tail.ts";

const MIB = 1024 * 1024;

/** Appends entries of one size from `start` on, each filled with its number, and returns the end. */
function fill(tail: Tail, start: number, count: number, size: number, segmentBase = 0): number {
  let offset = start;
  for (let i = 0; i < count; i++) {
    const chunk = tail.room(offset, size, segmentBase);
    chunk.bytes.fill(i + 1, chunk.used, chunk.used + size);
    chunk.used += size;
    offset += size;
  }
  return offset;
}

const out = { bytes: new Uint8Array(0), start: 0 };

test("an entry is found where it was put and never straddles two chunks", () => {
  const tail = new Tail(64 * MIB);
  const size = 300_000;
  fill(tail, 5000, 10, size);
  assert.ok(tail.chunks.length > 1);
  for (let i = 0; i < 10; i++) {
    assert.ok(tail.view(5000 + i * size, size, out));
    assert.equal(out.bytes[out.start], i + 1);
    assert.equal(out.bytes[out.start + size - 1], i + 1);
  }
  assert.equal(tail.view(5000 + 10 * size, 1, out), false);
  assert.equal(tail.view(4999, 1, out), false);
});

test("a message larger than a chunk gets one of its own", () => {
  const tail = new Tail(64 * MIB);
  fill(tail, 0, 1, 3 * MIB);
  assert.equal(tail.chunks.length, 1);
  assert.ok(tail.view(0, 3 * MIB, out));
});

test("after the end of a segment the next entry starts a chunk at the next segment", () => {
  const tail = new Tail(64 * MIB);
  fill(tail, 0, 1, 100);
  fill(tail, 4096, 1, 4096, 4096);
  assert.equal(tail.view(100, 8, out), false);
  assert.ok(tail.view(4096, 4096, out));
  fill(tail, 8192, 1, 100, 8192);
  assert.deepEqual(tail.chunks.map((chunk) => chunk.base), [0, 4096, 8192]);
});

test("rolling back forgets the batch and keeps what was before it", () => {
  const tail = new Tail(64 * MIB);
  const size = 400_000;
  fill(tail, 0, 5, size);
  tail.rollBack(size);
  assert.ok(tail.view(0, size, out));
  assert.equal(tail.view(size, size, out), false);
  assert.equal(tail.chunks.length, 1);
  fill(tail, size, 1, 50);
  assert.ok(tail.view(size, 50, out));
});

test("trimming drops the oldest chunks above the limit, but nothing that is not safe", () => {
  const tail = new Tail(2 * MIB);
  const end = fill(tail, 0, 40, 200_000);
  tail.trim(0);
  assert.equal(tail.start(end), 0);
  tail.trim(3_000_000);
  assert.ok(tail.start(end) > 0 && tail.start(end) <= 3_000_000);
  tail.trim(end);
  assert.ok(tail.heldBytes <= 2 * MIB);
  assert.ok(tail.view(end - 200_000, 200_000, out));
});
