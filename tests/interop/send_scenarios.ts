/** Every way to send, each read back. */
import assert from "node:assert/strict";
import { assertSame, assertStored, type Context, eventually, keysOf } from "./context.ts";
import type { Scenario } from "./scenarios.ts";

async function sync(t: Context): Promise<void> {
  const topic = await t.topic("t", 4);
  const producer = await t.producer();
  const results = await t.send(producer, topic, { prefix: "s", count: 20, tags: "A,B" });
  assertStored(results, 20);
  assert.equal(new Set(results.map((result) => result.queueId)).size, 4, "every queue is used");
  const consumer = await t.push("c", topic);
  const messages = await t.received(consumer, keysOf("s", 20));
  assertSame(results, messages);
  for (const message of messages) {
    assert.equal(message.tags, Number(message.key.slice(2)) % 2 === 0 ? "A" : "B");
    assert.equal(message.reconsumeTimes, 0);
  }
}

async function viewAndQuery(t: Context): Promise<void> {
  const topic = await t.topic("t", 2);
  const producer = await t.producer();
  const [sent] = await t.send(producer, topic, { prefix: "v", count: 1 });
  const byOffset = await t.call({ do: "view", name: producer, topic, msgId: sent.offsetMsgId });
  assert.equal(byOffset.message.hash, sent.hash);
  assert.equal(byOffset.message.queueOffset, sent.queueOffset);
  // The index is written behind the log.
  await eventually(async () => {
    const answer = await t.driver.attempt({ do: "query", name: producer, topic, key: "v-0" });
    return answer.ok && answer.messages.length === 1 && answer.messages[0].hash === sent.hash;
  }, "query by key finds the message");
  await eventually(async () => {
    const answer = await t.driver.attempt({ do: "view", name: producer, topic, msgId: sent.msgId });
    return answer.ok && answer.message.hash === sent.hash;
  }, "view by the client's id finds the message");
}

async function autoCreated(t: Context): Promise<void> {
  const topic = t.named("unknown");
  const producer = await t.producer();
  const results = await t.send(producer, topic, { prefix: "n", count: 8 });
  assertStored(results, 8);
  assert.equal(new Set(results.map((result) => result.queueId)).size, 4, "the client's default of 4 queues");
  const consumer = await t.push("c", topic);
  assertSame(results, await t.received(consumer, keysOf("n", 8)));
}

async function async_(t: Context): Promise<void> {
  const topic = await t.topic("t", 4);
  const producer = await t.producer();
  const results = await t.send(producer, topic, { prefix: "a", count: 50, mode: "async" });
  assertStored(results, 50);
  const consumer = await t.push("c", topic);
  assertSame(results, await t.received(consumer, keysOf("a", 50)));
}

async function oneway(t: Context): Promise<void> {
  const topic = await t.topic("t", 4);
  const producer = await t.producer();
  assert.deepEqual(await t.send(producer, topic, { prefix: "o", count: 20, mode: "oneway" }), []);
  const consumer = await t.push("c", topic);
  const messages = await t.received(consumer, keysOf("o", 20));
  assert.equal(messages.length, 20);
}

async function batch(t: Context): Promise<void> {
  const topic = await t.topic("t", 4);
  const producer = await t.producer();
  const [sent] = await t.send(producer, topic, { prefix: "b", count: 10, mode: "batch", tags: "A" });
  assert.equal(sent.status, "SEND_OK");
  assert.equal(sent.queueOffset, 0, "the offset of the first message");
  const consumer = await t.push("c", topic);
  const messages = await t.received(consumer, keysOf("b", 10));
  messages.sort((a, b) => a.queueOffset - b.queueOffset);
  assert.deepEqual(messages.map((message) => message.key), keysOf("b", 10));
  assert.deepEqual(messages.map((message) => message.queueOffset), messages.map((_, i) => i));
  assert.deepEqual(messages.map((message) => message.queueId), messages.map(() => sent.queueId));
  assert.deepEqual(messages.map((message) => message.tags), messages.map(() => "A"));
  assert.deepEqual(sent.offsetMsgId.split(","), messages.map((message) => message.offsetMsgId));
}

async function compressed(t: Context): Promise<void> {
  const topic = await t.topic("t", 1);
  const producer = await t.producer();
  const size = 3 << 20;
  const results = await t.send(producer, topic, { prefix: "z", count: 2, size, fill: "text" });
  assertStored(results, 2);
  const consumer = await t.push("c", topic);
  const messages = await t.received(consumer, keysOf("z", 2));
  assertSame(results, messages);
  for (const message of messages) {
    assert.equal(message.length, size);
    assert.ok(message.storeSize < size / 10, `stored compressed, not as ${message.storeSize} bytes`);
  }
}

async function tooLarge(t: Context): Promise<void> {
  const topic = await t.topic("t", 1);
  // The client must not be the one that refuses.
  const producer = await t.producer("p", { maxMessageSize: 16 << 20 });
  const refused = await t.driver.attempt({
    do: "send",
    name: producer,
    topic,
    prefix: "x",
    size: 5 << 20,
    fill: "noise",
  });
  assert.equal(refused.ok, false);
  assert.equal(refused.code, 13, refused.error);
  assert.equal(await t.maxOffset(topic, 0), 0, "nothing was stored");
  assertStored(await t.send(producer, topic, { prefix: "y", count: 1 }), 1);
}

async function tags(t: Context): Promise<void> {
  const topic = await t.topic("t", 2);
  const producer = await t.producer();
  await t.send(producer, topic, { prefix: "f", count: 30, tags: "A,B,C" });
  const consumer = await t.push("c", topic, { tags: "A || C" });
  const wanted = keysOf("f", 30).filter((_, i) => i % 3 !== 1);
  await t.received(consumer, wanted);
  // What is sent last to each queue comes last.
  await t.send(producer, topic, { prefix: "last", count: 2, tags: "C" });
  await t.received(consumer, keysOf("last", 2));
  assert.deepEqual(t.driver.messages(consumer).filter((message) => message.tags === "B"), []);
}

async function delay(t: Context): Promise<void> {
  const topic = await t.topic("t", 2);
  const producer = await t.producer();
  const consumer = await t.push("c", topic);
  await t.send(producer, topic, { prefix: "d1", count: 3, delay: 1, tags: "A" });
  await t.send(producer, topic, { prefix: "d2", count: 3, delay: 2, tags: "A" });
  const messages = await t.received(consumer, [...keysOf("d1", 3), ...keysOf("d2", 3)]);
  for (const message of messages) {
    assert.equal(message.topic, topic);
    assert.equal(message.tags, "A");
    const waited = message.storeTimestamp - message.bornTimestamp;
    const level = Number(message.key[1]);
    assert.ok(waited >= level * 1000, `${message.key} was delivered after ${waited} ms`);
  }
}

export const sendScenarios: Scenario[] = [
  { name: "send-sync", run: sync },
  { name: "view-and-query", run: viewAndQuery, not: { "go-2.1.2": "the Go client has no such call" } },
  { name: "send-to-unknown-topic", run: autoCreated },
  { name: "send-async", run: async_ },
  { name: "send-oneway", run: oneway },
  { name: "send-batch", run: batch },
  { name: "send-compressed-3MiB", run: compressed },
  { name: "send-5MiB-refused", run: tooLarge },
  { name: "tags", run: tags },
  { name: "delay-levels", run: delay },
];
