import assert from "node:assert/strict";
import test from "node:test";
import { StoredMessage } from "@rmq/protocol";
import { TestBroker } from "../_test_broker.ts";

/** Bodies of messages in store format, one behind the other. */
function bodiesOf(bytes: Uint8Array): string[] {
  const message = new StoredMessage();
  const bodies: string[] = [];
  for (let at = 0; at < bytes.length; at += message.size) {
    assert.ok(message.parse(bytes, at, bytes.length, true) > 0);
    bodies.push(new TextDecoder().decode(bytes.subarray(message.bodyStart, message.bodyEnd)));
  }
  return bodies;
}

test("messages are found by key and by unique key, and seen by their place in the log", async () => {
  const broker = await TestBroker.open();
  await broker.send("T", 0, "a", { KEYS: "k1 k2", UNIQ_KEY: "U1" });
  const second = await broker.send("T", 1, "b", { KEYS: "k2", UNIQ_KEY: "U2" });
  const range = { beginTimestamp: 0, endTimestamp: 9_999_999_999_999, maxNum: 10 };
  const byKey = await broker.ask(12, { topic: "T", key: "k2", indexType: "K", ...range });
  assert.deepEqual(bodiesOf(byKey.bytes).sort(), ["a", "b"]);
  assert.equal(byKey.fields?.indexLastUpdatePhyoffset, String(second));
  const unique = await broker.ask(12, { topic: "T", key: "U2", indexType: "U", _UNIQUE_KEY_QUERY: "true", ...range });
  assert.deepEqual(bodiesOf(unique.bytes), ["b"]);
  assert.deepEqual(bodiesOf((await broker.ask(33, { offset: second })).bytes), ["b"]);
});

test("messages are found by tag, and a query that says it is for a unique key is for one", async () => {
  const broker = await TestBroker.open();
  await broker.send("T", 0, "a", { TAGS: "red", KEYS: "k" });
  await broker.send("T", 1, "b", { TAGS: "blue", UNIQ_KEY: "red" });
  await broker.send("Other", 0, "c", { TAGS: "red" });
  const range = { beginTimestamp: 0, endTimestamp: "9223372036854775807", maxNum: 10 };
  const byTag = await broker.ask(12, { topic: "T", key: "red", indexType: "T", ...range });
  assert.deepEqual(bodiesOf(byTag.bytes), ["a"]);
  const unique = await broker.ask(12, { topic: "T", key: "red", indexType: "T", _UNIQUE_KEY_QUERY: "true", ...range });
  assert.deepEqual(bodiesOf(unique.bytes), ["b"]);
  const none = await broker.ask(12, { topic: "T", key: "red", indexType: "K", ...range, endTimestamp: 1 });
  assert.deepEqual(
    [none.code, none.remark, none.fields],
    [22, "can not find message, maybe time range not correct", {
      indexLastUpdateTimestamp: "0",
      indexLastUpdatePhyoffset: "0",
    }],
  );
});

test("a query returns at most maxMsgsNumBatch messages, the newest, in the order of the log", async () => {
  const broker = await TestBroker.open(undefined, { maxMsgsNumBatch: 5 });
  for (let i = 0; i < 9; i++) await broker.send("T", 0, "m" + i, { KEYS: "k" });
  const range = { beginTimestamp: 0, endTimestamp: 9_999_999_999_999, maxNum: 1000 };
  const answer = await broker.ask(12, { topic: "T", key: "k", ...range });
  assert.deepEqual(bodiesOf(answer.bytes), ["m4", "m5", "m6", "m7", "m8"]);
});

test("offsets are searched by time from either side, and the earliest time is the first message's", async () => {
  const broker = await TestBroker.open();
  const { clock } = broker.state.platform;
  const times: number[] = [];
  for (let i = 0; i < 3; i++) {
    times.push(clock.nowMs());
    await broker.send("T", 0, "m" + i);
    await broker.world.advance("10s");
  }
  const search = async (timestamp: number, boundaryType?: string) =>
    (await broker.ask(29, { topic: "T", queueId: 0, timestamp, boundaryType })).fields?.offset;
  assert.equal(await search(times[1] - 5000), "1");
  assert.equal(await search(times[1] + 5000, "UPPER"), "1");
  assert.equal(await search(times[2] + 60_000), "3");
  const earliest = await broker.ask(32, { topic: "T", queueId: 0 });
  assert.ok(Number(earliest.fields?.timestamp) - times[0] < 1000);
  assert.equal((await broker.ask(30, { topic: "T", queueId: 0 })).fields?.offset, "3");
});
