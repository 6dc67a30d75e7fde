import assert from "node:assert/strict";
import test from "node:test";
import { simulation } from "@rmq/platform/simulated";
import { goldenManifest, goldenStore } from "../../../tests/golden/golden.ts";
import { ROOT, TestBroker } from "../_test_broker.ts";

const bodies = (messages: { body: string }[]) => messages.map((one) => one.body);

test("a message of hours is delivered when its time is there, not before and at most a second later", async () => {
  const broker = await TestBroker.open();
  const startMs = broker.world.clock.nowMs();
  await broker.send("Late", 2, "hello", { TIMER_DELAY_SEC: "7200", TAGS: "A" });
  assert.deepEqual(await broker.read("Late", 2), []);
  assert.equal(broker.state.store.existingQueue("rmq_sys_wheel_timer", 0)?.max, 1);
  await broker.world.advance(7_200_000 - (broker.world.clock.nowMs() - startMs) - 1);
  assert.deepEqual(await broker.read("Late", 2), []);
  await broker.world.advance(1100);
  const [message] = await broker.read("Late", 2);
  assert.equal(message.body, "hello");
  const { TIMER_ENQUEUE_MS, TIMER_DEQUEUE_MS, ...others } = message.properties;
  const outMs = String(Math.floor((startMs + 7_200_000 - 1) / 1000) * 1000);
  // Consumers of Apache's broker see these too.
  assert.deepEqual(others, {
    TIMER_DELAY_SEC: "7200",
    TAGS: "A",
    TIMER_OUT_MS: outMs,
    REAL_TOPIC: "Late",
    REAL_QID: "2",
  });
  assert.equal(Number(TIMER_ENQUEUE_MS), Math.floor(startMs / 1000) * 1000);
  assert.ok(Number(TIMER_DEQUEUE_MS) >= startMs + 7_200_000);
});

test("delays in milliseconds and deadlines count as well, to the second", async () => {
  const broker = await TestBroker.open();
  const nowMs = broker.world.clock.nowMs();
  await broker.send("T", 0, "delay", { TIMER_DELAY_MS: "2500" });
  await broker.send("T", 0, "deadline", { TIMER_DELIVER_MS: String(nowMs + 5000) });
  await broker.send("T", 0, "past", { TIMER_DELIVER_MS: String(nowMs - 1) });
  assert.deepEqual(bodies(await broker.read("T", 0)), ["past"]);
  await broker.world.advance(nowMs + 4999 - broker.world.clock.nowMs());
  assert.deepEqual(bodies(await broker.read("T", 0)), ["past", "delay"]);
  await broker.world.advance(1100);
  assert.deepEqual(bodies(await broker.read("T", 0)), ["past", "delay", "deadline"]);
});

test("after a clean stop and after a kill what waits goes on, and nothing is delivered twice after the stop", async () => {
  const world = simulation({ seed: 2 });
  const at = (ms: number) => ({ TIMER_DELIVER_MS: String(begin + ms) });
  const begin = world.clock.nowMs();
  const first = await TestBroker.open(world);
  await first.send("T", 0, "before", at(60_000));
  await first.send("T", 0, "after", at(200_000));
  await world.advance("70s");
  await first.close();
  const second = await TestBroker.open(world);
  await second.send("T", 0, "more", at(210_000));
  await world.advance("5s");
  assert.deepEqual(bodies(await second.read("T", 0)), ["before"]);
  world.crash({ powerCut: false });
  const third = await TestBroker.open(world);
  await world.advance("3m");
  assert.deepEqual(bodies(await third.read("T", 0)), ["before", "after", "more"]);
});

test("what a Java broker left waiting is delivered when it is due, and nothing of what it had delivered", async () => {
  for (const name of ["store-clean", "store-killed"] as const) {
    const { messages } = goldenManifest("clean");
    const startMs = Math.max(...messages.map((one) => one.storeTimestamp)) + 600_000;
    const world = simulation({ seed: 1, startMs });
    const { files } = world.platform;
    for (const [path, bytes] of goldenStore(name)) {
      const target = path.replace("store", ROOT);
      files.makeDirectory(target.slice(0, target.lastIndexOf("/")));
      files.writeWhole(target, bytes);
    }
    const small = { segmentBytes: 1024 * 1024, consumeQueueFileBytes: 1000, maxHashSlotNum: 100, maxIndexNum: 400 };
    const broker = await TestBroker.open(world, { mappedFileSizeTimerLog: 102_400 }, small);
    const delivered: string[] = [];
    broker.state.store.onEntry(({ message }) => {
      if (message.property("TIMER_OUT_MS") !== null) {
        delivered.push(`${message.topicText()} ${message.property("KEYS")} ${message.property("TIMER_ENQUEUE_MS")}`);
      }
    });
    await world.settle();
    // The day passes at once, but for its last minute.
    world.clock.stepMs(1_795_458_416_000 - 60_000 - world.clock.nowMs());
    await world.advance(60_999);
    assert.deepEqual(delivered, []);
    await world.advance(1100);
    assert.deepEqual(delivered, ["StTimer TMR2 1795372016000"]);
  }
});
