import assert from "node:assert/strict";
import test from "node:test";
import { simulation } from "@rmq/platform/simulated";
import { TestBroker } from "../_test_broker.ts";
import { decodeRecallHandle, encodeRecallHandle } from "./recall_handle.ts";

const ID = "7F0000010000000000000000000000AA";

/** A broker with one message that is due in 20 s, and its handle. */
async function waiting(changes = {}) {
  const broker = await TestBroker.open(simulation({ seed: 1 }), { recallMessageEnable: true, ...changes });
  const deliverMs = broker.world.clock.nowMs() + 20_000;
  await broker.send("T", 1, "wanted back", { UNIQ_KEY: ID, TIMER_DELIVER_MS: String(deliverMs) });
  await broker.send("T", 1, "stays", { UNIQ_KEY: "other", TIMER_DELIVER_MS: String(deliverMs) });
  const timestamp = String(Math.floor((deliverMs - 1) / 1000) * 1000 + 1);
  const handle = (change = {}) =>
    encodeRecallHandle({ topic: "T", brokerName: "broker-a", timestamp, messageId: ID, ...change });
  return { broker, handle };
}

test("a handle is the one that a Java broker made, and is read again", () => {
  const parts = { topic: "Ttimer", brokerName: "broker-a", timestamp: "1795370741001" };
  const handle = { ...parts, messageId: "7F00000108874E0E2F2A70077B460000" };
  const text = "djEgVHRpbWVyIGJyb2tlci1hIDE3OTUzNzA3NDEwMDEgN0YwMDAwMDEwODg3NEUwRTJGMkE3MDA3N0I0NjAwMDA=";
  assert.equal(encodeRecallHandle(handle), text);
  assert.deepEqual(decodeRecallHandle(text), handle);
  assert.deepEqual(decodeRecallHandle(text.slice(0, -1)), handle);
  for (const bad of ["", "zzz", "a b", "djEg", "ü", btoa("v2 T b 1 x")]) assert.equal(decodeRecallHandle(bad), null);
});

for (const appendTopicForTimerDeleteKey of [false, true]) {
  test(`a recalled message is not delivered, others are (topic in the key: ${appendTopicForTimerDeleteKey})`, async () => {
    const { broker, handle } = await waiting({ appendTopicForTimerDeleteKey });
    const answer = await broker.ask(370, { topic: "T", producerGroup: "PG", recallHandle: handle() });
    assert.deepEqual([answer.code, answer.fields], [0, { msgId: ID, MSG_REGION: "DefaultRegion" }]);
    assert.equal(answer.remark, "not set any response code");
    await broker.world.advance("30s");
    assert.deepEqual((await broker.read("T", 1)).map(({ body }) => body), ["stays"]);
    assert.equal(broker.timers.stats().congestNum, 0);
    // The mark itself goes nowhere.
    assert.deepEqual(await broker.read("T", 0), []);
  });
}

test("a recall holds over a kill, and for a message on its way beyond the window", async () => {
  const { broker, handle } = await waiting({ timerRollWindowSlot: 6 });
  await broker.ask(370, { topic: "T", recallHandle: handle() });
  await broker.world.advance(300);
  broker.world.crash({ powerCut: true });
  const again = await TestBroker.open(broker.world, { timerRollWindowSlot: 6 });
  await again.world.advance("40s");
  assert.deepEqual((await again.read("T", 1)).map(({ body }) => body), ["stays"]);
});

test("what can't be recalled is refused in Apache's words", async () => {
  const off = await waiting({ recallMessageEnable: false });
  const refused = await off.broker.ask(370, {});
  assert.deepEqual([refused.code, refused.remark], [16, "recall failed, operation is forbidden"]);
  const { broker, handle } = await waiting({});
  const cases: [Record<string, string>, number, string][] = [
    [{ topic: "NoTopicX", recallHandle: handle() }, 17, "recall failed, the topic[NoTopicX] not exist"],
    [{ topic: "T", recallHandle: "zzz" }, 604, "recall handle is invalid"],
    [{ topic: "TBW102", recallHandle: handle() }, 604, "recall failed, topic not match"],
    [{ topic: "T", recallHandle: handle({ brokerName: "x" }) }, 604, "recall failed, broker service not available"],
    [{ topic: "T", recallHandle: handle({ timestamp: "1700000000001" }) }, 604, "recall failed, timestamp invalid"],
    [{ topic: "T", recallHandle: handle({ timestamp: "soon" }) }, 604, "recall failed, timestamp invalid"],
  ];
  for (const [fields, code, remark] of cases) {
    const answer = await broker.ask(370, fields);
    assert.deepEqual([answer.code, answer.remark, answer.fields], [code, remark, { MSG_REGION: "DefaultRegion" }]);
  }
});
