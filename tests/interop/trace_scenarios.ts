/** Message traces, priorities, and groups of every kind over a restart of the broker. */
import assert from "node:assert/strict";
import { type Context, eventually, keysOf } from "./context.ts";
import type { Scenario } from "./scenarios.ts";

const traceTopic = "RMQ_SYS_TRACE_TOPIC";

/** What the hooks of a producer and a consumer write about a message can be read, and found by the message's id. */
async function trace(t: Context): Promise<void> {
  const topic = await t.topic("t", 1);
  const producer = await t.producer("p", { trace: true });
  const [sent] = await t.send(producer, topic, { prefix: "tr", count: 1, tags: "A" });
  const consumer = await t.push("c", topic, { trace: true });
  await t.received(consumer, ["tr-0"]);
  const reader = await t.push("reader", traceTopic, { group: t.named("reader") });
  const kinds = () => {
    const found = new Set<string>();
    for (const message of t.driver.messages(reader)) {
      for (const record of message.text.split("\u0002")) {
        if (record.includes(sent.msgId)) found.add(record.split("\u0001")[0].trim());
      }
    }
    return found;
  };
  const wanted = ["Pub", "SubBefore", "SubAfter"];
  await t.driver.until(() => wanted.every((kind) => kinds().has(kind)), () => `traces: ${[...kinds()]} of ${wanted}`);
  await eventually(async () => {
    const answer = await t.admin.attempt({ do: "admin.byKey", topic: traceTopic, key: sent.msgId });
    return answer.ok && answer.messages.length >= 2;
  }, "traces found by the message's id");
}

/** A priority picks the queue, and more than there are queues the last. */
async function priority(t: Context): Promise<void> {
  const topic = await t.topic("t", 4);
  const producer = await t.producer();
  const results = await t.send(producer, topic, { prefix: "p", count: 5, priority: "0,1,2,3,9" });
  assert.deepEqual(results.map((result) => result.queueId), [0, 1, 2, 3, 3]);
  const consumer = await t.push("c", topic);
  for (const message of await t.received(consumer, keysOf("p", 5))) {
    const sent = results.find((result) => result.key === message.key);
    assert.equal(message.queueId, sent?.queueId);
  }
}

const shards = 3;

/** A broadcasting and an ordered group are under way when the broker stops; they go on, in order, with nothing left out. */
async function beforeRestart(t: Context): Promise<void> {
  const topic = await t.topic("t", 3);
  const producer = await t.producer();
  await t.push("b1", topic, { model: "BROADCASTING", group: t.named("b") });
  await t.push("b2", topic, { model: "BROADCASTING", group: t.named("b") });
  await t.push("o", topic, { orderly: true, failTimes: 1, group: t.named("o") });
  await t.send(producer, topic, { prefix: "k", count: 12, mode: "ordered", shards });
  for (const what of ["b1", "b2", "o"]) await t.received(t.named(what), keysOf("k", 12));
}

async function afterRestart(t: Context): Promise<void> {
  const topic = t.named("t");
  const producer = t.named("p");
  for (let i = 12; i < 24; i++) {
    await eventually(
      async () =>
        (await t.driver.attempt({
          do: "send",
          name: producer,
          topic,
          prefix: "k",
          from: i,
          mode: "ordered",
          shards,
        })).ok,
      "the producer reaches the broker again",
    );
  }
  const keys = keysOf("k", 24);
  await Promise.all(["b1", "b2", "o"].map((what) => t.received(t.named(what), keys, 90_000)));
  for (const what of ["b1", "b2", "o"]) {
    const first = new Map<string, number>();
    for (const message of t.driver.messages(t.named(what)).filter((each) => !each.failed)) {
      if (!first.has(message.key)) first.set(message.key, first.size);
    }
    for (let i = shards; i < 24; i++) {
      const before = first.get(`k-${i - shards}`);
      const here = first.get(`k-${i}`);
      if (what === "o") assert.ok(before !== undefined && here !== undefined && before < here, `k-${i} in order`);
    }
  }
}

export const traceScenarios: Scenario[] = [
  { name: "trace", run: trace },
  { name: "priority", run: priority },
  { name: "groups-over-restart", run: beforeRestart, afterRestart },
];
