import assert from "node:assert/strict";
import { test } from "node:test";
import { ClientError, connect } from "@rmq/client";
import { cluster, eventually } from "./_cluster.ts";

const shared = cluster();

test("a message that was sent is stored with its tag, keys and properties", async () => {
  const mq = await shared.client();
  const topic = shared.name("send");
  const receipt = await mq.send(topic, { id: 7 }, { tag: "paid", keys: ["k1", "k2"], properties: { city: "Zürich" } });
  assert.equal(receipt.status, "SEND_OK");
  assert.equal(receipt.offset, 0);
  assert.equal(receipt.messageId.length, 32);
  const [message] = await shared.stored(topic);
  assert.equal(message.body, '{"id":7}');
  assert.equal(message.queueId, receipt.queue.queueId);
  assert.equal(message.properties.get("TAGS"), "paid");
  assert.equal(message.properties.get("KEYS"), "k1 k2");
  assert.equal(message.properties.get("city"), "Zürich");
  assert.equal(message.properties.get("UNIQ_KEY"), receipt.messageId);
});

test("sends that are in flight together are each answered with their own place", async () => {
  const mq = await shared.client();
  const topic = shared.name("send");
  await mq.send(topic, "first");
  const receipts = await Promise.all(Array.from({ length: 300 }, (_, i) => mq.send(topic, `body ${i}`)));
  assert.equal(new Set(receipts.map(({ messageId }) => messageId)).size, 300);
  const stored = await eventually(() => shared.stored(topic), (all) => all.length === 301);
  assert.equal(stored.length, 301);
  const byPlace = new Map(stored.map((message) => [message.properties.get("UNIQ_KEY"), message]));
  receipts.forEach(({ messageId, queue }, i) => {
    assert.equal(byPlace.get(messageId)?.body, `body ${i}`);
    assert.equal(byPlace.get(messageId)?.queueId, queue.queueId);
  });
  assert.equal(new Set(receipts.map(({ queue }) => queue.queueId)).size, 4, "all queues are used");
});

test("messages with the same order key go to one queue", async () => {
  const mq = await shared.client();
  const topic = shared.name("send");
  await mq.send(topic, "first");
  for (let i = 0; i < 5; i++) await mq.send(topic, `${i}`, { orderBy: "order-1" });
  const ordered = (await shared.stored(topic)).filter(({ properties }) =>
    properties.get("__SHARDINGKEY") === "order-1"
  );
  assert.deepEqual(ordered.map(({ body }) => body), ["0", "1", "2", "3", "4"]);
  assert.equal(new Set(ordered.map(({ queueId }) => queueId)).size, 1);
});

test("what cannot be sent is an error with a code", async () => {
  const mq = await shared.client();
  const codeOf = (code: string) => (error: unknown) => error instanceof ClientError && error.code === code;
  await assert.rejects(mq.send("no topic", "x"), codeOf("BAD_ARGUMENT"));
  await assert.rejects(mq.send("topic", ""), codeOf("BAD_ARGUMENT"));
  await assert.rejects(mq.send("topic", "x", { properties: { UNIQ_KEY: "1" } }), codeOf("BAD_ARGUMENT"));
  await assert.rejects(mq.send("topic", new Uint8Array(5_000_000)), codeOf("MESSAGE_TOO_LARGE"));
  await assert.rejects(mq.send("topic", "x", { signal: AbortSignal.abort() }), codeOf("ABORTED"));
  await assert.rejects(connect("127.0.0.1:1", { requestTimeout: 200 }), codeOf("NAMESRV_UNREACHABLE"));
  await mq.close();
  await assert.rejects(mq.send("topic", "x"), codeOf("CLOSED"));
});
