import assert from "node:assert/strict";
import test from "node:test";
import { bytesOf, goldenExchanges } from "../../../tests/golden/golden.ts";
import { WireBroker } from "../_test_wire.ts";

const lock = (clientId: string, topic: string, group: string) =>
  `{"clientId":"${clientId}","consumerGroup":"${group}",` +
  `"mqSet":[{"brokerName":"broker-a","queueId":0,"topic":"${topic}"}]}`;

test("what ordered consumers of both generations gave up goes to the dead letters, as a live broker stored it", async () => {
  const wire = await WireBroker.start();
  let compared = 0;
  for (const { code, scenario, client: who, request, response } of goldenExchanges("produce")) {
    if (code !== 310 || scenario !== "consume-orderly-dlq" || request === null || response === null) continue;
    const { extFields } = JSON.parse(request.header_text);
    if (!extFields.b.startsWith("%RETRY%")) continue;
    const group = extFields.b.slice("%RETRY%".length);
    const client = wire.client(who);
    await client.ask(41, {}, lock("c", "Tretry", group));
    const answer = await client.ask(310, extFields, bytesOf(request.body_base64 ?? ""));
    const golden = JSON.parse(response.header_text);
    assert.deepEqual([...answer.fields.keys()].sort(), Object.keys(golden.extFields).sort());
    assert.equal(answer.fields.get("transactionId"), golden.extFields.transactionId);
    const [dead] = await wire.read(`%DLQ%${group}`, 0);
    assert.deepEqual([dead.body, dead.reconsumeTimes], ["retry me", Number(extFields.j)]);
    const { DELAY, RETRY_TOPIC, ORIGIN_MESSAGE_ID, UNIQ_KEY, KEYS } = dead.properties;
    assert.deepEqual([DELAY, RETRY_TOPIC, KEYS], ["-1", "Tretry", "RK"]);
    assert.deepEqual([ORIGIN_MESSAGE_ID, UNIQ_KEY], [golden.extFields.transactionId, golden.extFields.transactionId]);
    assert.deepEqual(await wire.read(`%RETRY%${group}`, 0), []);
    compared++;
  }
  assert.equal(compared, 2);
  await wire.stop();
});

test("a client that could not send a message back sends it to the retry topic itself, and it comes back in time", async () => {
  const wire = await WireBroker.start();
  const client = wire.client("consumer");
  const properties = "RETRY_TOPIC\u0001T\u0002ORIGIN_MESSAGE_ID\u0001O\u0002UNIQ_KEY\u0001U\u0002DELAY\u00013\u0002";
  const answer = await client.send("%RETRY%G", "m", properties, { j: 1, l: 16 });
  assert.equal(answer.code, 0);
  await wire.world.advance("9s");
  assert.deepEqual(await wire.read("%RETRY%G", 0), []);
  await wire.world.advance("2s");
  const [message] = await wire.read("%RETRY%G", 0);
  assert.deepEqual([message.body, message.reconsumeTimes, message.properties.UNIQ_KEY], ["m", 1, "U"]);
  assert.equal((await client.send("%RETRY%G", "m", properties, { j: 17, l: 16 })).code, 0);
  assert.deepEqual((await wire.read("%DLQ%G", 0)).map(({ properties }) => properties.RETRY_TOPIC), ["T"]);
  await wire.stop();
});

test("a batch can't be sent to a retry topic", async () => {
  const wire = await WireBroker.start();
  const client = wire.client("producer");
  const answer = await client.send("%RETRY%G", "m", "", { m: "true" });
  assert.deepEqual([answer.code, answer.remark], [13, "batch request does not support retry group %RETRY%G"]);
  await wire.stop();
});

test("dead letters are a topic like any other: the group that reads them gets them and may fail on them too", async () => {
  const wire = await WireBroker.start();
  const client = wire.client("consumer");
  const sent = await client.send("T", "m");
  const offset = parseInt((sent.fields.get("msgId") ?? "").slice(16), 16);
  const back = { group: "G", offset, delayLevel: -1, originTopic: "T" };
  assert.equal((await client.ask(36, back)).code, 0);
  const subscription = '{"topic":"%DLQ%G","subString":"*","subVersion":1}';
  const data = `{"groupName":"Undertaker","consumeType":"CONSUME_PASSIVELY","subscriptionDataSet":[${subscription}]}`;
  await client.ask(34, {}, `{"clientID":"c","consumerDataSet":[${data}]}`);
  const pull = { consumerGroup: "Undertaker", topic: "%DLQ%G", queueId: 0, queueOffset: 0, maxMsgNums: 32, sysFlag: 0 };
  const rest = { commitOffset: 0, suspendTimeoutMillis: 0, subVersion: 1 };
  assert.equal((await client.ask(11, { ...pull, ...rest })).code, 0);
  const [dead] = await wire.read("%DLQ%G", 0);
  const again = { group: "Undertaker", offset: dead.physicalOffset, delayLevel: 1, originTopic: "%DLQ%G" };
  assert.equal((await client.ask(36, again)).code, 0);
  await wire.world.advance("2s");
  assert.deepEqual((await wire.read("%RETRY%Undertaker", 0)).map(({ body }) => body), ["m"]);
  await wire.stop();
});

test("a send with a priority is stored in the queue of that number, and answered with it", async () => {
  const wire = await WireBroker.start();
  const client = wire.client("producer");
  for (const [priority, queue] of [[0, "0"], [2, "2"], [77, "3"]]) {
    const answer = await client.send("P", "m", `_SYS_MSG_PRIORITY_\u0001${priority}\u0002`, { e: -1 });
    assert.deepEqual([answer.code, answer.fields.get("queueId")], [0, queue]);
  }
  assert.equal((await wire.read("P", 3)).length, 1);
  await wire.stop();
});
