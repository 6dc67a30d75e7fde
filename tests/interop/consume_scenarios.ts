/** Every way to consume. */
import assert from "node:assert/strict";
import { assertSame, assertStored, type Context, eventually, keysOf } from "./context.ts";
import type { DescribedMessage } from "./driver.ts";
import type { Scenario } from "./scenarios.ts";

/** Members join and leave while messages flow; every queue has a consumer, and nothing is lost. */
async function clustering(t: Context): Promise<void> {
  const queues = 8;
  const topic = await t.topic("t", queues);
  const producer = await t.producer();
  let sent = 0;
  const members: string[] = [];
  const keys: string[] = [];
  const burst = async () => {
    await t.send(producer, topic, { prefix: "m", from: sent, count: 2 * queues });
    keys.push(...keysOf("m", 2 * queues, sent));
    sent += 2 * queues;
  };
  /** Sends until every present member has got something of a burst, and nobody else has. */
  const balanced = async () => {
    await eventually(
      async () => {
        const marks = members.map((member) => t.driver.messages(member).length);
        await burst();
        await t.driver.until(
          () => new Set(members.flatMap((m) => t.driver.messages(m)).map((m) => m.key)).size >= 2 * queues,
          () => "first messages",
        );
        await new Promise((resolve) => setTimeout(resolve, 200));
        return members.every((member, i) => t.driver.messages(member).length > marks[i]);
      },
      `each of ${members.length} members gets messages`,
      60_000,
    );
  };
  members.push(await t.push("c1", topic));
  await balanced();
  members.push(await t.push("c2", topic));
  await balanced();
  members.push(await t.push("c3", topic));
  await balanced();
  const [left] = members.splice(0, 1);
  await t.stop(left);
  await balanced();
  await burst();
  const all = () => [left, ...members].flatMap((member) => t.driver.messages(member));
  const missing = () => {
    const have = new Set(all().map((message) => message.key));
    return keys.filter((key) => !have.has(key));
  };
  await t.driver.until(() => missing().length === 0, () => `${missing().length} of ${keys.length} messages missing`);
  assert.equal(new Set(all().map((message) => message.queueId)).size, queues, "every queue is covered");
}

async function broadcasting(t: Context): Promise<void> {
  const topic = await t.topic("t", 4);
  const producer = await t.producer();
  const results = await t.send(producer, topic, { prefix: "b", count: 20 });
  const one = await t.push("c1", topic, { model: "BROADCASTING" });
  const two = await t.push("c2", topic, { model: "BROADCASTING" });
  assertSame(results, await t.received(one, keysOf("b", 20)));
  assertSame(results, await t.received(two, keysOf("b", 20)));
}

/** Messages of a shard share a queue and come in the order of their sending, also when the listener refuses some. */
async function ordered(t: Context): Promise<void> {
  const topic = await t.topic("t", 4);
  const producer = await t.producer();
  const shards = 5;
  const results = await t.send(producer, topic, { prefix: "o", count: 30, mode: "ordered", shards });
  assertStored(results, 30);
  const shardOf = (key: string) => Number(key.slice(2)) % shards;
  const queueOf = new Map<number, number>();
  for (const result of results) {
    const queue = queueOf.get(shardOf(result.key)) ?? result.queueId;
    assert.equal(result.queueId, queue, "a shard keeps its queue");
    queueOf.set(shardOf(result.key), queue);
  }
  const consumer = await t.push("c", topic, { orderly: true, failTimes: 1 });
  await t.received(consumer, keysOf("o", 30));
  const good = t.driver.messages(consumer).filter((message) => !message.failed);
  assertSame(results, good);
  const queues = new Map<number, number[]>();
  for (const message of good) queues.set(message.queueId, [...queues.get(message.queueId) ?? [], message.queueOffset]);
  for (const [queue, offsets] of queues) {
    assert.deepEqual(offsets, [...offsets].sort((a, b) => a - b), `order of queue ${queue}`);
  }
}

async function retry(t: Context): Promise<void> {
  const topic = await t.topic("t", 2);
  const producer = await t.producer();
  const results = await t.send(producer, topic, { prefix: "r", count: 3, tags: "A" });
  const consumer = await t.push("c", topic, { failTimes: 2, tags: "A" });
  await t.received(consumer, keysOf("r", 3), 90_000);
  for (const sent of results) {
    const deliveries = t.driver.messages(consumer).filter((message) => message.key === sent.key);
    assert.deepEqual(deliveries.map((message) => message.reconsumeTimes), [0, 1, 2], sent.key);
    for (const message of deliveries) {
      assert.equal(message.topic, topic);
      assert.equal(message.hash, sent.hash);
    }
  }
}

async function deadLetter(t: Context): Promise<void> {
  const topic = await t.topic("t", 2);
  const producer = await t.producer();
  const results = await t.send(producer, topic, { prefix: "q", count: 2, tags: "A" });
  const consumer = await t.push("c", topic, { failTimes: -1, maxReconsumeTimes: 2 });
  const deadTopic = `%DLQ%${t.named("g")}`;
  await eventually(async () => await t.maxOffset(deadTopic, 0) >= 2, `two messages in ${deadTopic}`, 90_000);
  for (const sent of results) {
    const deliveries = t.driver.messages(consumer).filter((message) => message.key === sent.key);
    assert.deepEqual(deliveries.map((message) => message.reconsumeTimes), [0, 1, 2], sent.key);
  }
  const reader = await t.push("d", deadTopic, { group: t.named("dead") });
  const dead = await t.received(reader, keysOf("q", 2));
  for (const message of dead) {
    assert.equal(message.topic, deadTopic);
    assert.equal(message.hash, results.find((sent) => sent.key === message.key)?.hash);
  }
}

async function classicPull(t: Context): Promise<void> {
  const topic = await t.topic("t", 2);
  const producer = await t.producer();
  const results = await t.send(producer, topic, { prefix: "p", count: 20 });
  assertStored(results, 20);
  const name = await t.start({ do: "pull", name: t.named("c"), group: t.named("g"), topic });
  const messages: DescribedMessage[] = [];
  for (const queueId of [0, 1]) {
    for (let offset = 0; offset < 10;) {
      const answer = await t.call({ do: "pull.once", name, topic, queueId, offset, max: 4 });
      assert.equal(answer.status, "FOUND");
      assert.equal(answer.maxOffset, 10);
      assert.equal(answer.minOffset, 0);
      assert.equal(answer.nextBeginOffset, offset + answer.messages.length);
      messages.push(...answer.messages);
      offset = answer.nextBeginOffset;
    }
  }
  assertSame(results, messages);
  const illegal = await t.call({ do: "pull.once", name, topic, queueId: 0, offset: 1000 });
  assert.equal(illegal.status, "OFFSET_ILLEGAL");
  assert.equal(illegal.nextBeginOffset, 10);
  if (t.isJava) await classicPullOffsets(t, name, topic);
}

async function classicPullOffsets(t: Context, name: string, topic: string): Promise<void> {
  const end = await t.call({ do: "pull.once", name, topic, queueId: 0, offset: 10 });
  assert.equal(end.status, "NO_NEW_MSG");
  const none = await t.call({ do: "pull.once", name, topic, queueId: 0, offset: 0, tags: "no-such-tag" });
  assert.equal(none.status, "NO_MATCHED_MSG");
  const { queues } = await t.call({ do: "pull.offsets", name, topic, timestamp: 1 });
  assert.deepEqual(queues.map((queue) => [queue.minOffset, queue.maxOffset, queue.searchOffset]), [
    [0, 10, 0],
    [0, 10, 0],
  ]);
  await t.call({ do: "pull.commit", name, topic, queueId: 1, offset: 7 });
  await t.stop(name);
  const again = await t.start({ do: "pull", name: t.named("c2"), group: t.named("g"), topic });
  const committed = await t.call({ do: "pull.committed", name: again, topic, queueId: 1 });
  assert.equal(committed.offset, 7);
}

async function pollAll(t: Context, name: string, keys: string[]): Promise<DescribedMessage[]> {
  const messages: DescribedMessage[] = [];
  const missing = () => {
    const have = new Set(messages.map((message) => message.key));
    return keys.filter((key) => !have.has(key)).length;
  };
  await eventually(
    async () => {
      messages.push(...(await t.call({ do: "lite.poll", name, timeoutMs: 500 })).messages);
      return missing() === 0;
    },
    `poll gives ${keys.length} messages`,
    60_000,
  );
  return messages;
}

async function litePull(t: Context): Promise<void> {
  const topic = await t.topic("t", 2);
  const group = t.named("g");
  const producer = await t.producer();
  const results = await t.send(producer, topic, { prefix: "l", count: 20 });
  const name = await t.start({ do: "lite", name: t.named("c1"), group, topic });
  assertSame(results, await pollAll(t, name, keysOf("l", 20)));
  if (t.isJava) {
    await t.call({ do: "lite.seek", name, topic, queueId: 0, offset: 4 });
    const again = await pollAll(
      t,
      name,
      results.filter((r) => r.queueId === 0 && r.queueOffset >= 4).map((r) => r.key),
    );
    assert.equal(Math.min(...again.filter((message) => message.queueId === 0).map((m) => m.queueOffset)), 4);
  }
  await t.call({ do: "lite.commit", name, topic });
  await t.stop(name);
  await eventually(async () => await t.committed(group, topic, 2) === 20, "20 messages committed");
  await t.send(producer, topic, { prefix: "more", count: 4 });
  const next = await t.start({ do: "lite", name: t.named("c2"), group, topic });
  const more = await pollAll(t, next, keysOf("more", 4));
  assert.deepEqual(more.map((message) => message.key).filter((key) => key.startsWith("l-")), []);
}

async function liteAssign(t: Context): Promise<void> {
  const topic = await t.topic("t", 1);
  const producer = await t.producer();
  await t.send(producer, topic, { prefix: "old", count: 5 });
  const { message } = await t.call({
    do: "view",
    name: producer,
    topic,
    msgId: (await later(t, producer, topic)).offsetMsgId,
  });
  const name = await t.start({ do: "lite", name: t.named("c"), group: t.named("g"), topic, assign: true });
  const { offset } = await t.call({
    do: "lite.offsetForTimestamp",
    name,
    topic,
    queueId: 0,
    timestamp: message.storeTimestamp,
  });
  assert.equal(offset, 5);
  // A seek while the client's first pull is under way may lose to it.
  await pollAll(t, name, [...keysOf("old", 5), "later-0"]);
  await t.call({ do: "lite.seek", name, topic, queueId: 0, offset });
  const again = await pollAll(t, name, ["later-0"]);
  assert.deepEqual(again.map((each) => each.queueOffset), [5]);
}

/** A message whose store timestamp differs from those before it. */
async function later(t: Context, producer: string, topic: string): Promise<{ offsetMsgId: string }> {
  await new Promise((resolve) => setTimeout(resolve, 50));
  return (await t.send(producer, topic, { prefix: "later", count: 1 }))[0];
}

function utcSeconds(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\D/g, "").slice(0, 14);
}

/**
 * Where a new group starts. A broadcasting group decides for itself; a clustering one asks the broker, which answers 0
 * for a queue that begins at 0 and is still in memory, so that it gets everything, whatever it asked for.
 */
async function startFrom(t: Context): Promise<void> {
  const topic = await t.topic("t", 2);
  const producer = await t.producer();
  await t.send(producer, topic, { prefix: "old", count: 6 });
  await new Promise((resolve) => setTimeout(resolve, 2100 - Date.now() % 1000));
  const timestamp = utcSeconds(Date.now());
  await t.send(producer, topic, { prefix: "mid", count: 6 });
  const broadcast = { model: "BROADCASTING" };
  const first = await t.push("first", topic, { ...broadcast, group: t.named("gf"), from: "first" });
  const last = await t.push("last", topic, { ...broadcast, group: t.named("gl"), from: "last" });
  const since = await t.push("since", topic, { ...broadcast, group: t.named("gt"), from: "timestamp", timestamp });
  const clustered = await t.push("clustered", topic, { group: t.named("gc"), from: "last" });
  let sent = 0;
  await eventually(
    async () => {
      await t.send(producer, topic, { prefix: "new", from: sent, count: 2 });
      sent += 2;
      return t.driver.messages(last).length > 0;
    },
    "a consumer that starts at the end gets new messages",
    60_000,
  );
  const all = [...keysOf("old", 6), ...keysOf("mid", 6), ...keysOf("new", sent)];
  await t.received(first, all);
  await t.received(clustered, all);
  await t.received(since, [...keysOf("mid", 6), ...keysOf("new", sent)]);
  const started = (consumer: string, prefix: string) =>
    t.driver.messages(consumer).some((message) => message.key.startsWith(prefix));
  assert.equal(started(since, "old"), false, "nothing from before the timestamp");
  assert.equal(started(last, "old") || started(last, "mid"), false, "nothing from before the end");
}

async function beforeRestart(t: Context): Promise<void> {
  const topic = await t.topic("t", 4);
  const producer = await t.producer();
  assertStored(await t.send(producer, topic, { prefix: "k", count: 20 }), 20);
  const consumer = await t.push("c1", topic);
  await t.received(consumer, keysOf("k", 20));
  await eventually(async () => await t.committed(t.named("g"), topic, 4) === 20, "20 messages committed");
  await t.stop(consumer);
}

/** The producer of before goes on, the group where it was, and a new group gets everything. */
async function afterRestart(t: Context): Promise<void> {
  const topic = t.named("t");
  assert.equal(await t.committed(t.named("g"), topic, 4), 20);
  await eventually(
    async () => (await t.driver.attempt({ do: "send", name: t.named("p"), topic, prefix: "again", count: 4 })).ok,
    "the producer reaches the broker again",
  );
  const consumer = await t.push("c2", topic);
  await t.received(consumer, keysOf("again", 4));
  assert.deepEqual(t.driver.messages(consumer).filter((message) => message.key.startsWith("k-")), []);
  const fresh = await t.push("c3", topic, { group: t.named("fresh") });
  await t.received(fresh, [...keysOf("k", 20), ...keysOf("again", 4)]);
}

export const consumeScenarios: Scenario[] = [
  { name: "push-clustering", run: clustering },
  { name: "push-broadcasting", run: broadcasting },
  { name: "ordered", run: ordered },
  { name: "retry", run: retry },
  { name: "dead-letter", run: deadLetter },
  { name: "classic-pull", run: classicPull },
  { name: "lite-pull", run: litePull },
  { name: "lite-pull-assigned", run: liteAssign, not: { "go-2.1.2": "the Go client cannot seek" } },
  { name: "start-from", run: startFrom },
  { name: "offsets-over-restart", run: beforeRestart, afterRestart },
];
