import assert from "node:assert/strict";
import { test } from "node:test";
import { simulation } from "@rmq/platform/simulated";
import { getOnce, openSmall, put, readQueue } from "./_test_store.ts";

/** A store whose 16 queues and 7 segments are all cold, with room for four open files of each kind. */
async function cold() {
  const sim = simulation({ seed: 17 });
  const options = { openFiles: 8 };
  const first = await sim.finish(openSmall(sim.platform, options));
  for (let round = 0; round < 12; round++) {
    for (let queueId = 0; queueId < 16; queueId++) put(first, "T", queueId, "x".repeat(2000));
    await sim.finish(first.flush());
  }
  await sim.finish(first.close());
  sim.disk.latencyMs.read = 1;
  return { sim, store: await sim.finish(openSmall(sim.platform, options)) };
}

test("reads of more cold queues and segments than files may be open are all answered", async () => {
  const { sim, store } = await cold();
  const all = Array.from({ length: 16 }, (_, queueId) => readQueue(store, "T", queueId));
  for (const found of await sim.finish(Promise.all(all))) assert.equal(found.length, 12);
});

test("a topic may be deleted while its cold queues are read", async () => {
  const { sim, store } = await cold();
  const reads = Array.from({ length: 16 }, (_, queueId) => getOnce(store, "T", queueId, 0));
  store.deleteTopic("T", (error) => assert.equal(error, null));
  for (const { status } of await sim.finish(Promise.all(reads))) assert.ok(status >= 0);
  assert.deepEqual(store.topics(), []);
});
