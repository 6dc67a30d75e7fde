/** Timers: by delay and by deadline, never early; and what a producer takes back. */
import assert from "node:assert/strict";
import { type Context, keysOf } from "./context.ts";
import type { Scenario } from "./scenarios.ts";

/** Sent so, each comes at most so late after it is due on a machine that is busy with the other scenarios. */
const tolerance = 15_000;

async function timers(t: Context): Promise<void> {
  const topic = await t.topic("t", 2);
  const producer = await t.producer();
  const consumer = await t.push("c", topic);
  await t.send(producer, topic, { prefix: "now", count: 1 });
  await t.received(consumer, ["now-0"]);
  const due = new Map<string, number>();
  const send = async (prefix: string, waits: number, fields: Record<string, number>) => {
    const sentAt = Date.now();
    const results = await t.send(producer, topic, { prefix, count: 3, tags: "A", properties: "own=1", ...fields });
    for (const result of results) {
      assert.equal(result.status, "SEND_OK");
      due.set(result.key, sentAt + waits);
    }
  };
  await send("sec", 2000, { delaySec: 2 });
  await send("ms", 2500, { delayMs: 2500 });
  const deadline = Date.now() + 4300;
  await send("at", deadline - Date.now(), { deliverMs: deadline });
  // A deadline that has passed is no delay.
  await send("past", 0, { deliverMs: Date.now() - 10_000 });
  const messages = await t.received(consumer, [...due.keys()]);
  for (const message of messages) {
    const at = due.get(message.key);
    if (at === undefined) continue;
    const late = message.receivedAt - at;
    assert.ok(late >= 0, `${message.key} came ${-late} ms early`);
    assert.ok(late < tolerance, `${message.key} came ${late} ms late`);
    assert.equal(message.topic, topic);
    assert.equal(message.tags, "A");
    assert.equal(message.properties.own, "1");
    assert.equal(message.text, message.key);
    assert.equal(message.reconsumeTimes, 0);
  }
  assert.equal(t.driver.messages(consumer).length, messages.length, "each comes once");
}

/** Longer than a broker keeps them is refused. */
async function tooLate(t: Context): Promise<void> {
  const topic = await t.topic("t", 1);
  const producer = await t.producer();
  const refused = await t.driver.attempt({ do: "send", name: producer, topic, prefix: "x", delaySec: 4 * 86_400 });
  assert.equal(refused.ok, false);
  assert.equal(refused.code, 13, refused.error);
}

/** A message that is taken back never comes; the handle of one serves once. */
async function recall(t: Context): Promise<void> {
  const topic = await t.topic("t", 1);
  const producer = await t.producer();
  const consumer = await t.push("c", topic);
  const results = await t.send(producer, topic, { prefix: "r", count: 4, delaySec: 6 });
  for (const i of [1, 3]) {
    const handle = results[i].recallHandle;
    assert.ok(handle, "a handle comes with the result");
    const { msgId } = await t.call({ do: "recall", name: producer, topic, handle });
    assert.equal(msgId, results[i].msgId);
  }
  const other = await t.driver.attempt({ do: "recall", name: producer, topic, handle: "bm90IGEgaGFuZGxl" });
  assert.equal(other.ok, false);
  await t.received(consumer, ["r-0", "r-2"]);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const keys = t.driver.messages(consumer).map((message) => message.key);
  assert.deepEqual([...new Set(keys)].sort(), ["r-0", "r-2"]);
}

/** Pending over a restart: not early, not lost. */
async function beforeRestart(t: Context): Promise<void> {
  const topic = await t.topic("t", 1);
  const producer = await t.producer();
  await t.send(producer, topic, { prefix: "soon", count: 2, delaySec: 1 });
  await t.send(producer, topic, { prefix: "later", count: 2, delaySec: 25 });
  await t.send(producer, topic, { prefix: "level", count: 2, delay: 2 });
}

async function afterRestart(t: Context): Promise<void> {
  const topic = t.named("t");
  const consumer = await t.push("c", topic);
  const keys = [...keysOf("soon", 2), ...keysOf("later", 2), ...keysOf("level", 2)];
  const messages = await t.received(consumer, keys);
  for (const message of messages) {
    const waited = message.receivedAt - message.bornTimestamp;
    const delay = message.key.startsWith("later") ? 25_000 : message.key.startsWith("soon") ? 1000 : 2000;
    assert.ok(waited >= delay, `${message.key} came after ${waited} ms`);
  }
}

export const timerScenarios: Scenario[] = [
  { name: "timers", run: timers },
  { name: "timer-too-late", run: tooLate },
  {
    name: "timer-recall",
    run: recall,
    not: { "java-4.9.8": "the client cannot recall", "go-2.1.2": "the client cannot recall" },
  },
  { name: "timers-over-restart", run: beforeRestart, afterRestart },
];
