import assert from "node:assert/strict";
import test from "node:test";
import { simulation } from "@rmq/platform/simulated";
import { goldenManifest, goldenStore } from "../../../tests/golden/golden.ts";
import { AppendStatus } from "@rmq/store";
import { ROOT, TestBroker } from "../_test_broker.ts";
import type { StorePut } from "../delivery/put.ts";

const bodies = (messages: { body: string }[]) => messages.map((one) => one.body);

test("a message of level 18 is delivered after two hours, not a second earlier", async () => {
  const broker = await TestBroker.open();
  await broker.send("Late", 2, "hello", { DELAY: "18", TAGS: "A" });
  assert.equal(broker.state.store.existingQueue("SCHEDULE_TOPIC_XXXX", 17)?.max, 1);
  await broker.world.advance("7199s");
  assert.deepEqual(await broker.read("Late", 2), []);
  await broker.world.advance("2s");
  const [message] = await broker.read("Late", 2);
  assert.equal(message.body, "hello");
  // Consumers of Apache's broker see these too.
  assert.deepEqual(message.properties, { DELAY: "18", TAGS: "A", REAL_TOPIC: "Late", REAL_QID: "2" });
});

test("each level delivers on its own time and in the order of its queue", async () => {
  const broker = await TestBroker.open();
  await broker.send("T", 0, "ten", { DELAY: "3" });
  await broker.send("T", 0, "one", { DELAY: "1" });
  await broker.send("T", 0, "one more", { DELAY: "1" });
  await broker.world.advance("3s");
  assert.deepEqual(bodies(await broker.read("T", 0)), ["one", "one more"]);
  await broker.world.advance("8s");
  assert.deepEqual(bodies(await broker.read("T", 0)), ["one", "one more", "ten"]);
});

test("thousands that are due at once are all delivered once and in order", async () => {
  const broker = await TestBroker.open();
  const puts: Promise<number>[] = [];
  for (let i = 0; i < 3000; i++) puts.push(broker.send("Many", i % 2, String(i), { DELAY: "2" }));
  await Promise.all(puts);
  await broker.world.advance("30s");
  const found = [...bodies(await broker.read("Many", 0)), ...bodies(await broker.read("Many", 1))].map(Number);
  assert.deepEqual(found, [
    ...Array.from({ length: 1500 }, (_, i) => 2 * i),
    ...Array.from({ length: 1500 }, (_, i) => 2 * i + 1),
  ]);
});

test("a level above the highest counts as the highest, level 0 as none", async () => {
  const broker = await TestBroker.open(simulation({ seed: 1 }), { messageDelayLevel: "1s 2s" });
  await broker.send("T", 0, "capped", { DELAY: "99" });
  await broker.send("T", 0, "now", { DELAY: "0" });
  assert.deepEqual(bodies(await broker.read("T", 0)), ["now"]);
  await broker.world.advance("3s");
  assert.equal((await broker.read("T", 0))[1].properties.DELAY, "2");
});

test("after a clean stop nothing is delivered twice, and what became due meanwhile is delivered at the start", async () => {
  const world = simulation({ seed: 2 });
  const first = await TestBroker.open(world);
  await first.send("T", 0, "before", { DELAY: "1" });
  await first.send("T", 0, "after", { DELAY: "4" });
  await world.advance("5s");
  await first.close();
  assert.match(first.file("delayOffset.json"), /"offsetTable":\{\n\t\t1:1\n\t\}/);
  await world.advance("1m");
  const second = await TestBroker.open(world);
  await world.advance("1s");
  assert.deepEqual(bodies(await second.read("T", 0)), ["before", "after"]);
});

test("after a power cut each delayed message is delivered at least once", async () => {
  const world = simulation({ seed: 3 });
  const first = await TestBroker.open(world);
  await first.send("T", 0, "a", { DELAY: "1" });
  await first.send("T", 0, "b", { DELAY: "4" });
  await world.advance("5s");
  world.crash({ powerCut: true });
  const second = await TestBroker.open(world);
  await world.advance("1m");
  assert.deepEqual(new Set(bodies(await second.read("T", 0))), new Set(["a", "b"]));
});

test("a wall clock set back by a day does not hold a message for a day", async () => {
  const broker = await TestBroker.open();
  await broker.send("T", 0, "x", { DELAY: "2" });
  broker.world.clock.stepMs(-86_400_000);
  await broker.world.advance("20s");
  assert.deepEqual(bodies(await broker.read("T", 0)), ["x"]);
});

test("an empty level does nothing: no timer of the delay levels runs on an idle broker", async () => {
  const broker = await TestBroker.open();
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

test("a message whose topic was deleted meanwhile is dropped and holds up nobody", async () => {
  const broker = await TestBroker.open();
  await broker.send("Gone", 0, "x", { DELAY: "2" });
  await broker.send("T", 0, "y", { DELAY: "2" });
  assert.equal((await broker.ask(215, { topic: "Gone" })).code, 0);
  await broker.world.advance("10s");
  assert.deepEqual(bodies(await broker.read("T", 0)), ["y"]);
  assert.deepEqual(await broker.read("Gone", 0), []);
});

test("while the store refuses, deliveries wait and lose nothing, neither order nor a message", async () => {
  const broker = await TestBroker.open();
  for (let i = 0; i < 100; i++) await broker.send("T", 0, String(i), { DELAY: "2" });
  const put = broker.state.put as { put: StorePut["put"] };
  const real = put.put.bind(put);
  let calls = 0;
  put.put = (draft, topic, queueId, schedule, done) => {
    calls++;
    // Every seventh message meets a store that is busy, after half a minute of one that refuses.
    if (broker.world.clock.nowMs() < refusesUntil) return done(AppendStatus.SERVICE_NOT_AVAILABLE, -1, -1);
    if (calls % 7 === 0) return done(AppendStatus.BUSY, -1, -1);
    real(draft, topic, queueId, schedule, done);
  };
  const refusesUntil = broker.world.clock.nowMs() + 30_000;
  await broker.world.advance("29s");
  assert.deepEqual(await broker.read("T", 0), []);
  assert.ok(calls < 60, `${calls} tries`);
  await broker.world.advance("1m");
  assert.deepEqual(bodies(await broker.read("T", 0)), Array.from({ length: 100 }, (_, i) => String(i)));
});

test("deliveries whose write was lost are made again", async () => {
  const broker = await TestBroker.open();
  for (let i = 0; i < 10; i++) await broker.send("T", 0, String(i), { DELAY: "2" });
  const put = broker.state.put as { put: StorePut["put"] };
  const real = put.put.bind(put);
  let lost = 0;
  put.put = (draft, topic, queueId, schedule, done) => {
    if (lost < 10) {
      lost++;
      broker.state.platform.clock.setTimer(5, () => done(AppendStatus.SERVICE_NOT_AVAILABLE, -1, -1));
    } else real(draft, topic, queueId, schedule, done);
  };
  await broker.world.advance("20s");
  assert.deepEqual(bodies(await broker.read("T", 0)), Array.from({ length: 10 }, (_, i) => String(i)));
});

test("the progress is asked for with 45, in the form of the file", async () => {
  const broker = await TestBroker.open();
  await broker.send("T", 0, "x", { DELAY: "1" });
  await broker.world.advance("2s");
  const answer = await broker.ask(45, null);
  assert.match(
    answer.body,
    /^\{"dataVersion":\{"counter":0,"stateVersion":0,"timestamp":\d+\},"offsetTable":\{1:1\}\}$/,
  );
});

test("what a Java broker left waiting is delivered when it is due, and nothing of what it had delivered", async () => {
  const { messages } = goldenManifest("clean");
  const last = messages.filter((one) => one.topic === "SCHEDULE_TOPIC_XXXX" && one.queueId === 17);
  assert.equal(last.length, 1);
  const startMs = Math.max(...messages.map((one) => one.storeTimestamp)) + 1000;
  const world = simulation({ seed: 1, startMs });
  const { files } = world.platform;
  for (const [path, bytes] of goldenStore("store-clean")) {
    if (!/^store\/(commitlog|consumequeue|index|config|checkpoint)/.test(path)) continue;
    const target = path.replace("store", ROOT);
    files.makeDirectory(target.slice(0, target.lastIndexOf("/")));
    files.writeWhole(target, bytes);
  }
  const small = { segmentBytes: 1024 * 1024, consumeQueueFileBytes: 1000, maxHashSlotNum: 100, maxIndexNum: 400 };
  const broker = await TestBroker.open(world, {}, small);
  assert.equal(await broker.ask(45, null).then((answer) => answer.body.includes('"offsetTable":{1:3,18:0}')), true);
  const delivered: string[] = [];
  broker.state.store.onEntry(({ message }) => {
    if (message.property("DELAY") !== null) delivered.push(`${message.topicText()} ${message.property("DELAY")}`);
  });
  await world.advance(last[0].storeTimestamp + 7_200_000 - startMs - 1000);
  assert.equal(delivered.length, 0);
  await world.advance("2s");
  assert.deepEqual(delivered, ["StDelay 18"]);
});
