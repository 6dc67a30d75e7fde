import assert from "node:assert/strict";
import test from "node:test";
import { simulation } from "@rmq/platform/simulated";
import { TestBroker } from "./_test_broker.ts";

test("a topic that the start after a kill found is still there after a power cut", async () => {
  let found = 0;
  // Between the file's renaming and the sync of its folder; what a power cut takes is up to the seed.
  for (const [seed, ms] of [[2, 2], [2, 2.5], [3, 2], [4, 2.5]]) {
    const world = simulation({ seed });
    world.disk.latencyMs.sync = 1;
    const broker = await TestBroker.open(world);
    broker.state.topics.createOnSend("New", "TBW102", 4, 0, "");
    await world.advance(ms);
    world.crash({ powerCut: false });
    const again = await TestBroker.open(world);
    if (again.state.topics.get("New") === null) continue;
    found++;
    world.crash({ powerCut: true });
    assert.notEqual((await TestBroker.open(world)).state.topics.get("New"), null, `seed ${seed} after ${ms} ms`);
  }
  assert.ok(found > 0);
});
