/** Transactions: decided at once, decided by a check, never decided. */
import assert from "node:assert/strict";
import { request } from "../../scripts/peers/request.ts";
import { type Context, eventually, keysOf } from "./context.ts";
import type { Scenario } from "./scenarios.ts";
import { transactionCheckMax } from "./target.ts";

function transactional(t: Context, what: string, fields: Record<string, string> = {}): Promise<string> {
  return t.producer(what, { transactions: true, group: t.named("pg"), ...fields });
}

/** Nothing of `keys` has come, and nothing comes within a second. */
async function none(t: Context, consumer: string, keys: string[]): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const unwanted = t.driver.messages(consumer).map((message) => message.key).filter((key) => keys.includes(key));
  assert.deepEqual(unwanted, []);
}

/** A committed message comes once, with all that was sent; a rolled-back one never. Neither is asked for. */
async function decided(t: Context): Promise<void> {
  const topic = await t.topic("t", 2);
  const consumer = await t.push("c", topic);
  const producer = await transactional(t, "p");
  const fields = { mode: "transaction", prefix: "x", count: 10, tags: "A", local: "commit,rollback", check: "unknown" };
  const results = await t.send(producer, topic, fields);
  assert.deepEqual(results.map((result) => result.status), results.map(() => "SEND_OK"));
  const keys = keysOf("x", 10);
  const messages = await t.received(consumer, keys.filter((_, i) => i % 2 === 0));
  await none(t, consumer, keys.filter((_, i) => i % 2 === 1));
  assert.equal(t.driver.messages(consumer).length, 5, "each committed message comes once");
  for (const message of messages) {
    const sent = results.find((result) => result.key === message.key);
    assert.ok(sent);
    assert.equal(message.topic, topic);
    assert.equal(message.tags, "A");
    assert.equal(message.hash, sent.hash);
    assert.equal(message.msgId, sent.msgId);
    assert.equal(message.queueId, sent.queueId, "the queue that the producer chose");
  }
}

/** What the producer leaves open is asked for and goes as the answer says, after some unknown answers too. */
async function checked(t: Context): Promise<void> {
  const topic = await t.topic("t", 1);
  const consumer = await t.push("c", topic);
  const producer = await transactional(t, "p");
  await t.send(producer, topic, {
    mode: "transaction",
    prefix: "y",
    count: 6,
    local: "unknown",
    check: "commit,rollback,unknown",
    properties: "trip=7",
  });
  const asked = (key: string) => t.driver.events("check", producer).filter((event) => event.key === key);
  const messages = await t.received(consumer, ["y-0", "y-3"], 30_000);
  await t.driver.until(
    () => keysOf("y", 6).every((key, i) => asked(key).length >= (i % 3 === 2 ? 2 : 1)),
    () => "checks of all messages",
  );
  for (const event of t.driver.events("check", producer)) {
    assert.equal(event.topic, topic, "asked with the real topic");
    assert.equal(event.text, event.key);
    assert.equal(event.properties.trip, "7");
  }
  assert.deepEqual(messages.map((message) => message.properties.trip), ["7", "7"]);
  await none(t, consumer, ["y-1", "y-4", "y-2", "y-5"]);
}

/** Another member of the group answers when the one that sent is gone. */
async function heir(t: Context): Promise<void> {
  const topic = await t.topic("t", 1);
  const consumer = await t.push("c", topic);
  const first = await transactional(t, "p1", { check: "unknown" });
  await t.send(first, topic, {
    mode: "transaction",
    prefix: "h",
    count: 4,
    local: "unknown",
    check: "commit,rollback",
  });
  await t.stop(first);
  const second = await transactional(t, "p2");
  // A group is known with the first heartbeat, which needs a broker that the client knows of.
  await t.send(second, topic, { mode: "transaction", prefix: "own", count: 1, local: "commit", check: "unknown" });
  await t.received(consumer, ["own-0", "h-0", "h-2"], 30_000);
  await t.driver.until(
    () => keysOf("h", 4).every((key) => t.driver.events("check", second).some((event) => event.key === key)),
    () => "the second producer is asked for all",
  );
  await none(t, consumer, ["h-1", "h-3"]);
}

/** After so many unknown answers nobody is asked any more, and the message lies in a topic of its own. */
async function undecided(t: Context): Promise<void> {
  const topic = await t.topic("t", 1);
  const consumer = await t.push("c", topic);
  const producer = await transactional(t, "p");
  await t.send(producer, topic, { mode: "transaction", prefix: "u", count: 1, local: "unknown", check: "unknown" });
  const givenUp = "TRANS_CHECK_MAX_TIME_TOPIC";
  // The topic is made when the first message is given up.
  const route = async () => (await request(t.target.namesrv, 105, { topic: givenUp })).code === 0;
  await eventually(route, `a route of ${givenUp}`);
  const reader = await t.push("r", givenUp, { group: t.named("reader") });
  const mine = () => t.driver.messages(reader).find((message) => message.properties.REAL_TOPIC === topic);
  await t.driver.until(() => mine() !== undefined, () => "the message is given up");
  const given = mine()!;
  assert.equal(given.text, "u-0");
  const asked = t.driver.events("check", producer).length;
  assert.ok(asked >= transactionCheckMax - 2 && asked <= transactionCheckMax, `asked ${asked} times`);
  await none(t, consumer, ["u-0"]);
}

/** Several hundred at a time with every outcome. */
async function load(t: Context): Promise<void> {
  const topic = await t.topic("t", 4);
  const consumer = await t.push("c", topic);
  const producer = await transactional(t, "p");
  const lanes = 4;
  const each = 60;
  const fields = {
    mode: "transaction",
    count: each,
    local: "commit,rollback,unknown",
    check: "unknown,unknown,commit",
  };
  await Promise.all(
    Array.from({ length: lanes }, (_, lane) => t.send(producer, topic, { ...fields, prefix: `l${lane}` })),
  );
  const wanted: string[] = [];
  const unwanted: string[] = [];
  for (let lane = 0; lane < lanes; lane++) {
    keysOf(`l${lane}`, each).forEach((key, i) => (i % 3 === 1 ? unwanted : wanted).push(key));
  }
  await t.received(consumer, wanted, 60_000);
  await none(t, consumer, unwanted);
}

/** A delay that a client lets through: never early, and decided by a check at the latest. */
async function delayed(t: Context): Promise<void> {
  const topic = await t.topic("t", 1);
  const consumer = await t.push("c", topic);
  const producer = await transactional(t, "p");
  const sentAt = Date.now();
  const outcomes = { local: "commit,rollback", check: "commit,rollback" };
  await t.send(producer, topic, { mode: "transaction", prefix: "d", count: 2, delaySec: 3, ...outcomes });
  const [message] = await t.received(consumer, ["d-0"]);
  assert.ok(message.receivedAt - sentAt >= 3000, `came after ${message.receivedAt - sentAt} ms`);
  await none(t, consumer, ["d-1"]);
}

/** Left open before the broker's restart, decided by a check after it. */
async function beforeRestart(t: Context): Promise<void> {
  const topic = await t.topic("t", 1);
  const producer = await transactional(t, "p", { check: "unknown" });
  await t.send(producer, topic, {
    mode: "transaction",
    prefix: "o",
    count: 2,
    local: "unknown",
    check: "commit,rollback",
  });
  await t.stop(producer);
}

async function afterRestart(t: Context): Promise<void> {
  const topic = t.named("t");
  const consumer = await t.push("c", topic);
  const producer = await transactional(t, "p2");
  // A group is known with the first heartbeat, which needs a broker that the client knows of.
  await t.send(producer, topic, { mode: "transaction", prefix: "own", count: 1, local: "commit", check: "unknown" });
  await t.received(consumer, ["own-0", "o-0"]);
  await t.driver.until(
    () => t.driver.events("check", producer).some((event) => event.key === "o-1"),
    () => "the other is asked for",
  );
  await none(t, consumer, ["o-1"]);
}

export const transactionScenarios: Scenario[] = [
  { name: "transaction-decided", run: decided },
  { name: "transaction-checked", run: checked },
  { name: "transaction-heir", run: heir },
  { name: "transaction-undecided", run: undecided },
  { name: "transaction-load", run: load },
  {
    name: "transaction-delayed",
    run: delayed,
    not: { "java-5.5.0": "the client refuses it", apache: "5.5.0 loses such a message" },
  },
  { name: "transaction-over-restart", run: beforeRestart, afterRestart },
];
