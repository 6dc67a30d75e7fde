import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeCluster } from "../_fake_cluster.ts";
import { ClientError } from "../client_error.ts";

const code = (wanted: string) => (error: unknown) => error instanceof ClientError && error.code === wanted;

test("queues are taken in turn", async () => {
  const cluster = await FakeCluster.start({ brokers: 2 });
  const { world } = cluster;
  const mq = await cluster.connect();
  const receipts = [];
  for (let i = 0; i < 8; i++) receipts.push(await world.finish(mq.send("T", `${i}`)));
  const places = receipts.map(({ queue }) => `${queue.brokerName}/${queue.queueId}`);
  assert.equal(new Set(places.slice(0, 4)).size, 4);
  assert.deepEqual(places.slice(0, 4), places.slice(4));
  await world.finish(mq.close());
});

test("an order key is hashed as Java's selector does", async () => {
  const cluster = await FakeCluster.start({ brokers: 2 });
  const { world } = cluster;
  const mq = await cluster.connect();
  // "TagA".hashCode() is 2598919, "TopicTest#KEY1".hashCode() is -1656969516; there are 4 queues.
  const positive = await world.finish(mq.send("T", "x", { orderBy: "TagA" }));
  const negative = await world.finish(mq.send("T", "x", { orderBy: "TopicTest#KEY1" }));
  assert.deepEqual([positive.queue.brokerName, positive.queue.queueId], ["broker-b", 1]);
  assert.deepEqual([negative.queue.brokerName, negative.queue.queueId], ["broker-a", 0]);
  await world.finish(mq.close());
});

test("what a busy broker refuses goes to another one", async () => {
  const cluster = await FakeCluster.start({ brokers: 2 });
  const [a, b] = cluster.brokers;
  const { world } = cluster;
  const mq = await cluster.connect();
  a.code = 2;
  await world.finish(Promise.all(Array.from({ length: 8 }, (_, i) => mq.send("T", `${i}`))));
  assert.deepEqual(b.bodies.sort(), ["0", "1", "2", "3", "4", "5", "6", "7"]);
  await world.finish(mq.close());
});

test("a refusal that another broker would repeat is not retried, and keeps what the broker said", async () => {
  const cluster = await FakeCluster.start({ brokers: 2 });
  const { world } = cluster;
  const mq = await cluster.connect();
  for (const broker of cluster.brokers) broker.code = 13;
  await assert.rejects(world.finish(mq.send("T", "x")), (error) => {
    assert.ok(error instanceof ClientError);
    assert.deepEqual([error.code, error.retriable, error.responseCode, error.remark], [
      "MESSAGE_ILLEGAL",
      false,
      13,
      "as told",
    ]);
    return true;
  });
  await world.finish(mq.close());
});

test("tries end with the retries, and the last reason is told", async () => {
  const cluster = await FakeCluster.start();
  const { world } = cluster;
  const mq = await cluster.connect({ sendRetries: 2 });
  cluster.brokers[0].code = 2;
  await assert.rejects(world.finish(mq.send("T", "x")), code("BUSY"));
  await world.finish(mq.close());
});

test("a broker that is gone is left out, and tried again after a while", async () => {
  const cluster = await FakeCluster.start({ brokers: 2 });
  const [a, b] = cluster.brokers;
  const { world } = cluster;
  const mq = await cluster.connect();
  await world.finish(mq.send("T", "first"));
  await world.finish(a.stop());
  for (let i = 0; i < 4; i++) await world.finish(mq.send("T", `${i}`));
  assert.ok(b.bodies.length >= 4);
  assert.deepEqual(mq.status().avoidedBrokers, ["broker-a"]);
  await world.finish(a.start());
  await world.advance("31s");
  const before = a.bodies.length;
  for (let i = 0; i < 4; i++) await world.finish(mq.send("T", `${i}`));
  assert.equal(a.bodies.length, before + 2);
  await world.finish(mq.close());
});

test("the only broker's restart is survived within the time of a send", async () => {
  const cluster = await FakeCluster.start();
  const [broker] = cluster.brokers;
  const { world } = cluster;
  const mq = await cluster.connect();
  await world.finish(mq.send("T", "first"));
  await world.finish(broker.stop());
  const sent = mq.send("T", "second");
  await world.advance("4s");
  await world.finish(broker.start());
  await world.finish(sent);
  assert.deepEqual(broker.bodies, ["first", "second"]);
  await world.finish(mq.close());
});

test("a broker that stays away is an error when the time is over", async () => {
  const cluster = await FakeCluster.start();
  const { world } = cluster;
  const mq = await cluster.connect({ sendTimeout: "5s" });
  await world.finish(cluster.brokers[0].stop());
  const startedMs = world.clock.nowMs();
  await assert.rejects(world.finish(mq.send("T", "x")), code("BROKER_UNREACHABLE"));
  const tookMs = world.clock.nowMs() - startedMs;
  assert.ok(tookMs > 3000 && tookMs <= 5000, `${tookMs} ms`);
  await world.finish(mq.close());
});

test("a half-open connection is given up, and the message goes elsewhere", async () => {
  const cluster = await FakeCluster.start({ brokers: 2 });
  const [a, b] = cluster.brokers;
  const { world } = cluster;
  const mq = await cluster.connect();
  for (let i = 0; i < 4; i++) await world.finish(mq.send("T", `${i}`));
  cluster.cutOff(a.machine);
  const sent = Promise.all(["x", "y"].map((body) => mq.send("T", body)));
  await world.finish(sent);
  assert.ok(b.bodies.includes("x") && b.bodies.includes("y"));
  const connected = mq.status().brokers.find(({ brokerName }) => brokerName === a.name)?.connected;
  assert.equal(connected, false);
  await world.finish(mq.close());
});

test("a slow answer does not cost the connection of those that are answered", async () => {
  const cluster = await FakeCluster.start();
  const [broker] = cluster.brokers;
  const { world } = cluster;
  const mq = await cluster.connect({ sendRetries: 0 });
  await world.finish(mq.send("T", "first"));
  broker.code = null;
  const unanswered = assert.rejects(mq.send("T", "slow"), code("TIMEOUT"));
  await world.advance(1000);
  broker.code = 0;
  await world.finish(mq.send("T", "quick"));
  await world.finish(unanswered);
  assert.equal(broker.connections.length, 1);
  assert.equal(broker.connections[0].closed, false);
  await world.finish(mq.close());
});

test("an aborted send rejects at once, and the client goes on", async () => {
  const cluster = await FakeCluster.start();
  const { world } = cluster;
  const mq = await cluster.connect();
  cluster.brokers[0].code = null;
  const stop = new AbortController();
  const sent = assert.rejects(mq.send("T", "x", { signal: stop.signal }), code("ABORTED"));
  await world.advance(100);
  stop.abort();
  await world.finish(sent);
  cluster.brokers[0].code = 0;
  await world.finish(mq.send("T", "y"));
  await world.finish(mq.close());
});

test("bytes of sends without an answer are bounded", async () => {
  const cluster = await FakeCluster.start();
  const { world } = cluster;
  const mq = await cluster.connect({ maxPendingSendBytes: 100, sendRetries: 0 });
  cluster.brokers[0].code = null;
  const first = assert.rejects(mq.send("T", "x".repeat(80)), code("TIMEOUT"));
  await assert.rejects(mq.send("T", "x".repeat(80)), code("TOO_MANY_PENDING"));
  await world.finish(first);
  assert.equal(mq.status().pendingSendBytes, 0);
  await world.finish(mq.close());
});

test("close waits for what has begun, and no longer than its drain", async () => {
  const cluster = await FakeCluster.start();
  const { world } = cluster;
  const patient = await cluster.connect();
  const sent = patient.send("T", "on its way");
  await world.finish(patient.close());
  assert.equal((await sent).status, "SEND_OK");
  const hasty = await cluster.connect();
  cluster.brokers[0].code = null;
  const lost = assert.rejects(hasty.send("T", "never answered"), code("CLOSED"));
  const startedMs = world.clock.nowMs();
  await world.finish(hasty.close({ drain: "1s" }));
  assert.ok(world.clock.nowMs() - startedMs <= 1100);
  await world.finish(lost);
});

test("messages gather for as long as they may linger, or until there are enough bytes", async () => {
  const cluster = await FakeCluster.start();
  const [broker] = cluster.brokers;
  const { world } = cluster;
  const mq = await cluster.connect({ linger: "1m", lingerBytes: 1000 });
  const few = Promise.all([mq.send("T", "a"), mq.send("T", "b")]);
  await world.advance("59s");
  assert.equal(broker.bodies.length, 0);
  await world.advance("1s");
  await world.finish(few);
  assert.equal(broker.bodies.length, 1);
  const many = Promise.all(Array.from({ length: 3 }, () => mq.send("T", "x".repeat(300))));
  await world.advance(100);
  assert.equal(broker.bodies.length, 2, "the bytes were enough");
  await world.finish(mq.close());
  assert.equal((await many).length, 3);
});

test("what lingers counts among the bytes that wait", async () => {
  const cluster = await FakeCluster.start();
  const { world } = cluster;
  const mq = await cluster.connect({ linger: "1m", maxPendingSendBytes: 200 });
  const first = mq.send("T", "x".repeat(100));
  assert.ok(mq.status().pendingSendBytes >= 100);
  await assert.rejects(mq.send("T", "x".repeat(100)), code("TOO_MANY_PENDING"));
  await world.advance("1m");
  await world.finish(first);
  assert.equal(mq.status().pendingSendBytes, 0);
  await world.finish(mq.close());
});
