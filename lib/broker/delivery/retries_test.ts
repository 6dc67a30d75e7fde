import assert from "node:assert/strict";
import test from "node:test";
import { offsetMessageId } from "@rmq/protocol";
import { Peer, TestBroker } from "../_test_broker.ts";

const back = (offset: number, more: Record<string, string | number> = {}) => ({
  offset,
  group: "G",
  delayLevel: 0,
  originTopic: "T",
  originMsgId: "X",
  maxReconsumeTimes: 16,
  ...more,
});

const idOf = (offset: number) => offsetMessageId(new Uint8Array([127, 0, 0, 1]), 10911, offset);

const LEVELS = [10, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 1200, 1800, 3600, 7200];

test("sixteen tries, each after the delay of its level, and then the dead letters of the group", async () => {
  // Hours pass: what is written every few seconds would be most of the test's work.
  const seldom = { flushConsumerOffsetInterval: 600_000, flushDelayOffsetInterval: 600_000 };
  const broker = await TestBroker.open(undefined, seldom, { checkpointIntervalMs: 600_000 });
  let offset = await broker.send("T", 0, "m", { UNIQ_KEY: "U", KEYS: "k" });
  const origin = offset;
  for (const [i, seconds] of LEVELS.entries()) {
    assert.equal((await broker.ask(36, back(offset))).code, 0);
    await broker.world.advance(`${seconds - 1}s`);
    assert.equal((await broker.read("%RETRY%G", 0)).length, i, `try ${i + 1} came too early`);
    await broker.world.advance("2s");
    const message = (await broker.read("%RETRY%G", 0))[i];
    assert.deepEqual([message.reconsumeTimes, message.properties.DELAY], [i + 1, String(i + 3)]);
    offset = message.physicalOffset;
  }
  assert.deepEqual(await broker.read("%DLQ%G", 0), []);
  assert.equal((await broker.ask(36, back(offset))).code, 0);
  const [dead] = await broker.read("%DLQ%G", 0);
  assert.deepEqual([dead.body, dead.reconsumeTimes], ["m", 17]);
  const { ORIGIN_MESSAGE_ID, RETRY_TOPIC, UNIQ_KEY, KEYS, DELAY, WAIT } = dead.properties;
  assert.deepEqual([ORIGIN_MESSAGE_ID, RETRY_TOPIC, UNIQ_KEY, KEYS, DELAY, WAIT], [
    idOf(origin),
    "T",
    "U",
    "k",
    "0",
    "false",
  ]);
});

test("a group's own policy says when a message comes back, where the client leaves that to the broker", async () => {
  const broker = await TestBroker.open();
  const policy = '{"type":"EXPONENTIAL","exponentialRetryPolicy":{"initial":5000,"max":60000,"multiplier":6}}';
  await broker.ask(200, {}, `{"groupName":"G","groupRetryPolicy":${policy}}`);
  let offset = await broker.send("T", 0, "m");
  for (const [i, seconds] of [5, 30, 60, 60].entries()) {
    await broker.ask(36, back(offset));
    await broker.world.advance(`${seconds - 1}s`);
    assert.equal((await broker.read("%RETRY%G", 0)).length, i);
    await broker.world.advance("2s");
    offset = (await broker.read("%RETRY%G", 0))[i].physicalOffset;
  }
  await broker.ask(36, back(offset, { delayLevel: 1 }));
  await broker.world.advance("2s");
  assert.equal((await broker.read("%RETRY%G", 0)).length, 5);
});

test("a policy's delay that is no level is kept by the timer wheel, to the second", async () => {
  const broker = await TestBroker.open();
  const policy = '{"type":"EXPONENTIAL","exponentialRetryPolicy":{"initial":7000,"max":60000,"multiplier":2}}';
  await broker.ask(200, {}, `{"groupName":"G","groupRetryPolicy":${policy}}`);
  let offset = await broker.send("T", 0, "m");
  for (const [i, seconds] of [7, 14, 28].entries()) {
    const { clock } = broker.state.platform;
    const asked = clock.nowMs();
    await broker.ask(36, back(offset));
    await broker.world.advance(`${seconds - 1}s`);
    assert.equal((await broker.read("%RETRY%G", 0)).length, i);
    await broker.world.advance("3s");
    const message = (await broker.read("%RETRY%G", 0))[i];
    assert.equal(message.reconsumeTimes, i + 1);
    const waited = message.storeTimestamp - asked;
    assert.ok(waited >= seconds * 1000 && waited < seconds * 1000 + 1200, `try ${i + 1} came after ${waited} ms`);
    offset = message.physicalOffset;
  }
  await broker.ask(36, back(offset, { delayLevel: -1 }));
  assert.equal((await broker.read("%DLQ%G", 0)).length, 1);
});

test("without the timer wheel such a delay takes the shortest level that is not shorter", async () => {
  const broker = await TestBroker.open(undefined, { timerWheelEnable: false });
  const policy = '{"type":"CUSTOMIZED","customizedRetryPolicy":{"next":[0,0,7000]}}';
  await broker.ask(200, {}, `{"groupName":"G","groupRetryPolicy":${policy}}`);
  const offset = await broker.send("T", 0, "m");
  await broker.ask(36, back(offset));
  await broker.world.advance("11s");
  assert.deepEqual((await broker.read("%RETRY%G", 0)).map(({ properties }) => properties.DELAY), ["3"]);
});

test("levels beyond the last are the last, and the client's number of tries counts only from version 3.4.9 on", async () => {
  const broker = await TestBroker.open(undefined, { messageDelayLevel: "1s 2s" });
  await broker.ask(200, {}, '{"groupName":"G","retryMaxTimes":0}');
  const offset = await broker.send("T", 0, "m");
  await broker.ask(36, back(offset, { delayLevel: 99 }));
  await broker.world.advance("3s");
  assert.deepEqual((await broker.read("%RETRY%G", 0)).map(({ properties }) => properties.DELAY), ["2"]);
  const old = new Peer("old");
  old.version = 120;
  await broker.ask(36, back(offset), "", old);
  const silent = back(offset);
  await broker.ask(36, { ...silent, maxReconsumeTimes: null });
  assert.equal((await broker.read("%DLQ%G", 0)).length, 2);
});
