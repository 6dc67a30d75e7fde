import assert from "node:assert/strict";
import { test } from "node:test";
import { TurnList } from "./turn_list.ts";

test("one that throws does not keep the others from running in the next drain, in order", () => {
  let scheduled = 0;
  const list = new TurnList(() => scheduled++);
  const ran: string[] = [];
  list.add(() => ran.push("a"));
  list.add(() => {
    throw new Error("b");
  });
  list.add(() => ran.push("c"));
  list.add(() => ran.push("d"));
  assert.equal(scheduled, 1);
  assert.throws(() => list.drain(), /b/);
  assert.deepEqual(ran, ["a"]);
  assert.equal(scheduled, 2);
  list.drain();
  assert.deepEqual(ran, ["a", "c", "d"]);
  assert.equal(list.isEmpty, true);
  assert.equal(scheduled, 2);
});
