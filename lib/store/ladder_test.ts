import assert from "node:assert/strict";
import { test } from "node:test";
import { Ladder } from "./ladder.ts";

test("with SYNC_FLUSH nothing is visible before it is durable", () => {
  const ladder = new Ladder(100, true);
  ladder.append(200);
  ladder.append(300);
  ladder.write(300);
  assert.equal(ladder.visibleTarget, 100);
  assert.throws(() => ladder.show(200), /visible must grow/);
  ladder.sync(200);
  assert.equal(ladder.visibleTarget, 200);
  ladder.show(200);
  assert.equal(ladder.visible, 200);
});

test("with ASYNC_FLUSH what is written is visible", () => {
  const ladder = new Ladder(0, false);
  ladder.append(50);
  assert.throws(() => ladder.show(50));
  ladder.write(50);
  ladder.show(50);
  assert.deepEqual([ladder.durable, ladder.visible], [0, 50]);
});

test("no step passes the one below it or goes back", () => {
  const ladder = new Ladder(0, true);
  ladder.append(10);
  assert.throws(() => ladder.append(10), /appended must grow/);
  assert.throws(() => ladder.write(11), /written must grow/);
  assert.throws(() => ladder.sync(1), /durable must grow/);
  ladder.write(10);
  assert.throws(() => ladder.write(9), /written must grow/);
  ladder.sync(10);
  assert.throws(() => ladder.sync(9), /durable must grow/);
});

test("a batch that was not written is taken back to what was", () => {
  const ladder = new Ladder(0, true);
  ladder.append(10);
  ladder.write(10);
  ladder.append(40);
  assert.equal(ladder.rollBack(), 10);
  assert.equal(ladder.appended, 10);
  ladder.append(20);
  assert.equal(ladder.appended, 20);
});
