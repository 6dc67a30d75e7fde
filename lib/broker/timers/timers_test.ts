import assert from "node:assert/strict";
import test from "node:test";
import { simulation } from "@rmq/platform/simulated";
import { MessageDraft } from "@rmq/protocol";
import { goldenManifest, goldenStore } from "../../../tests/golden/golden.ts";
import { ROOT, TestBroker } from "../_test_broker.ts";

/** Stores `count` messages that are due at `deliverMs`, all in one turn. */
async function sendMany(broker: TestBroker, count: number, deliverMs: number): Promise<void> {
  const topic = broker.state.topics.createOnSend("Many", "TBW102", 4, 0, "");
  if (topic === null) throw new Error("no topic");
  // Nothing is taken before the topic is on disk.
  await broker.world.advance("1s");
  const draft = new MessageDraft();
  draft.properties.setNamed("TIMER_DELIVER_MS", String(deliverMs));
  const properties = draft.properties.view().slice();
  for (let i = 0; i < count; i++) {
    draft.properties.readText(properties, 0, properties.length);
    draft.body = new TextEncoder().encode(String(i));
    draft.bodyEnd = draft.body.length;
    broker.state.put.put(draft, topic, 0, true, (status) => assert.equal(status, 0));
  }
}

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

test("thousands due in one second are all delivered once and in order", async () => {
  const broker = await TestBroker.open();
  await sendMany(broker, 9000, broker.world.clock.nowMs() + 30_000);
  await broker.world.advance("1s");
  assert.equal(broker.timers.stats().congestNum, 9000);
  await broker.world.advance("40s");
  assert.deepEqual(bodies(await broker.read("Many", 0)).map(Number), Array.from({ length: 9000 }, (_, i) => i));
  assert.deepEqual(broker.timers.stats(), { readBehindMs: 0, offsetBehind: 0, congestNum: 0, delivered: 9000 });
});

test("after a kill in the middle of a second with thousands, none is lost and what was noted is not delivered again", async () => {
  const world = simulation({ seed: 5 });
  const first = await TestBroker.open(world, { timerFlushIntervalMs: 20 });
  world.disk.latencyMs.sync = 40;
  const deliverMs = world.clock.nowMs() + 30_000;
  await sendMany(first, 13_000, deliverMs);
  await world.advance("2s");
  const queue = first.state.topics.get("Many")?.queue(0);
  await world.advance(deliverMs - world.clock.nowMs() - 1);
  assert.equal(queue?.max, 0);
  while ((queue?.max ?? 0) < 10_000) await world.advance(10);
  world.crash({ powerCut: false });
  const second = await TestBroker.open(world);
  await world.advance("1m");
  const found = bodies(await second.read("Many", 0)).map(Number);
  assert.equal(new Set(found).size, 13_000);
  assert.ok(found.length < 13_000 + 9000, `${found.length} deliveries of 13000`);
});

test("beyond the window a message is stored again on its way, and delivered at its time", async () => {
  const broker = await TestBroker.open(simulation({ seed: 1 }), { timerRollWindowSlot: 60 });
  const nowMs = broker.world.clock.nowMs();
  await broker.send("T", 0, "far", { TIMER_DELIVER_MS: String(nowMs + 200_000) });
  await broker.world.advance(nowMs + 199_999 - broker.world.clock.nowMs());
  assert.deepEqual(await broker.read("T", 0), []);
  await broker.world.advance(1100);
  const [message] = await broker.read("T", 0);
  // 200 s away: 60, then 60, then half of the window since the rest is short, then what is left.
  assert.equal(message.properties.TIMER_ROLL_TIMES, "3");
  assert.equal(message.properties.REAL_TOPIC, "T");
  assert.equal(broker.state.store.existingQueue("rmq_sys_wheel_timer", 0)?.max, 4);
});

test("a clock that is set back delivers nothing early, keeps what waits, and new timers go by the new time", async () => {
  const broker = await TestBroker.open();
  const { world } = broker;
  await broker.send("T", 0, "seen", { TIMER_DELAY_SEC: "2" });
  await world.advance("5s");
  const oldMs = world.clock.nowMs() + 10_000;
  await broker.send("T", 0, "old", { TIMER_DELIVER_MS: String(oldMs) });
  world.clock.stepMs(-3_600_000);
  await broker.send("T", 0, "new", { TIMER_DELAY_SEC: "3" });
  await world.advance("2s");
  assert.deepEqual(bodies(await broker.read("T", 0)), ["seen"]);
  await world.advance("3s");
  assert.deepEqual(bodies(await broker.read("T", 0)), ["seen", "new"]);
  world.clock.stepMs(oldMs - world.clock.nowMs() - 1);
  await world.advance("7s");
  assert.deepEqual(bodies(await broker.read("T", 0)), ["seen", "new", "old"]);
});

test("on a full disk deliveries wait, and come when there is room again", async () => {
  const broker = await TestBroker.open();
  const { world } = broker;
  for (let i = 0; i < 50; i++) await broker.send("T", 0, String(i), { TIMER_DELAY_SEC: "5" });
  await world.advance("1s");
  world.disk.setFreeBytes(0);
  world.disk.failNext({ op: "write", code: "ENOSPC", count: 1_000_000 });
  await world.advance("20s");
  assert.deepEqual(await broker.read("T", 0), []);
  world.disk.clearFaults();
  world.disk.setFreeBytes(1e9);
  await world.advance("2m");
  assert.deepEqual(bodies(await broker.read("T", 0)).map(Number), Array.from({ length: 50 }, (_, i) => i));
});

test("an idle broker has no timer running for timers", async () => {
  const broker = await TestBroker.open();
  await broker.send("T", 0, "x", { TIMER_DELAY_SEC: "1" });
  await broker.world.advance("10s");
  const timers: number[] = [];
  const { clock } = broker.state.platform;
  const real = clock.setTimer;
  clock.setTimer = (delayMs, run) => {
    timers.push(delayMs);
    return real.call(clock, delayMs, run);
  };
  await broker.world.advance("1m");
  assert.deepEqual(timers.filter((ms) => ms <= 5000), []);
});

test("checkpoint and metrics are asked for with 60 and 61, and the wheel is the only engine", async () => {
  const broker = await TestBroker.open();
  await broker.send("T", 0, "x", { TIMER_DELAY_SEC: "30" });
  await broker.world.advance("3s");
  const check = (await broker.ask(60, null)).bytes;
  assert.equal(check.length, 56);
  assert.equal(new DataView(check.buffer, check.byteOffset).getBigInt64(16), 1n);
  assert.match(
    (await broker.ask(61, null)).body,
    /^\{"dataVersion":\{"counter":1,.*\},"timingCount":\{"T":\{"count":1,"timeStamp":\d+\}\}\}$/,
  );
  assert.equal((await broker.ask(5001, { E_T: "F" })).remark, "switch timer engine success");
  assert.equal((await broker.ask(5001, { E_T: "R" })).code, 29);
  assert.equal((await broker.ask(5001, {})).remark, "param error");
});

test("a timer's topic that was deleted meanwhile holds up nobody", async () => {
  const broker = await TestBroker.open();
  await broker.send("Gone", 0, "x", { TIMER_DELAY_SEC: "2" });
  await broker.send("T", 0, "y", { TIMER_DELAY_SEC: "2" });
  assert.equal((await broker.ask(215, { topic: "Gone" })).code, 0);
  await broker.world.advance("5s");
  assert.doesNotMatch((await broker.ask(61, null)).body, /Gone/);
  assert.deepEqual(bodies(await broker.read("T", 0)), ["y"]);
});

test("a due message that the disk does not give out at first is delivered when it does", async () => {
  const world = simulation({ seed: 3 });
  const dueMs = world.clock.nowMs() + 600_000;
  const first = await TestBroker.open(world);
  await first.send("T", 0, "x", { TIMER_DELIVER_MS: String(dueMs) });
  await world.advance("2s");
  await first.close();
  // What a start finds is not in memory.
  const broker = await TestBroker.open(world);
  await world.advance(dueMs - world.clock.nowMs() - 1000);
  world.disk.failNext({ op: "read", path: "commitlog", code: "EIO", count: 2 });
  await world.advance("2s");
  assert.equal(broker.timers.stats().congestNum, 1);
  await world.advance("5s");
  assert.deepEqual(bodies(await broker.read("T", 0)), ["x"]);
});

test("what comes for a second that is being delivered waits for no longer than that takes, nor does what is behind it", async () => {
  const broker = await TestBroker.open();
  const { world } = broker;
  await broker.send("T", 0, "first", { TIMER_DELAY_MS: "1" });
  await world.advance("10s");
  const secondMs = Math.ceil(world.clock.nowMs() / 1000) * 1000 + 10_000;
  await broker.send("T", 0, "due", { TIMER_DELIVER_MS: String(secondMs) });
  await world.advance(secondMs - 20 - world.clock.nowMs());
  // Visible only when its second is being delivered: syncs take so long.
  world.disk.latencyMs.sync = 50;
  const late = broker.send("T", 0, "late", { TIMER_DELIVER_MS: String(secondMs - 1) });
  const behind = broker.send("T", 0, "behind", { TIMER_DELIVER_MS: String(secondMs + 1) });
  await Promise.all([late, behind]);
  await world.advance(secondMs + 400 - world.clock.nowMs());
  assert.deepEqual(bodies(await broker.read("T", 0)), ["first", "due", "late"]);
});

test("nobody gets into the broker's own topics by way of the timer topic", async () => {
  const broker = await TestBroker.open();
  const own = "RMQ_SYS_TRANS_OP_HALF_TOPIC";
  const outMs = Math.floor(broker.world.clock.nowMs() / 1000 + 2) * 1000;
  for (const topic of [own, "T"]) {
    await broker.send("T", 0, topic, {});
    const properties = { TIMER_OUT_MS: String(outMs), REAL_TOPIC: topic, REAL_QID: "0", TAGS: "d" };
    await broker.send("rmq_sys_wheel_timer", 0, "0,", properties);
  }
  await broker.world.advance("10s");
  assert.deepEqual(await broker.read(own, 0), []);
  assert.deepEqual(bodies(await broker.read("T", 0)), [own, "T", "0,"]);
});

test("a message whose queue was taken away comes in one that is read", async () => {
  const broker = await TestBroker.open();
  const { world, state } = broker;
  await broker.send("T", 3, "timer", { TIMER_DELAY_SEC: "20" });
  await broker.send("T", 3, "level", { DELAY: "3" });
  const topic = state.topics.get("T");
  if (topic === null) throw new Error("no topic");
  state.topics.update({ ...topic.config, readQueueNums: 2, writeQueueNums: 2 });
  await world.advance("30s");
  assert.deepEqual(bodies(await broker.read("T", 1)), ["level", "timer"]);
  assert.deepEqual(state.store.queueIds("T"), [1]);
});
