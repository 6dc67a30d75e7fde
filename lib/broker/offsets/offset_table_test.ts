import assert from "node:assert/strict";
import test from "node:test";
import { simulation } from "@rmq/platform/simulated";
import { goldenStore } from "../../../tests/golden/golden.ts";
import { ROOT, TestBroker } from "../_test_broker.ts";

test("offsets are on disk after flushConsumerOffsetInterval, in the form that Java writes", async () => {
  const broker = await TestBroker.open();
  for (let i = 0; i < 3; i++) await broker.send("T", 0, "m");
  broker.state.offsets.commit("g", "T", 0, 2);
  broker.state.offsets.notePull("g", "T", 0, 3);
  await broker.world.advance("5s");
  assert.match(
    broker.file("consumerOffset.json"),
    /^\{\n\t"dataVersion":\{\n\t\t"counter":0,[^}]+\},\n\t"groupTopicMap":\{\n\t\t"g":\[\n\t\t\t"T"\n\t\t\]\n\t\},\n\t"offsetTable":\{\n\t\t"T@g":\{\n\t\t\t0:2\n\t\t\}\n\t\},\n\t"pullOffsetTable":\{\n\t\t"T@g":\{\n\t\t\t0:3\n\t\t\}\n\t\}\n\}$/,
  );
});

test("a clean stop keeps every offset", async () => {
  const world = simulation({ seed: 1 });
  const first = await TestBroker.open(world);
  await first.send("T", 0, "m");
  first.state.offsets.commit("g", "T", 0, 1);
  await first.close();
  const second = await TestBroker.open(world);
  assert.equal(second.state.offsets.query("g", "T", 0), 1);
});

test("the file of a Java broker is read, broadcast groups too", async () => {
  const world = simulation({ seed: 1 });
  const { files } = world.platform;
  files.makeDirectory(`${ROOT}/config`);
  const text = '{"dataVersion":{"counter":4,"stateVersion":0,"timestamp":9},' +
    '"offsetTable":{"T@g":{0:0,1:0},"T@b@broadcast":{"0":0}}}';
  files.writeWhole(`${ROOT}/config/consumerOffset.json`, new TextEncoder().encode(text));
  const { offsets } = (await TestBroker.open(world)).state;
  assert.equal(offsets.query("g", "T", 1), 0);
  assert.equal(offsets.query("b@broadcast", "T", 0), 0);
  assert.equal(offsets.dataVersion.counter, 4);
});

test("the golden offsets are all found again in the answer to 43", async () => {
  const world = simulation({ seed: 1 });
  const { files } = world.platform;
  files.makeDirectory(`${ROOT}/config`);
  const bytes = goldenStore("store-clean").get("store/config/consumerOffset.json") as Uint8Array;
  files.writeWhole(`${ROOT}/config/consumerOffset.json`, bytes);
  const broker = await TestBroker.open(world);
  const { body } = await broker.ask(43, null);
  for (const match of new TextDecoder().decode(bytes).matchAll(/"([^"@]+@[^"]+)":\{/g)) {
    assert.ok(body.includes(`"${match[1]}":{`), match[1]);
  }
});

test("an offset beyond what a power cut left is set back to the end of its queue, with one line in the log", async () => {
  const world = simulation({ seed: 1 });
  const first = await TestBroker.open(world);
  await first.send("T", 0, "m");
  first.state.offsets.commit("g", "T", 0, 50);
  first.state.offsets.commit("g", "T", 1, 50);
  await first.close();
  const second = await TestBroker.open(world);
  assert.equal(second.state.offsets.query("g", "T", 0), 1);
  assert.equal(second.state.offsets.query("g", "T", 1), 0);
  assert.equal(second.log.count("set back"), 1);
});

test("a pending reset is what is asked for, holds off commits, and is taken once", async () => {
  const { offsets } = (await TestBroker.open()).state;
  offsets.commit("g", "T", 0, 9);
  offsets.reset("g", "T", 0, 3);
  assert.equal(offsets.query("g", "T", 0), 3);
  offsets.commit("g", "T", 0, 10);
  assert.equal(offsets.takeReset("g", "T", 0), 3);
  assert.equal(offsets.takeReset("g", "T", 0), -1);
  assert.equal(offsets.query("g", "T", 0), 3);
  offsets.commit("g", "T", 0, 4);
  assert.equal(offsets.query("g", "T", 0), 4);
});

test("a new group of a queue that still begins at 0 starts there; a queue without messages is not found", async () => {
  const broker = await TestBroker.open();
  await broker.send("T", 0, "m");
  const ask = (queueId: number) => broker.ask(14, { consumerGroup: "new", topic: "T", queueId });
  assert.deepEqual((await ask(0)).fields, { offset: "0" });
  assert.equal((await ask(1)).code, 22);
});

test("a group deleted with its offsets leaves none", async () => {
  const broker = await TestBroker.open();
  await broker.ask(200, {}, '{"groupName":"g"}');
  broker.state.offsets.commit("g", "T", 0, 1);
  await broker.ask(207, { groupName: "g" });
  assert.equal(broker.state.offsets.query("g", "T", 0), 1);
  await broker.ask(207, { groupName: "g", cleanOffset: true });
  assert.equal(broker.state.offsets.query("g", "T", 0), -1);
});

test("offsets of a deleted topic or group don't come back after a power cut", async () => {
  const world = simulation({ seed: 2 });
  const broker = await TestBroker.open(world);
  await broker.ask(200, {}, '{"groupName":"h"}');
  for (const topic of ["T", "U"]) {
    await broker.send(topic, 0, "m");
    for (const group of ["g", "h"]) broker.state.offsets.commit(group, topic, 0, 1);
  }
  await broker.world.advance("10s");
  await broker.ask(215, { topic: "T" });
  await broker.ask(207, { groupName: "h", cleanOffset: true });
  world.crash({ powerCut: true });
  const { offsets } = (await TestBroker.open(world)).state;
  assert.deepEqual([offsets.topicsOf("g"), offsets.topicsOf("h")], [["U"], []]);
});

test("groups of a topic are those with offsets in it, whatever was removed", async () => {
  const { offsets } = (await TestBroker.open()).state;
  for (const group of ["a", "b", "c"]) for (const topic of ["T", "U"]) offsets.commit(group, topic, 0, 1);
  assert.deepEqual(offsets.groupsOf("T"), ["a", "b", "c"]);
  offsets.removeGroup("b");
  assert.deepEqual([offsets.groupsOf("T"), offsets.groupsOf("U")], [["a", "c"], ["a", "c"]]);
  offsets.removeTopic("T");
  assert.deepEqual([offsets.groupsOf("T"), offsets.topicsOf("a")], [[], ["U"]]);
  offsets.commit("b", "T", 1, 1);
  assert.deepEqual(offsets.groupsOf("T"), ["b"]);
});
