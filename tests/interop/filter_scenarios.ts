/** What a subscription lets through: tags, and SQL over the messages' properties. */
import assert from "node:assert/strict";
import { type Context, eventually, keysOf } from "./context.ts";
import type { DescribedMessage } from "./driver.ts";
import type { Scenario } from "./scenarios.ts";

/** i is 0 to 11: a = i, b in turn red, green, blue or absent, c = true for each other one, tag A or B. */
const properties = "a=0,1,2,3,4,5,6,7,8,9,10,11;b=red,green,blue,;c=true,false";

interface Expectation {
  sql: string;
  holds(i: number): boolean;
}

const colour = (i: number) => ["red", "green", "blue", undefined][i % 4];

const expectations: Expectation[] = [
  { sql: "a BETWEEN 3 AND 6", holds: (i) => i >= 3 && i <= 6 },
  { sql: "a > 7.5 OR a <= 1", holds: (i) => i > 7.5 || i <= 1 },
  {
    sql: "b IN ('red', 'blue') AND TAGS = 'A'",
    holds: (i) => ["red", "blue"].includes(colour(i) ?? "") && i % 2 === 0,
  },
  { sql: "b IS NULL", holds: (i) => colour(i) === undefined },
  { sql: "b IS NOT NULL AND NOT (b = 'green')", holds: (i) => colour(i) !== undefined && colour(i) !== "green" },
  { sql: "b CONTAINS 'e' AND b STARTSWITH 'gr'", holds: (i) => colour(i) === "green" },
  { sql: "b ENDSWITH 'ue'", holds: (i) => colour(i) === "blue" },
];

const keys = keysOf("s", 12);

async function sqlPush(t: Context): Promise<void> {
  const topic = await t.topic("t", 2);
  const producer = await t.producer();
  const consumers = await Promise.all(
    expectations.map(({ sql }, i) => t.push(`c${i}`, topic, { group: t.named(`g${i}`), sql })),
  );
  await t.send(producer, topic, { prefix: "s", count: 12, tags: "A,B", properties });
  for (const [i, { holds }] of expectations.entries()) await t.received(consumers[i], keys.filter((_, k) => holds(k)));
  // What comes after the others is delivered after them.
  await t.send(producer, topic, { prefix: "end", count: 2, tags: "A", properties: "a=4,9;b=red" });
  await t.received(consumers[0], ["end-0"]);
  for (const [i, { sql, holds }] of expectations.entries()) {
    const got = t.driver.messages(consumers[i]).map((message) => message.key).filter((key) => key.startsWith("s-"));
    assert.deepEqual([...new Set(got)].sort(), keys.filter((_, k) => holds(k)).sort(), sql);
  }
}

/** Pulled, with offsets that go on over what was left out. */
async function sqlLite(t: Context): Promise<void> {
  const topic = await t.topic("t", 1);
  const producer = await t.producer();
  await t.send(producer, topic, { prefix: "s", count: 12, tags: "A,B", properties });
  const [{ sql, holds }] = expectations;
  const wanted = keys.filter((_, k) => holds(k));
  const name = await t.start({ do: "lite", name: t.named("c"), group: t.named("lite"), topic, sql });
  const messages: DescribedMessage[] = [];
  await eventually(async () => {
    messages.push(...(await t.call({ do: "lite.poll", name, timeoutMs: 1000 })).messages);
    return messages.length >= wanted.length;
  }, `${wanted.length} messages polled`);
  await t.send(producer, topic, { prefix: "end", count: 1, properties: "a=5" });
  await eventually(async () => {
    messages.push(...(await t.call({ do: "lite.poll", name, timeoutMs: 1000 })).messages);
    return messages.at(-1)?.key === "end-0";
  }, "the last message polled");
  assert.deepEqual(messages.map((message) => message.key), [...wanted, "end-0"]);
}

/** An expression that cannot be understood lets nothing through, and does not disturb the others of the topic. */
async function sqlBroken(t: Context): Promise<void> {
  const topic = await t.topic("t", 1);
  const producer = await t.producer();
  const started = await t.driver.attempt({
    do: "push",
    name: t.named("bad"),
    group: t.named("bad"),
    topic,
    sql: "a BETWEEN 3 AND",
  });
  if (t.isJava) {
    assert.equal(started.ok, false, "the client tells at once");
    assert.equal(started.code, 23, started.error);
  }
  const good = await t.push("good", topic, { sql: "a = 1" });
  await t.send(producer, topic, { prefix: "x", count: 3, properties: "a=0,1,2" });
  await t.received(good, ["x-1"]);
  assert.deepEqual(t.driver.messages(t.named("bad")), []);
  await t.driver.attempt({ do: "stop", name: t.named("bad") });
}

/** Tags pulled, several at a time, and tags whose hash codes are equal. */
async function tagsPulled(t: Context): Promise<void> {
  const topic = await t.topic("t", 1);
  const producer = await t.producer();
  await t.send(producer, topic, { prefix: "f", count: 20, tags: "A,B,Aa,BB,C" });
  const poll = async (what: string, tags: string, wanted: string[]) => {
    const name = await t.start({ do: "lite", name: t.named(what), group: t.named(what), topic, tags });
    const messages: DescribedMessage[] = [];
    await eventually(async () => {
      messages.push(...(await t.call({ do: "lite.poll", name, timeoutMs: 1000 })).messages);
      return messages.length >= wanted.length;
    }, `messages with ${tags}`);
    assert.deepEqual(messages.map((message) => message.key), wanted, tags);
  };
  const tagged = (...indexes: number[]) => keysOf("f", 20).filter((_, i) => indexes.includes(i % 5));
  await poll("two", "A || C", tagged(0, 4));
  await poll("three", "A||B || C", tagged(0, 1, 4));
  await poll("all", "*", keysOf("f", 20));
  // "Aa" and "BB" have the same hash code in Java.
  if (t.isJava) await poll("same", "Aa", tagged(2));
}

export const filterScenarios: Scenario[] = [
  { name: "sql-push", run: sqlPush },
  { name: "sql-lite-pull", run: sqlLite, not: { "go-2.1.2": "its pulls always say TAG" } },
  { name: "sql-broken", run: sqlBroken },
  { name: "tags-lite-pull", run: tagsPulled },
];
