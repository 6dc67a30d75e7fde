import assert from "node:assert/strict";
import { test } from "node:test";
import { simulation } from "@rmq/platform/simulated";
import { KeptLog, openSmall, put, readQueue } from "./_test_store.ts";

const SEGMENT = 64 * 1024;
const HOUR_MS = 3_600_000;

/** A store with five full segments and a bit, at 0:00 local time. */
async function filled(options: Parameters<typeof openSmall>[1] = {}) {
  const sim = simulation({ seed: 5 });
  const log = new KeptLog();
  const store = await sim.finish(openSmall(sim.platform, options, log));
  for (let i = 0; store.appended < 5 * SEGMENT; i++) {
    put(store, "T", i % 2, "x".repeat(2000));
    if (i % 8 === 7) await sim.finish(store.flush());
  }
  for (let i = 0; i < 6; i++) put(store, "T", i % 2, "last");
  await sim.finish(store.flush());
  return { sim, store, log };
}

test("segments go when they are older than fileReservedTime, in the hour of deleteWhen, and queues with them", async () => {
  const { sim, store } = await filled({ fileReservedTime: 2, deleteWhen: "04" });
  await sim.advance(3 * HOUR_MS);
  assert.equal(store.minOffset, 0);
  await sim.advance(HOUR_MS + 60_000);
  assert.equal(store.minOffset, 5 * SEGMENT);
  assert.equal(store.stats().expiredSegments, 5);
  const queue = store.queue("T", 0);
  assert.ok(queue.min > 0 && queue.min < queue.max);
  const found = await sim.finish(readQueue(store, "T", 0));
  assert.equal(found.length, queue.max - queue.min);
  assert.equal(put(store, "T", 0, "next").offset, queue.max);
});

test("the last segment stays however old it is, and what remains opens again", async () => {
  const { sim, store } = await filled({ fileReservedTime: 1, deleteWhen: "4" });
  await sim.advance(30 * HOUR_MS);
  assert.equal(store.stats().segments, 1);
  await sim.finish(store.close());
  const again = await sim.finish(openSmall(sim.crash({ powerCut: true })));
  assert.equal(again.minOffset, 5 * SEGMENT);
  assert.equal(again.queue("T", 0).max, store.queue("T", 0).max);
});

test("a disk that is filling up loses its oldest segments before they expire, at any hour", async () => {
  const { sim, store, log } = await filled({ minFreeBytes: 1_000_000 });
  sim.disk.setFreeBytes(1_500_000);
  await sim.advance(70_000);
  assert.ok(store.minOffset > 0);
  assert.equal(store.refusal, null);
  assert.ok(log.has(/old commit log files were removed/));
});

test("cleanFileForciblyEnable=false keeps what has not expired even on a full disk", async () => {
  const { sim, store } = await filled({ minFreeBytes: 1_000_000, cleanFileForciblyEnable: false });
  sim.disk.setFreeBytes(500_000);
  await sim.advance(70_000);
  assert.equal(store.minOffset, 0);
  assert.match(store.refusal ?? "", /disk is full/);
});

test("deleting what a live group has not consumed is logged and counted once", async () => {
  const { sim, store, log } = await filled({
    fileReservedTime: 1,
    lowestConsumed: (_topic, queueId) => queueId === 0 ? 3 : null,
  });
  await sim.advance(5 * HOUR_MS);
  const lost = store.queue("T", 0).min - 3;
  assert.ok(lost > 0);
  assert.equal(store.stats().unconsumedDeleted, lost);
  assert.ok(log.has(/deleted before a group had consumed them.*"topic":"T"/));
});

test("a file that can't be removed is reported once, and goes when it can", async () => {
  const { sim, store, log } = await filled({ minFreeBytes: 1_000_000 });
  sim.disk.setFreeBytes(1_500_000);
  sim.disk.failNext({ op: "remove", path: "commitlog", code: "EPERM", count: 100 });
  await sim.advance(85_000);
  assert.equal(store.minOffset, 0);
  assert.equal(log.lines.filter((line) => /can't be removed.*EPERM/.test(line)).length, 1);
  sim.disk.clearFaults();
  await sim.advance(10_000);
  assert.ok(store.minOffset > 0);
});

test("what groups lose is looked for in short turns, and one queue that can't be read does not stop it", async () => {
  const sim = simulation({ seed: 5 });
  const first = await sim.finish(openSmall(sim.platform));
  for (let i = 0; first.appended < 2 * SEGMENT; i++) {
    put(first, `T${i % 3}`, i % 8, "x".repeat(2000));
    if (i % 8 === 7) await sim.finish(first.flush());
  }
  await sim.finish(first.close());
  // Each look at the clock takes 300 us.
  const { clock } = sim.platform;
  let looks = 0;
  let turn = 0;
  const slow = {
    ...clock,
    monotonicUs: () => clock.monotonicUs() + 300 * looks++,
    setTimer: (ms: number, run: () => void) => clock.setTimer(ms, () => (turn++, run())),
  };
  const asked: { queue: string; turn: number }[] = [];
  const log = new KeptLog();
  const lowestConsumed = (topic: string, queueId: number) => {
    asked.push({ queue: `${topic}@${queueId}`, turn });
    return 0;
  };
  const store = await sim.finish(
    openSmall({ ...sim.platform, clock: slow }, { minFreeBytes: 1_000_000, lowestConsumed }, log),
  );
  sim.disk.setFreeBytes(1_500_000);
  sim.disk.failNext({ op: "open", path: "consumequeue", code: "EMFILE" });
  await sim.advance(70_000);
  assert.ok(store.minOffset > 0);
  assert.equal(new Set(asked.map((each) => each.queue)).size, 24);
  assert.ok(new Set(asked.map((each) => each.turn)).size >= 3);
  assert.ok(log.has(/can't be read.*EMFILE/));
  assert.ok(store.stats().unconsumedDeleted > 0);
});
