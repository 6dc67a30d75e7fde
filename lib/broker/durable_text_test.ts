import assert from "node:assert/strict";
import test from "node:test";
import { type Done, PlatformError } from "@rmq/platform";
import { simulation } from "@rmq/platform/simulated";
import { KeptLog } from "./_test_broker.ts";
import { DurableText } from "./durable_text.ts";

/** A file whose writes a test lets succeed or fail. */
function heldFile() {
  const writes: { text: string; done: Done }[] = [];
  return {
    path: "x.json",
    load: () => null,
    save: (text: Uint8Array, done: Done) => void writes.push({ text: new TextDecoder().decode(text), done }),
    writes,
  };
}

function kept() {
  const world = simulation({ seed: 1 });
  const file = heldFile();
  const log = new KeptLog();
  const table = { state: 0 };
  const text = new DurableText(file, world.platform.clock, log, () => [String(table.state)].values());
  return { world, file, log, table, text };
}

test("all changes of a turn are one write, and those during a write the next one", async () => {
  const { world, file, table, text } = kept();
  const done: number[] = [];
  for (table.state = 1; table.state < 4; table.state++) text.write(() => done.push(1));
  await world.settle();
  assert.deepEqual(file.writes.map((write) => write.text), ["4"]);
  table.state = 9;
  text.write(() => done.push(2));
  text.write(() => done.push(2));
  file.writes[0].done(null);
  await world.settle();
  assert.deepEqual(done, [1, 1, 1]);
  assert.deepEqual(file.writes.map((write) => write.text), ["4", "9"]);
  file.writes[1].done(null);
  assert.deepEqual(done, [1, 1, 1, 2, 2]);
});

test("a failed write is repeated until it succeeds; nobody is told before, the log only once", async () => {
  const { world, file, log, text } = kept();
  let told = 0;
  text.write(() => told++);
  await world.settle();
  for (let i = 0; i < 3; i++) {
    file.writes[i].done(new PlatformError("ENOSPC", "no space"));
    await world.advance("1s");
  }
  assert.equal(told, 0);
  assert.equal(log.count("cannot write"), 1);
  file.writes[3].done(null);
  assert.equal(told, 1);
  assert.equal(log.count("is written again"), 1);
});

test("closing writes what is still wanted, and does not wait for a disk that fails", async () => {
  const { world, file, text } = kept();
  let closed = false;
  text.write();
  text.close(() => closed = true);
  assert.equal(file.writes.length, 1);
  assert.equal(closed, false);
  file.writes[0].done(new PlatformError("EIO", "broken"));
  await world.settle();
  assert.equal(closed, true);
});
