import assert from "node:assert/strict";
import { test } from "node:test";
import { type Simulation, simulation } from "@rmq/platform/simulated";
import { quiet } from "./_golden.ts";
import { unitPhysical } from "./consume_queue_layout.ts";
import { ConsumeQueues } from "./consume_queues.ts";
import { makeDirectoriesDurably } from "./durable_directory.ts";

async function queuesOf(world: Simulation, abnormal: boolean): Promise<ConsumeQueues> {
  await world.finish(makeDirectoriesDurably(world.platform.files, ["/s/consumequeue"]));
  const options = { directory: "/s/consumequeue", fileBytes: 2000, memoryBytes: 1 << 20, openFiles: 3 };
  const queues = new ConsumeQueues(world.platform, { minOffset: 0 }, options, quiet);
  await world.finish(queues.load({ abnormal, indexMsgTimestamp: 0, flushedTo: 0 }));
  return queues;
}

/** Takes messages [from, to) of 100 bytes, over three queues. */
function take(queues: ConsumeQueues, from: number, to: number): void {
  for (let n = from; n < to; n++) {
    const message = { physicalOffset: n * 100, size: 100, queueOffset: Math.floor(n / 3) };
    const entry = { message, queue: queues.queue("T", n % 3), tagsHigh: 0, tagsLow: 0, batchCount: 1 };
    queues.take(entry as unknown as Parameters<ConsumeQueues["take"]>[0]);
  }
}

function flush(world: Simulation, queues: ConsumeQueues): Promise<string> {
  return world.finish(new Promise((resolve) => queues.flush((error) => resolve(error === null ? "ok" : error.code))));
}

function assertHolds(queues: ConsumeQueues, count: number): void {
  for (let n = 0; n < count; n++) {
    const queue = queues.existing("T", n % 3);
    assert.ok(queue !== null && queue.locate(Math.floor(n / 3)));
    assert.equal(unitPhysical(queue.unitBytes, queue.unitAt), n * 100);
  }
}

test("what a failed sync was for is written and synced again before it counts", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const world = simulation({ seed });
    const queues = await queuesOf(world, false);
    take(queues, 0, 200);
    assert.equal(await flush(world, queues), "ok");
    take(queues, 200, 330);
    world.disk.failNext({ op: "sync", path: "/s/consumequeue/T/1/", code: "EIO" });
    assert.equal(await flush(world, queues), "EIO");
    assert.equal(queues.flushedTo, 20_000);
    assert.equal(await flush(world, queues), "ok");
    assert.equal(queues.flushedTo, 33_000);
    world.crash({ powerCut: true });
    const again = await queuesOf(world, true);
    again.truncate(33_000);
    assertHolds(again, 330);
  }
});

test("a full disk fails the flush and loses nothing; with space back the next one succeeds", async () => {
  const world = simulation({ seed: 3 });
  const queues = await queuesOf(world, false);
  take(queues, 0, 100);
  assert.equal(await flush(world, queues), "ok");
  world.disk.setFreeBytes(0);
  take(queues, 100, 1200);
  assert.equal(await flush(world, queues), "ENOSPC");
  assertHolds(queues, 1200);
  world.disk.setFreeBytes(1 << 30);
  assert.equal(await flush(world, queues), "ok");
  assert.equal(queues.flushedTo, 120_000);
  world.crash({ powerCut: true });
  const again = await queuesOf(world, true);
  again.truncate(120_000);
  assertHolds(again, 1200);
});

test("a directory sync that failed is made up for by the next flush", async () => {
  const world = simulation({ seed: 4 });
  const queues = await queuesOf(world, false);
  take(queues, 0, 30);
  world.disk.failNext({ op: "syncDirectory", path: "/s/consumequeue/T", code: "EIO" });
  assert.equal(await flush(world, queues), "EIO");
  assert.equal(queues.flushedTo, 0);
  assert.equal(await flush(world, queues), "ok");
  world.crash({ powerCut: true });
  const again = await queuesOf(world, true);
  again.truncate(3000);
  assertHolds(again, 30);
});
