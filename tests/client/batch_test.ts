import assert from "node:assert/strict";
import { test } from "node:test";
import { ClientError } from "@rmq/client";
import { cluster, eventually } from "./_cluster.ts";

const shared = cluster();

async function* numbered(count: number, bytes: number) {
  for (let i = 0; i < count; i++) yield { body: `${i}`.padEnd(bytes, "."), tag: `tag-${i % 2}`, keys: `k${i}` };
}

test("a batch has a receipt for each message, in order", async () => {
  const mq = await shared.client();
  const topic = shared.name("batch");
  const receipts = await mq.sendBatch(topic, numbered(10, 1), { orderBy: "one queue" });
  assert.equal(receipts.length, 10);
  const stored = await eventually(() => shared.stored(topic), (all) => all.length === 10);
  assert.deepEqual(stored.map(({ body }) => body), Array.from({ length: 10 }, (_, i) => `${i}`));
  assert.deepEqual(stored.map(({ properties }) => properties.get("UNIQ_KEY")), receipts.map((each) => each.messageId));
  assert.deepEqual(receipts.map(({ offset }) => offset - receipts[0].offset), Array.from({ length: 10 }, (_, i) => i));
  assert.equal(stored[3].properties.get("TAGS"), "tag-1");
  assert.equal(stored[3].properties.get("KEYS"), "k3");
});

test("more than one request takes is split by size", async () => {
  const mq = await shared.client();
  const topic = shared.name("batch");
  const receipts = await mq.sendBatch(topic, numbered(300, 1000), { batchBytes: 50_000 });
  assert.equal(receipts.length, 300);
  const stored = await eventually(() => shared.stored(topic), (all) => all.length === 300);
  assert.equal(stored.length, 300);
  const byId = new Map(stored.map((each) => [each.properties.get("UNIQ_KEY"), each]));
  receipts.forEach(({ messageId }, i) => assert.equal(Number.parseInt(byId.get(messageId)?.body ?? ""), i));
});

test("sends that linger are stored as batches, each with its own receipt", async () => {
  const mq = await shared.client({ linger: "20ms" });
  const topic = shared.name("linger");
  const receipts = await Promise.all(Array.from({ length: 50 }, (_, i) => mq.send(topic, `${i}`, { tag: "t" })));
  const stored = await eventually(() => shared.stored(topic), (all) => all.length === 50);
  assert.equal(stored.length, 50);
  assert.equal(new Set(stored.map(({ queueId }) => queueId)).size, 1, "one batch");
  const byId = new Map(stored.map((each) => [each.properties.get("UNIQ_KEY"), each]));
  receipts.forEach(({ messageId }, i) => assert.equal(byId.get(messageId)?.body, `${i}`));
});

test("what lingers when the client closes is sent", async () => {
  const mq = await shared.client({ linger: "1h" });
  const topic = shared.name("linger");
  const sent = mq.send(topic, "late");
  await mq.close();
  assert.equal((await sent).status, "SEND_OK");
  assert.deepEqual((await shared.stored(topic)).map(({ body }) => body), ["late"]);
});

test("a message of a batch that is too large is an error", async () => {
  const mq = await shared.client();
  const tooLarge = [{ body: new Uint8Array(5 * 1024 * 1024) }];
  await assert.rejects(
    mq.sendBatch(shared.name("batch"), tooLarge),
    (error) => error instanceof ClientError && error.code === "MESSAGE_TOO_LARGE",
  );
});
