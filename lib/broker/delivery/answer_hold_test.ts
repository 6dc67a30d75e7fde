import assert from "node:assert/strict";
import { test } from "node:test";
import { Header, Output, SendAnswer } from "@rmq/protocol";
import type { RemotingConnection } from "@rmq/remoting";
import { AnswerHold } from "./answer_hold.ts";

const answers = new SendAnswer({
  regionId: "R",
  traceOn: true,
  storeHost: new Uint8Array([127, 0, 0, 1]),
  storePort: 1,
});

/** A connection that only collects what would leave. */
function collecting(): { connection: RemotingConnection; taken: () => { opaque: number; code: number }[] } {
  const out = new Output(64);
  let touched = 0;
  const connection = { out, touch: () => touched++ } as unknown as RemotingConnection;
  const taken = () => {
    const bytes = out.take();
    const header = new Header();
    const found: { opaque: number; code: number }[] = [];
    for (let at = 0; at < bytes.length;) {
      const length = new DataView(bytes.buffer, bytes.byteOffset).getInt32(at);
      header.read(bytes, at, at + 4 + length);
      found.push({ opaque: header.opaque, code: header.code });
      at += 4 + length;
    }
    assert.ok(found.length === 0 || touched > 0, "bytes without a touch never leave");
    return found;
  };
  return { connection, taken };
}

/** Encodes a success answer for a message of 100 bytes at `offset`. */
function hold(into: AnswerHold, opaque: number, offset: number, written: number, wait = true, nowUs = 0): void {
  answers.write(into.output(wait), opaque, 0, 0, 0, offset, new Uint8Array(0), -1, -1);
  into.mark(wait, offset + 100, written, nowUs);
}

test("an answer leaves when its message has become visible, not before", () => {
  const { connection, taken } = collecting();
  const held = new AnswerHold(connection);
  hold(held, 1, 0, 0);
  hold(held, 2, 100, 0);
  held.release(0, 200);
  assert.deepEqual(taken(), []);
  held.release(200, 200);
  assert.deepEqual(taken().map((answer) => answer.opaque), [1, 2]);
  assert.equal(held.empty, true);
});

test("answers of a later write stay when an earlier one has become visible", () => {
  const { connection, taken } = collecting();
  const held = new AnswerHold(connection);
  hold(held, 1, 0, 0);
  hold(held, 2, 100, 100);
  held.release(100, 200);
  assert.deepEqual(taken().map((answer) => answer.opaque), [1]);
  hold(held, 3, 200, 200);
  held.release(300, 300);
  assert.deepEqual(taken().map((answer) => answer.opaque), [2, 3]);
});

test("WAIT=false leaves as soon as it is written", () => {
  const { connection, taken } = collecting();
  const held = new AnswerHold(connection);
  hold(held, 1, 0, 0, false);
  hold(held, 2, 100, 0, true);
  held.release(0, 200);
  assert.deepEqual(taken().map((answer) => answer.opaque), [1]);
  assert.equal(held.empty, false);
});

test("an answer that waits too long leaves with code 10, once", () => {
  const { connection, taken } = collecting();
  const held = new AnswerHold(connection);
  hold(held, 1, 0, 0, true, 1_000);
  hold(held, 2, 100, 100, true, 9_000);
  held.expire(5_000);
  assert.deepEqual(taken(), [{ opaque: 1, code: 10 }]);
  held.release(200, 200);
  assert.deepEqual(taken(), [{ opaque: 2, code: 0 }]);
});

test("what was rolled back is answered with 14, what stands before it keeps its success", () => {
  const { connection, taken } = collecting();
  const held = new AnswerHold(connection);
  hold(held, 1, 0, 0);
  hold(held, 2, 100, 0);
  hold(held, 3, 200, 200);
  held.rollback(100, "disk full");
  assert.deepEqual(taken(), [{ opaque: 2, code: 14 }, { opaque: 3, code: 14 }]);
  held.release(100, 100);
  assert.deepEqual(taken(), [{ opaque: 1, code: 0 }]);
  assert.equal(held.empty, true);
});

test("many unreleased marks do not grow without end once they are let go", () => {
  const { connection, taken } = collecting();
  const held = new AnswerHold(connection);
  for (let i = 0; i < 5000; i++) {
    hold(held, i, i * 100, i * 100);
    if (i >= 10) held.release((i - 10) * 100, i * 100);
  }
  held.release(Infinity, Infinity);
  assert.deepEqual(taken().map((answer) => answer.opaque), Array.from({ length: 5000 }, (_, i) => i));
  assert.equal(held.empty, true);
});

test("a hold that is never empty keeps little of what it has let go", () => {
  const { connection, taken } = collecting();
  const held = new AnswerHold(connection);
  for (let i = 0; i < 1000; i++) {
    for (let j = 0; j < 64; j++) hold(held, i * 64 + j, (i * 64 + j) * 100, i);
    if (i > 0) held.release(i * 64 * 100, i);
    taken();
  }
  assert.ok(held.output(true).bytes.length <= 256 * 1024, `${held.output(true).bytes.length} bytes for 128 answers`);
});
