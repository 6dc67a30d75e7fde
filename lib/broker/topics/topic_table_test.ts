import assert from "node:assert/strict";
import test from "node:test";
import { parseJson } from "@rmq/protocol";
import { simulation } from "@rmq/platform/simulated";
import { goldenStore } from "../../../tests/golden/golden.ts";
import { ROOT, TestBroker } from "../_test_broker.ts";
import { groupNameProblem, sendRefusal, topicNameProblem } from "./topic_name.ts";

const golden = (name: string) => goldenStore("store-clean").get(`store/config/${name}`) as Uint8Array;

test("names are judged as Apache judges them, remark included", () => {
  assert.equal(topicNameProblem("a-Z_9%|"), null);
  assert.equal(topicNameProblem(" "), "The specified topic is blank.");
  assert.match(topicNameProblem("a b") ?? "", /^The specified topic: a b, contains illegal characters/);
  assert.match(topicNameProblem("ä") ?? "", /illegal characters/);
  assert.equal(topicNameProblem("a".repeat(127)), null);
  assert.match(topicNameProblem("a".repeat(128)) ?? "", /is longer than topic max length: 127$/);
  assert.equal(topicNameProblem("%RETRY%" + "a".repeat(248)), null);
  assert.match(topicNameProblem("%DLQ%" + "a".repeat(251)) ?? "", /longer than topic max length: 255$/);
  assert.equal(groupNameProblem("g".repeat(120)), null);
  assert.match(groupNameProblem("g".repeat(121)) ?? "", /is longer than group max length: 120$/);
  assert.equal(sendRefusal("SELF_TEST_TOPIC"), "Sending message to topic[SELF_TEST_TOPIC] is forbidden.");
  assert.equal(sendRefusal("BenchmarkTest"), null);
});

test("a new broker has the topics that a Java broker has", async () => {
  const broker = await TestBroker.open(undefined, { traceTopicEnable: false });
  const java = parseJson(golden("topics.json")) as { topicConfigTable: Record<string, { perm: number }> };
  const system = Object.entries(java.topicConfigTable).filter(([name]) => broker.state.topics.isSystem(name));
  assert.ok(system.length > 10);
  for (const [name, config] of system) {
    if (name === "TRANS_CHECK_MAX_TIME_TOPIC") continue;
    assert.deepEqual(JSON.parse(broker.state.topics.get(name)?.json ?? "null"), config, name);
  }
});

test("topics.json of a Java broker is read, and written back with the same contents", async () => {
  const world = simulation({ seed: 1 });
  world.platform.files.makeDirectory(`${ROOT}/config`);
  world.platform.files.writeWhole(`${ROOT}/config/topics.json`, golden("topics.json"));
  const broker = await TestBroker.open(world);
  const before = parseJson(golden("topics.json")) as Record<string, object>;
  assert.deepEqual({ ...broker.state.topics.dataVersion }, before.dataVersion);
  await broker.ask(17, { topic: "Added", topicFilterType: "SINGLE_TAG", readQueueNums: 1, writeQueueNums: 1, perm: 6 });
  const after = JSON.parse(broker.file("topics.json"));
  for (const [name, config] of Object.entries(before.topicConfigTable)) {
    assert.deepEqual(after.topicConfigTable[name], config, name);
  }
  assert.equal(after.topicConfigTable.Added.perm, 6);
});

test("a topic is made on send in the image of TBW102 and is durable only when it is on disk", async () => {
  const broker = await TestBroker.open();
  const topic = broker.state.topics.createOnSend("Orders", "TBW102", 4, 0, "");
  assert.deepEqual(topic?.config.writeQueueNums, 4);
  assert.equal(topic?.config.perm, 6);
  assert.equal(topic?.durable, false);
  await broker.world.finish(new Promise<void>((resolve) => broker.state.topics.whenDurable(topic as never, resolve)));
  assert.equal(topic?.durable, true);
  assert.equal(broker.state.topics.createOnSend("Wide", "TBW102", 100, 0, "")?.config.readQueueNums, 8);
  assert.equal(broker.state.topics.createOnSend("x", "NoSuchTopic", 4, 0, ""), null);
  assert.equal(broker.state.topics.createOnSend("x", "BenchmarkTest", 4, 0, ""), null);
  assert.equal(broker.state.topics.createOnSend("a b", "TBW102", 4, 0, ""), null);
});

test("without autoCreateTopicEnable no topic comes from TBW102, even where an older file has it", async () => {
  const world = simulation({ seed: 1 });
  world.platform.files.makeDirectory(`${ROOT}/config`);
  world.platform.files.writeWhole(`${ROOT}/config/topics.json`, golden("topics.json"));
  const broker = await TestBroker.open(world, { autoCreateTopicEnable: false });
  assert.notEqual(broker.state.topics.get("TBW102"), null);
  assert.equal(broker.state.topics.createOnSend("x", "TBW102", 4, 0, ""), null);
});

test("beyond maxTopics no topic is made", async () => {
  const broker = await TestBroker.open(undefined, { maxTopics: 20 });
  for (let i = 0; i < 30; i++) broker.state.topics.createOnSend("t" + i, "TBW102", 1, 0, "");
  assert.equal(broker.state.topics.size, 20);
  const fields = { topic: "u", topicFilterType: "SINGLE_TAG", readQueueNums: 1, writeQueueNums: 1, perm: 6 };
  const answer = await broker.ask(17, fields);
  assert.equal(answer.code, 1);
  assert.match(answer.remark ?? "", /20 topics already/);
});

test("a created topic survives a power cut right after the answer", async () => {
  const world = simulation({ seed: 5 });
  const first = await TestBroker.open(world);
  const fields = { topic: "Kept", topicFilterType: "MULTI_TAG", readQueueNums: 3, writeQueueNums: 2, perm: 6 };
  assert.equal((await first.ask(17, fields)).code, 0);
  world.crash({ powerCut: true });
  const second = await TestBroker.open(world);
  assert.equal(second.state.topics.get("Kept")?.config.topicFilterType, "MULTI_TAG");
});

test("a deleted topic is gone with its messages and offsets, and a new one of its name begins at 0", async () => {
  const broker = await TestBroker.open();
  await broker.send("Old", 0, "x");
  broker.state.offsets.commit("g", "Old", 0, 1);
  const before = broker.state.topics.get("Old");
  assert.equal((await broker.ask(215, { topic: "Old" })).code, 0);
  assert.equal(before?.deleted, true);
  assert.equal(broker.state.topics.get("Old"), null);
  assert.equal(broker.state.offsets.query("g", "Old", 0), -1);
  await broker.send("Old", 0, "y");
  assert.deepEqual((await broker.read("Old", 0)).map((one) => one.body), ["y"]);
  assert.equal(broker.state.store.existingQueue("Old", 0)?.max, 1);
});

test("ten thousand topics come in pages that are sorted, whole and of one version", async () => {
  const broker = await TestBroker.open();
  for (let i = 0; i < 10_000; i++) broker.state.topics.createOnSend("topic-" + i, "TBW102", 1, 0, "");
  const names: string[] = [];
  let dataVersion = "";
  for (let topicSeq = 0;; topicSeq += 2000) {
    const answer = await broker.ask(21, { topicSeq, maxTopicNum: 2000, dataVersion });
    const body = JSON.parse(answer.body);
    const page = Object.keys(body.topicConfigTable);
    if (page.length === 0) break;
    names.push(...page);
    dataVersion = JSON.stringify(body.dataVersion);
    assert.equal(answer.fields?.totalTopicNum, String(broker.state.topics.size));
  }
  assert.deepEqual(names, [...broker.state.topics.sortedNames()]);
  const whole = JSON.parse((await broker.ask(21, null)).body);
  assert.equal(Object.keys(whole.topicConfigTable).length, broker.state.topics.size);
});

test("a topic that is being deleted is not made again before that is on disk, and then begins anew", async () => {
  const world = simulation({ seed: 3 });
  const broker = await TestBroker.open(world);
  world.disk.latencyMs.sync = 2;
  await broker.send("T", 0, "first");
  const { topics, store } = broker.state;
  const before = topics.get("T");
  const done: string[] = [];
  topics.delete("T", (error) => done.push(`first ${error}`));
  topics.delete("T", (error) => done.push(`second ${error}`));
  // What producers, consumers, operators and retries would do meanwhile.
  assert.equal(topics.createOnSend("T", "TBW102", 4, 0, ""), null);
  assert.equal(topics.createOnSendBack("T", 1, 6, 0), null);
  const fields = { topic: "T", topicFilterType: "SINGLE_TAG", readQueueNums: 1, writeQueueNums: 1, perm: 6 };
  const refused = await broker.ask(17, fields);
  assert.equal(refused.code, 1);
  assert.match(refused.remark ?? "", /topic\[T\] is being deleted/);
  assert.deepEqual([topics.get("T"), done], [null, []]);
  await world.advance(200);
  assert.deepEqual(done, ["first null", "second null"]);
  await broker.send("T", 0, "again");
  assert.equal(topics.get("T")?.queue(0).max, 1);
  assert.equal(topics.get("T")?.queue(0), store.existingQueue("T", 0));
  // Whoever still holds the old topic is not led to its dead queue.
  assert.equal(before?.queue(0), store.existingQueue("T", 0));
});
