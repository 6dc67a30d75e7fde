import assert from "node:assert/strict";
import test from "node:test";
import { Peer, TestBroker } from "../_test_broker.ts";

const queue = (topic: string, queueId: number) => `{"brokerName":"broker-a","queueId":${queueId},"topic":"${topic}"}`;

/** Topic T with 2 queues: 3 messages and none; group G stands at 2, H at 1. */
async function opened(): Promise<{ broker: TestBroker; times: number[] }> {
  const broker = await TestBroker.open();
  const topic = { defaultTopic: "TBW102", readQueueNums: 2, writeQueueNums: 2, perm: 6, topicFilterType: "SINGLE_TAG" };
  await broker.ask(17, { topic: "T", ...topic });
  const times: number[] = [];
  for (const body of ["a", "b", "c"]) {
    await broker.send("T", 0, body);
    const queue = broker.state.store.queue("T", 0);
    times.push(await new Promise((resolve) => broker.state.store.storeTimeAt(queue, queue.max - 1, resolve)));
    await broker.world.advance("1s");
  }
  broker.state.offsets.commit("G", "T", 0, 2);
  broker.state.offsets.commit("H", "T", 0, 1);
  return { broker, times };
}

test("what a group has consumed and read stands beside what each queue holds", async () => {
  const { broker, times } = await opened();
  broker.state.offsets.notePull("G", "T", 0, 3);
  const { body } = await broker.ask(208, { consumerGroup: "G" });
  assert.equal(
    body,
    `{"consumeTps":0.0,"offsetTable":{${queue("T", 0)}:{"brokerOffset":3,"consumerOffset":2,` +
      `"lastTimestamp":${times[1]},"pullOffset":3},${queue("T", 1)}:{"brokerOffset":0,"consumerOffset":0,` +
      `"lastTimestamp":0,"pullOffset":0}}}`,
  );
  const unknown = await broker.ask(208, { consumerGroup: "No" });
  assert.equal(unknown.body, '{"consumeTps":0.0,"offsetTable":{}}');
  const stats = await broker.ask(202, { topic: "T" });
  assert.equal(
    stats.body,
    `{"offsetTable":{${queue("T", 0)}:{"lastUpdateTimestamp":${times[2]},"maxOffset":3,"minOffset":0},` +
      `${queue("T", 1)}:{"lastUpdateTimestamp":0,"maxOffset":0,"minOffset":0}},"topicPutTps":0.0}`,
  );
});

test("topics that the members of a group gave up are left out, unless they are asked for by a list", async () => {
  const { broker } = await opened();
  const consumer = '{"groupName":"G","consumeType":"CONSUME_PASSIVELY","subscriptionDataSet":[{"topic":"Other"}]}';
  await broker.ask(34, {}, `{"clientID":"c","consumerDataSet":[${consumer}]}`, new Peer("c"));
  const rows = async (fields: Record<string, string>) => {
    const { body } = await broker.ask(208, { consumerGroup: "G", ...fields });
    return body.match(/"topic":"T"/g)?.length ?? 0;
  };
  assert.deepEqual([await rows({}), await rows({ topic: "T" }), await rows({ topicList: "T;" })], [0, 0, 2]);
  const groups = async (topic: string) => (await broker.ask(300, { topic })).body;
  assert.equal(await groups("T"), '{"groupList":["G","H"]}');
  assert.equal(await groups("Other"), '{"groupList":["G"]}');
  assert.equal(await groups("No"), '{"groupList":[]}');
});

test("the times of the oldest, newest and last consumed message, and how long the next has waited", async () => {
  const { broker, times } = await opened();
  const { body } = await broker.ask(303, { topic: "T", group: "G" });
  const [first, second] = JSON.parse(body).consumeTimeSpanSet;
  assert.deepEqual([first.minTimeStamp, first.consumeTimeStamp, first.maxTimeStamp], times);
  const waited = broker.state.platform.clock.nowMs() - times[2];
  assert.ok(first.delayTime <= waited && first.delayTime > waited - 1000, String(first.delayTime));
  assert.match(first.minTimeStampStr, /^\d{4}-\d\d-\d\d#\d\d:\d\d:\d\d:\d{3}$/);
  assert.deepEqual([second.messageQueue.queueId, second.maxTimeStamp, second.minTimeStamp], [1, -1, -1]);
});

test("a group takes over the offsets of another, for good", async () => {
  const { broker } = await opened();
  const { offsets } = broker.state;
  offsets.commit("H", "T", 1, 7);
  assert.equal((await broker.ask(314, { srcGroup: "G", destGroup: "H", topic: "T", offline: true })).code, 0);
  assert.deepEqual([...offsets.queuesOf("H", "T")], [[0, 2]]);
  assert.match(broker.file("consumerOffset.json"), /"T@H":\{\n\t+0:2\n/);
  await broker.ask(314, { srcGroup: "None", destGroup: "H", topic: "T" });
  assert.deepEqual([...offsets.queuesOf("H", "T")], [[0, 2]]);
});

test("the lowest offset of other groups, where the compared group is not behind it", async () => {
  const { broker } = await opened();
  const { offsets } = broker.state;
  for (const [group, queueId, offset] of [["G", 1, 0], ["I", 0, 3], ["I", 1, 5]] as const) {
    offsets.commit(group, "T", queueId, offset);
  }
  const ask = async (fields: Record<string, string>) => (await broker.ask(308, { topic: "T", ...fields })).body;
  assert.equal(await ask({ compareGroup: "I" }), '{"correctionOffsets":{0:1,1:0}}');
  assert.equal(
    await ask({ compareGroup: "H", filterGroups: "G,H" }),
    '{"correctionOffsets":{0:9223372036854775807,1:5}}',
  );
  assert.equal(offsets.query("H", "T", 0), 1);
});

test("a topic set up with two thousand million queues is listed as far as an answer goes", async () => {
  const { broker } = await opened();
  const wide = { defaultTopic: "TBW102", readQueueNums: 2 ** 31 - 1, writeQueueNums: 1, perm: 6 };
  await broker.ask(17, { topic: "Wide", topicFilterType: "SINGLE_TAG", ...wide });
  const { code, body } = await broker.ask(202, { topic: "Wide" });
  assert.deepEqual([code, body.match(/queueId/g)?.length], [0, 65536]);
});
