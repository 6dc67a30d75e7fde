import assert from "node:assert/strict";
import { test } from "node:test";
import { inflateSync } from "node:zlib";
import { ClientError } from "@rmq/client";
import { cluster, eventually } from "./_cluster.ts";

const shared = cluster();
/** `MessageSysFlag` of a zlib body, as Java's client marks it. */
const ZLIB = 0x301;

test("bodies from 4 KiB on are compressed as Java's are", async () => {
  const mq = await shared.client();
  const topic = shared.name("compressed");
  await mq.send(topic, "small", { orderBy: "q" });
  for (const length of [4096, 200_000]) await mq.send(topic, "x".repeat(length), { orderBy: "q" });
  const [small, medium, large] = await shared.stored(topic);
  assert.equal(small.sysFlag & 0x701, 0);
  for (const [stored, length] of [[medium, 4096], [large, 200_000]] as const) {
    assert.equal(stored.sysFlag & 0x701, ZLIB);
    assert.equal(inflateSync(stored.bytes).length, length);
  }
});

test("a one-way message arrives without an answer", async () => {
  const mq = await shared.client();
  const topic = shared.name("oneway");
  await mq.send(topic, "first");
  await mq.sendOneway(topic, "second", { tag: "t" });
  const stored = await eventually(() => shared.stored(topic), (all) => all.length === 2);
  assert.deepEqual(stored.map(({ body }) => body).sort(), ["first", "second"]);
});

test("a delay level is kept, and the message comes after it", async () => {
  const mq = await shared.client();
  const topic = shared.name("delayed");
  await mq.send(topic, "now", { orderBy: "q" });
  await mq.send(topic, "later", { orderBy: "q", delayLevel: 1 });
  assert.deepEqual((await shared.stored(topic)).map(({ body }) => body), ["now"]);
  const stored = await eventually(() => shared.stored(topic), (all) => all.length === 2);
  assert.deepEqual(stored.map(({ body }) => body), ["now", "later"]);
});

test("delays that exclude each other are refused", async () => {
  const mq = await shared.client();
  await assert.rejects(
    mq.send(shared.name("delayed"), "x", { delay: "1s", delayLevel: 1 }),
    (error) => error instanceof ClientError && error.code === "BAD_ARGUMENT",
  );
});

test("a hook sees each send and may add a property", async () => {
  const seen: string[] = [];
  const mq = await shared.client({
    hooks: {
      send(event) {
        event.properties.traceparent = "00-1";
        return ({ messageId, error }) => seen.push(`${event.topic} ${messageId?.length} ${error}`);
      },
    },
  });
  const topic = shared.name("hooked");
  await mq.send(topic, "x", { properties: { own: "1" } });
  const [stored] = await shared.stored(topic);
  assert.equal(stored.properties.get("traceparent"), "00-1");
  assert.equal(stored.properties.get("own"), "1");
  assert.deepEqual(seen, [`${topic} 32 undefined`]);
  await mq.sendBatch(topic, [{ body: "a" }, { body: "b" }]);
  assert.equal(seen.length, 2);
});

test("a namespace stands before the topic on the wire only", async () => {
  const mq = await shared.client({ namespace: "ns" });
  const topic = shared.name("spaced");
  const { queue } = await mq.send(topic, "x");
  assert.equal(queue.topic, `ns%${topic}`);
  assert.deepEqual((await shared.stored(`ns%${topic}`)).map(({ body }) => body), ["x"]);
});

test("a delay of any length is kept to, and a message that is recalled does not come", async () => {
  const mq = await shared.client();
  const topic = shared.name("timed");
  await mq.send(topic, "now", { orderBy: "q" });
  const sentMs = Date.now();
  const delayed = await mq.send(topic, "later", { orderBy: "q", delay: "1.5s" });
  const recalled = await mq.send(topic, "never", { orderBy: "q", at: new Date(sentMs + 2500) });
  assert.notEqual(delayed.recallHandle, null);
  assert.equal(await mq.recall(topic, recalled), recalled.messageId);
  const stored = await eventually(() => shared.stored(topic), (all) => all.length === 2);
  assert.ok(Date.now() - sentMs >= 1500, "it came too early");
  await mq.send(topic, "last", { orderBy: "q", delay: "3s" });
  const all = await eventually(() => shared.stored(topic), (messages) => messages.length === 3);
  assert.deepEqual(stored.map(({ body }) => body), ["now", "later"]);
  assert.deepEqual(all.map(({ body }) => body), ["now", "later", "last"]);
});

test("traces are written as Java writes them", async () => {
  const traceTopic = shared.name("traces");
  const mq = await shared.client({ trace: { topic: traceTopic }, producerGroup: "traced" });
  const topic = shared.name("traced");
  const receipt = await mq.send(topic, "x", { tag: "t", keys: ["k1", "k2"] });
  await mq.close();
  const [trace] = await shared.stored(traceTopic);
  assert.equal(trace.properties.get("KEYS"), `${receipt.messageId} k1 k2`);
  const fields = trace.body.replace("\x02", "").split("\x01");
  assert.deepEqual(fields.slice(3, 10), ["traced", topic, receipt.messageId, "t", "k1 k2", shared.broker, "1"]);
  assert.deepEqual([fields[0], fields[2], fields[11], fields[12]], [
    "Pub",
    "DefaultRegion",
    "0",
    receipt.offsetMessageId,
  ]);
  assert.deepEqual(fields.slice(13), ["true"]);
});
