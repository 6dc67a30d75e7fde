import assert from "node:assert/strict";
import { test } from "node:test";
import type { ReceivedMessage, RocketMQ, Worker } from "@rmq/client";
import { Reject } from "@rmq/client";
import { Broker } from "./mod.ts";

/** Numbers of the queues of a topic that each worker reads. */
function shares(topic: string, workers: readonly Worker[]): number[][] {
  return workers.map(({ queues }) =>
    queues.filter(({ queue }) => queue.topic === topic).map(({ queue }) => queue.queueId).sort((a, b) => a - b)
  );
}

async function sendAll(mq: RocketMQ, topic: string, bodies: readonly string[], orderBy?: string): Promise<void> {
  for (const body of bodies) await mq.send(topic, body, orderBy === undefined ? {} : { orderBy });
}

test("members of a group share the queues without overlap as they join and leave", async () => {
  await using broker = await Broker.inMemory();
  const clients = await Promise.all([broker.connect(), broker.connect(), broker.connect()]);
  await clients[0].admin.topics.create("orders", { queues: 8 });
  const got: string[] = [];
  const join = (mq: RocketMQ) =>
    mq.work("orders", (message: ReceivedMessage) => void got.push(message.text()), { group: "billing", from: "first" });
  const workers: Worker[] = [];
  const settled = async (): Promise<number[][]> => {
    await broker.clock.advance("3s");
    const all = shares("orders", workers);
    assert.deepEqual(all.flat().sort((a, b) => a - b), [0, 1, 2, 3, 4, 5, 6, 7], JSON.stringify(all));
    return all;
  };
  workers.push(await join(clients[0]));
  assert.deepEqual(await settled(), [[0, 1, 2, 3, 4, 5, 6, 7]]);
  workers.push(await join(clients[1]));
  assert.deepEqual((await settled()).map((each) => each.length), [4, 4]);
  workers.push(await join(clients[2]));
  assert.deepEqual((await settled()).map((each) => each.length).sort(), [2, 3, 3]);
  await workers.shift()?.close();
  assert.deepEqual((await settled()).map((each) => each.length), [4, 4]);
  const bodies = Array.from({ length: 64 }, (_, i) => `${i}`);
  await sendAll(clients[0], "orders", bodies);
  await broker.clock.advance("1s");
  assert.deepEqual(got.sort(), bodies.sort());
});

test("a message whose handler throws comes again with longer pauses and ends in the dead letters", async () => {
  await using broker = await Broker.inMemory();
  const mq = await broker.connect();
  await mq.send("orders", "first");
  const attempts: { attempt: number; seconds: number }[] = [];
  const startMs = broker.clock.nowMs();
  await using _worker = await mq.work("orders", ({ attempt, topic }) => {
    assert.equal(topic, "orders");
    attempts.push({ attempt, seconds: Math.round((broker.clock.nowMs() - startMs) / 10_000) * 10 });
    throw new Error("not today");
  }, { group: "billing", from: "first", maxAttempts: 3 });
  await broker.clock.advance("3m");
  assert.deepEqual(attempts.map(({ attempt }) => attempt), [1, 2, 3]);
  assert.ok(attempts[1].seconds >= 10 && attempts[2].seconds >= 40, JSON.stringify(attempts));
  assert.deepEqual(await deadLetters(mq, "billing"), ["first"]);
});

test("a rejected message is a dead letter at once", async () => {
  await using broker = await Broker.inMemory();
  const mq = await broker.connect();
  await mq.send("orders", "bad");
  let calls = 0;
  await using _worker = await mq.work("orders", () => {
    calls++;
    throw new Reject("no order");
  }, { group: "billing", from: "first" });
  await broker.clock.advance("3m");
  assert.equal(calls, 1);
  assert.deepEqual(await deadLetters(mq, "billing"), ["bad"]);
});

test("in order: a message that fails is tried again before the next one", async () => {
  await using broker = await Broker.inMemory();
  const [one, other] = [await broker.connect(), await broker.connect()];
  await one.admin.topics.create("steps", { queues: 4 });
  const seen: string[] = [];
  const handle = (message: ReceivedMessage) => {
    seen.push(`${message.text()}${message.attempt}`);
    if (message.text() === "b" && message.attempt < 3) throw new Error("again");
  };
  const options = { group: "billing", from: "first", ordered: true } as const;
  const workers = [await one.work("steps", handle, options), await other.work("steps", handle, options)];
  await broker.clock.advance("5s");
  await sendAll(one, "steps", ["a", "b", "c", "d"], "order-1");
  await broker.clock.advance("30s");
  assert.deepEqual(seen, ["a1", "b1", "b2", "b3", "c1", "d1"]);
  assert.deepEqual(shares("steps", workers).map((each) => each.length), [2, 2]);
  await workers[0].close();
  await broker.clock.advance("5s");
  assert.deepEqual(shares("steps", [workers[1]]), [[0, 1, 2, 3]]);
});

test("in order: beyond its last attempt a message is a dead letter, and the next one has its turn", async () => {
  await using broker = await Broker.inMemory();
  const mq = await broker.connect();
  await sendAll(mq, "steps", ["a", "b"], "order-1");
  const seen: string[] = [];
  await using _worker = await mq.work("steps", (message) => {
    seen.push(`${message.text()}${message.attempt}`);
    if (message.text() === "a") throw new Error("never");
  }, { group: "billing", from: "first", ordered: true, maxAttempts: 2 });
  await broker.clock.advance("10s");
  assert.deepEqual(seen, ["a1", "a2", "b1"]);
  assert.deepEqual(await deadLetters(mq, "billing"), ["a"]);
});

test("broadcast: each member gets every message, and goes on where it was", async () => {
  await using broker = await Broker.inMemory();
  const options = { group: "caches", from: "first", broadcast: true } as const;
  const [one, other] = [await broker.connect({ clientId: "one" }), await broker.connect({ clientId: "other" })];
  await sendAll(one, "prices", ["1", "2", "3"]);
  const got: Record<string, string[]> = { one: [], other: [] };
  const workers = [
    await one.work("prices", (message) => void got.one.push(message.text()), options),
    await other.work("prices", (message) => {
      got.other.push(message.text());
      throw new Error("is not tried again");
    }, options),
  ];
  await broker.clock.advance("1m");
  assert.deepEqual([got.one.sort(), got.other.sort()], [["1", "2", "3"], ["1", "2", "3"]]);
  await Promise.all(workers.map((worker) => worker.close()));
  await one.close();
  const again = await broker.connect({ clientId: "one" });
  await again.send("prices", "4");
  got.one.length = 0;
  await using _worker = await again.work("prices", (message) => void got.one.push(message.text()), options);
  await broker.clock.advance("1m");
  assert.deepEqual(got.one, ["4"]);
});

test("a handler that never ends keeps neither its place nor the messages behind it", async () => {
  await using broker = await Broker.inMemory();
  const mq = await broker.connect();
  await mq.admin.topics.create("orders", { queues: 1 });
  await sendAll(mq, "orders", ["stuck", "next"]);
  const got: string[] = [];
  let aborted = false;
  const worker = await mq.work("orders", (message, { signal }) => {
    got.push(`${message.text()}${message.attempt}`);
    if (message.text() !== "stuck" || message.attempt > 1) return;
    signal.addEventListener("abort", () => aborted = true);
    return new Promise(() => {});
  }, { group: "billing", from: "first", concurrency: 1, consumeTimeout: "1m" });
  await broker.clock.advance("3m");
  assert.deepEqual(got, ["stuck1", "next1", "stuck2"]);
  assert.ok(aborted);
  assert.deepEqual(worker.queues.filter(({ queue }) => queue.topic === "orders").map(({ committed }) => committed), [
    2,
  ]);
});

async function deadLetters(mq: RocketMQ, group: string): Promise<string[]> {
  const found: string[] = [];
  const letters = mq.consume(`%DLQ%${group}`, { group: "inspectors", from: "first" });
  for await (const letter of letters) {
    found.push(letter.text());
    break;
  }
  return found;
}
