/** Retries beyond the plain ones: levels that the consumer picks, messages sent back by hand, ordered groups. */
import assert from "node:assert/strict";
import { type Context, eventually, keysOf } from "./context.ts";
import type { Scenario } from "./scenarios.ts";

const secondLevel = 2;

/** The level that the listener asks for, and a listener that throws, which is a refusal too. */
async function levels(t: Context): Promise<void> {
  const topic = await t.topic("t", 1);
  const producer = await t.producer();
  await t.send(producer, topic, { prefix: "r", count: 2, properties: "own=1" });
  const consumer = await t.push("c", topic, { failTimes: 2, nextLevel: secondLevel });
  const thrower = await t.push("thrower", topic, { group: t.named("gt"), failTimes: 1, throwing: true });
  await t.received(consumer, keysOf("r", 2), 90_000);
  await t.received(thrower, keysOf("r", 2), 90_000);
  for (const key of keysOf("r", 2)) {
    const deliveries = t.driver.messages(consumer).filter((message) => message.key === key);
    assert.deepEqual(deliveries.map((message) => message.reconsumeTimes), [0, 1, 2], key);
    for (const [i, message] of deliveries.entries()) {
      assert.equal(message.topic, topic, "the original topic");
      assert.equal(message.properties.own, "1");
      if (i === 0) continue;
      const waited = message.receivedAt - deliveries[i - 1].receivedAt;
      assert.ok(waited >= 2000, `level 2 was waited for ${waited} ms`);
    }
    const thrown = t.driver.messages(thrower).filter((message) => message.key === key);
    assert.deepEqual(thrown.map((message) => message.reconsumeTimes), [0, 1], key);
  }
}

/** A listener that asks for level -1 wants no further try. */
async function atOnceDead(t: Context): Promise<void> {
  const topic = await t.topic("t", 1);
  const producer = await t.producer();
  const [sent] = await t.send(producer, topic, { prefix: "x", count: 1, tags: "A", properties: "own=1" });
  const consumer = await t.push("c", topic, { failTimes: -1, nextLevel: -1 });
  const deadTopic = `%DLQ%${t.named("g")}`;
  await eventually(async () => await t.maxOffset(deadTopic, 0) === 1, `a message in ${deadTopic}`);
  assert.equal(t.driver.messages(consumer).length, 1);
  const reader = await t.push("d", deadTopic, { group: t.named("dead") });
  const [dead] = await t.received(reader, ["x-0"]);
  assert.equal(dead.topic, deadTopic);
  assert.equal(dead.hash, sent.hash);
  assert.equal(dead.tags, "A");
  assert.equal(dead.properties.own, "1");
  assert.equal(dead.properties.RETRY_TOPIC, topic);
}

/** Sent back by hand from a pull consumer, to a level and to the dead letters. */
async function sentBack(t: Context): Promise<void> {
  const topic = await t.topic("t", 1);
  const producer = await t.producer();
  await t.send(producer, topic, { prefix: "b", count: 3 });
  const group = t.named("g");
  const pull = await t.start({ do: "pull", name: t.named("pull"), group, topic });
  const back = (offset: number, level: number) =>
    t.call({ do: "pull.sendBack", name: pull, topic, queueId: 0, offset, max: 1, level });
  const sentAt = Date.now();
  await back(0, secondLevel);
  await back(1, 0);
  await back(2, -1);
  const deadTopic = `%DLQ%${group}`;
  await eventually(async () => await t.maxOffset(deadTopic, 0) === 1, `a message in ${deadTopic}`);
  await t.stop(pull);
  const reader = await t.push("r", `%RETRY%${group}`, { group: t.named("reader") });
  const [first] = await t.received(reader, ["b-0", "b-1"]);
  for (const message of t.driver.messages(reader)) assert.equal(message.reconsumeTimes, 1);
  assert.ok(first.receivedAt - sentAt >= 1000);
  const second = t.driver.messages(reader).find((message) => message.key === "b-0");
  assert.ok(second && second.receivedAt - sentAt >= 2000, "level 2 is two seconds");
}

/** A queue waits for a message that is refused, until it has been tried often enough; then it goes on. */
async function orderedDead(t: Context): Promise<void> {
  const topic = await t.topic("t", 1);
  const producer = await t.producer();
  const limit = 2;
  await t.send(producer, topic, { prefix: "o", count: 3 });
  // Only the first is refused: a listener's count is by key.
  const consumer = await t.push("c", topic, { orderly: true, failTimes: -1, onlyKey: "o-0", maxReconsumeTimes: limit });
  await t.received(consumer, ["o-1", "o-2"], 90_000);
  const deliveries = t.driver.messages(consumer);
  const refused = deliveries.filter((message) => message.key === "o-0");
  assert.deepEqual(refused.map((message) => message.reconsumeTimes), [0, 1, 2]);
  assert.deepEqual(deliveries.slice(0, 3).map((message) => message.key), ["o-0", "o-0", "o-0"], "the queue waits");
  const deadTopic = `%DLQ%${t.named("g")}`;
  await eventually(async () => await t.maxOffset(deadTopic, 0) === 1, `a message in ${deadTopic}`);
  const reader = await t.push("d", deadTopic, { group: t.named("dead") });
  const [dead] = await t.received(reader, ["o-0"]);
  assert.equal(dead.text, "o-0");
}

export const retryScenarios: Scenario[] = [
  { name: "retry-levels", run: levels },
  { name: "retry-never", run: atOnceDead },
  { name: "retry-sent-back", run: sentBack, not: { "go-2.1.2": "the Go client has no such call" } },
  { name: "retry-ordered-dead", run: orderedDead, not: { "go-2.1.2": "its ordered consumer never gives up" } },
];
