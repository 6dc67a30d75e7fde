import assert from "node:assert/strict";
import { test } from "node:test";
import { ClientError, type Message, type MessageQueue, type PullConsumer, type RocketMQ, sql } from "@rmq/client";
import { Broker } from "./mod.ts";

const texts = (messages: readonly Message[]) => messages.map((message) => message.text());

async function oneQueue(mq: RocketMQ, bodies: readonly string[]): Promise<MessageQueue> {
  await mq.admin.topics.create("orders", { queues: 1 });
  for (const body of bodies) await mq.send("orders", body, { tag: body, properties: { size: body } });
  return { topic: "orders", brokerName: "broker-a", queueId: 0 };
}

async function assigned(mq: RocketMQ, queue: MessageQueue, group = "auditors"): Promise<PullConsumer> {
  const consumer = mq.pull({ group });
  assert.deepEqual(await consumer.queues(queue.topic), [queue]);
  await consumer.assign([queue]);
  return consumer;
}

test("a queue is read from where the caller wants, and what was committed is gone on with", async () => {
  await using broker = await Broker.inMemory();
  const mq = await broker.connect();
  const queue = await oneQueue(mq, ["1", "2", "3"]);
  await broker.clock.advance("1h");
  const sinceMs = broker.clock.nowMs();
  await mq.send("orders", "4");
  await using consumer = await assigned(mq, queue);
  assert.deepEqual([await consumer.beginOffset(queue), await consumer.endOffset(queue)], [0, 4]);
  assert.deepEqual(texts(await consumer.poll({ most: 2 })), ["1", "2"]);
  assert.equal(consumer.position(queue), 2);
  assert.equal(await consumer.committed(queue), null);
  await consumer.commit();
  assert.equal(await consumer.committed(queue), 2);
  consumer.seek(queue, await consumer.offsetFor(queue, sinceMs));
  assert.deepEqual(texts(await consumer.poll()), ["4"]);
  consumer.seek(queue, 0);
  assert.deepEqual(texts(await consumer.poll()), ["1", "2", "3", "4"]);
  await using other = await assigned(mq, queue);
  assert.deepEqual(texts(await other.poll()), ["3", "4"]);
});

test("a poll waits for the next message, in vain until its time is over or its signal aborts", async () => {
  await using broker = await Broker.inMemory();
  const mq = await broker.connect();
  const queue = await oneQueue(mq, []);
  const consumer = await assigned(mq, queue);
  const coming = consumer.poll({ timeout: "10s" });
  await mq.send("orders", "now");
  assert.deepEqual(texts(await coming), ["now"]);
  const vain = consumer.poll({ timeout: "50s" });
  await broker.clock.advance("51s");
  assert.deepEqual(await vain, []);
  const stop = new AbortController();
  const polled = consumer.poll({ timeout: "1h", signal: stop.signal });
  stop.abort();
  await assert.rejects(polled, (error) => error instanceof ClientError && error.code === "ABORTED");
  await consumer.close();
  await assert.rejects(consumer.poll(), (error) => error instanceof ClientError && error.code === "CLOSED");
});

test("pulled messages are filtered by tag or by SQL", async () => {
  await using broker = await Broker.inMemory();
  const mq = await broker.connect();
  const queue = await oneQueue(mq, ["1", "2", "3", "4"]);
  for (const [filter, wanted] of [["2 || 3", ["2", "3"]], [sql`size > ${2}`, ["3", "4"]]] as const) {
    await using consumer = mq.pull({ group: "auditors", filter });
    await consumer.assign([queue]);
    const got: string[] = [];
    while (got.length < 2) got.push(...texts(await consumer.poll()));
    assert.deepEqual(got, wanted);
  }
});
