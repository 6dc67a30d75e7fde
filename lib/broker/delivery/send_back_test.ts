import assert from "node:assert/strict";
import test from "node:test";
import { Header, MessageDraft, Output, writeRequest } from "@rmq/protocol";
import { TestBroker } from "../_test_broker.ts";
import { retryRefusal } from "./send_to_retry.ts";
import type { Target } from "./rewriters.ts";

const back = (offset: number, more: Record<string, string | number> = {}) => ({
  offset,
  group: "G",
  delayLevel: 0,
  originTopic: "T",
  originMsgId: "X",
  maxReconsumeTimes: 2,
  ...more,
});

test("a message sent back returns in %RETRY% after ten seconds, with where it came from", async () => {
  const broker = await TestBroker.open();
  const offset = await broker.send("T", 3, "m", { UNIQ_KEY: "U", TAGS: "A" });
  assert.deepEqual((await broker.ask(36, back(offset))).code, 0);
  await broker.world.advance("9s");
  assert.deepEqual(await broker.read("%RETRY%G", 0), []);
  await broker.world.advance("2s");
  const [message] = await broker.read("%RETRY%G", 0);
  assert.equal(message.body, "m");
  assert.equal(message.reconsumeTimes, 1);
  assert.deepEqual(message.properties, {
    UNIQ_KEY: "U",
    TAGS: "A",
    RETRY_TOPIC: "T",
    WAIT: "false",
    ORIGIN_MESSAGE_ID: "7F00000100002A9F" + offset.toString(16).toUpperCase().padStart(16, "0"),
    DELAY: "3",
    REAL_TOPIC: "%RETRY%G",
    REAL_QID: "0",
  });
});

test("each try waits longer, and after the last the message lies with the dead letters", async () => {
  const broker = await TestBroker.open();
  const { store } = broker.state;
  let offset = await broker.send("T", 0, "m");
  const offsets: number[] = [];
  store.onEntry(({ message }) => {
    if (message.topicText().startsWith("%")) offsets.push(message.physicalOffset);
  });
  for (const wait of ["11s", "31s"]) {
    await broker.ask(36, back(offset));
    await broker.world.advance(wait);
    offset = offsets.at(-1) as number;
  }
  await broker.ask(36, back(offset));
  const [dead] = await broker.read("%DLQ%G", 0);
  assert.equal(dead.reconsumeTimes, 3);
  assert.equal(dead.properties.RETRY_TOPIC, "T");
  assert.equal(dead.properties.DELAY, "0");
  assert.equal(dead.properties.REAL_TOPIC, "%RETRY%G");
  assert.equal(broker.state.topics.get("%DLQ%G")?.config.perm, 6);
});

test("a negative level goes to the dead letters at once", async () => {
  const broker = await TestBroker.open();
  const offset = await broker.send("T", 0, "m");
  await broker.ask(36, back(offset, { delayLevel: -1 }));
  assert.equal((await broker.read("%DLQ%G", 0)).length, 1);
});

test("a group without retry queues takes nothing back, and says nothing of it", async () => {
  const broker = await TestBroker.open();
  await broker.ask(200, {}, '{"groupName":"G","retryQueueNums":0}');
  assert.equal((await broker.ask(36, back(12345))).code, 0);
  assert.equal(broker.state.topics.get("%RETRY%G"), null);
});

test("a message that is not there can't be sent back", async () => {
  const broker = await TestBroker.open();
  const answer = await broker.ask(36, back(99_999));
  assert.deepEqual([answer.code, answer.remark], [1, "look message by offset failed, 99999"]);
});

/** The send path's check of a client's own send to %RETRY%G. */
function sendToRetry(broker: TestBroker, reconsumeTimes: number, max: number) {
  const topic = broker.state.topics.createOnSendBack("%RETRY%G", 1, 6, 0);
  if (topic === null) throw new Error("no retry topic");
  const out = new Output();
  writeRequest(out, { code: 310, opaque: 1, fields: {} });
  const frame = out.take();
  const header = new Header();
  header.read(frame, 0, frame.length);
  const draft = new MessageDraft();
  draft.reconsumeTimes = reconsumeTimes;
  const target: Target = { topic, queueId: 0 };
  const refusal = retryRefusal(broker.state, draft, target, header, max);
  return { refusal, topic: target.topic.name, delay: draft.properties.get("DELAY") };
}

test("a client's send to a retry topic becomes a dead letter when it was tried too often or its group consumes in order", async () => {
  const broker = await TestBroker.open();
  assert.deepEqual(sendToRetry(broker, 2, 2), { refusal: null, topic: "%RETRY%G", delay: null });
  assert.deepEqual(sendToRetry(broker, 3, 2), { refusal: null, topic: "%DLQ%G", delay: "-1" });
  assert.equal(sendToRetry(broker, 16, -1).topic, "%RETRY%G");
  broker.state.locks.lock("G", "c", [{ topic: "T", brokerName: "b", queueId: 0 }]);
  assert.equal(sendToRetry(broker, 0, 2).topic, "%DLQ%G");
});

test("a send to the retry topic of a group that may not be made is refused with 26", async () => {
  const broker = await TestBroker.open(undefined, { autoCreateSubscriptionGroup: false });
  assert.equal(sendToRetry(broker, 0, 2).refusal?.code, 26);
});

test("a message that retention removed can't be sent back: the client is told, and sends it itself", async () => {
  const small = { segmentBytes: 64 * 1024, minFreeBytes: 1_000_000 };
  const broker = await TestBroker.open(undefined, { maxMessageSize: 32 * 1024 }, small);
  const first = await broker.send("T", 0, "first");
  for (let i = 0; i < 5; i++) await broker.send("T", 0, "x".repeat(30_000));
  broker.world.disk.setFreeBytes(1_500_000);
  await broker.world.advance("70s");
  assert.ok(broker.state.store.minOffset > first);
  const answer = await broker.ask(36, back(first));
  assert.deepEqual([answer.code, answer.remark], [1, `look message by offset failed, ${first}`]);
});

test("a retry topic stays ordered when messages are sent back to it", async () => {
  const broker = await TestBroker.open();
  broker.state.topics.createOnSendBack("%RETRY%G", 1, 6, 0, true);
  const offset = await broker.send("T", 0, "m");
  await broker.ask(36, back(offset));
  assert.equal(broker.state.topics.get("%RETRY%G")?.config.order, true);
});

test("a blank ORIGIN_MESSAGE_ID is no id, one that is there stays", async () => {
  const broker = await TestBroker.open();
  for (const [i, id] of ["  ", "mine"].entries()) {
    const offset = await broker.send("T", 0, "m", { ORIGIN_MESSAGE_ID: id });
    await broker.ask(36, back(offset, { delayLevel: -1 }));
    const dead = (await broker.read("%DLQ%G", 0))[i];
    const expected = i === 1 ? "mine" : "7F00000100002A9F" + offset.toString(16).toUpperCase().padStart(16, "0");
    assert.equal(dead.properties.ORIGIN_MESSAGE_ID, expected);
  }
});
