import assert from "node:assert/strict";
import { test } from "node:test";
import { ClientError, type ReceivedMessage, type RocketMQ, sql } from "@rmq/client";
import { hostPlatform } from "@rmq/platform";
import { RequestCode } from "@rmq/protocol";
import { createClient } from "@rmq/remoting";
import { cluster, eventually } from "./_cluster.ts";

const shared = cluster();
const from = "first";

const coded = (code: string) => (error: unknown) => error instanceof ClientError && error.code === code;

/** A topic of so many queues that is there already. */
async function topicOf(mq: RocketMQ, queues = 4): Promise<string> {
  const topic = shared.name("consume");
  await mq.admin.topics.create(topic, { queues });
  return topic;
}

/** Consumes into a list until it has so many. */
async function until(count: number, got: readonly unknown[]): Promise<void> {
  await eventually(() => got.length, (length) => length >= count);
}

test("every message is consumed once, and how far the group is stays known", async () => {
  const mq = await shared.client();
  const topic = await topicOf(mq);
  const group = shared.name("group");
  const bodies = Array.from({ length: 200 }, (_, i) => `order ${i}`);
  await mq.sendBatch(topic, bodies.map((body) => ({ body })));
  const got: string[] = [];
  for await (const message of mq.consume(topic, { group, from, concurrency: 10 })) {
    got.push(message.text());
    await message.ack();
    if (got.length === bodies.length) break;
  }
  assert.deepEqual(got.sort(), bodies.sort());
  const shown = await eventually(
    () => mq.admin.offsets.show(group, topic),
    (all) => all.every(({ lag }) => lag === 0),
  );
  assert.equal(shown.reduce((sum, { committed }) => sum + committed, 0), bodies.length);
});

test("messages come by tag, by SQL, with their properties, and whole when they were compressed", async () => {
  const mq = await shared.client();
  const topic = await topicOf(mq);
  const large = "x".repeat(50_000);
  for (let i = 0; i < 6; i++) {
    await mq.send(topic, i === 3 ? large : `${i}`, { tag: i % 2 === 0 ? "even" : "odd", properties: { size: `${i}` } });
  }
  const tagged: ReceivedMessage[] = [];
  const sized: string[] = [];
  await using _one = await mq.work(topic, (message) => void tagged.push(message), {
    group: shared.name("group"),
    from,
    filter: "odd || none",
  });
  await using _other = await mq.work({ [topic]: sql`size >= ${4}` }, (message) => void sized.push(message.text()), {
    group: shared.name("group"),
    from,
  });
  await until(3, tagged);
  await until(2, sized);
  assert.deepEqual(tagged.map(({ properties }) => properties.get("size")).sort(), ["1", "3", "5"]);
  assert.deepEqual(sized.sort(), ["4", "5"]);
  assert.ok(tagged.some((message) => message.text() === large));
  await assert.rejects(
    mq.work({ [topic]: sql`size >=` }, () => {}, { group: shared.name("group") }),
    coded("BAD_SUBSCRIPTION"),
  );
});

test("a message that is sent back comes again, and beyond its last attempt it is a dead letter", async () => {
  const mq = await shared.client();
  const topic = await topicOf(mq);
  const group = shared.name("group");
  const { messageId } = await mq.send(topic, "hard", { properties: { kind: "own" } });
  const attempts: [number, string][] = [];
  await using _worker = await mq.work(topic, async (message) => {
    attempts.push([message.attempt, message.topic]);
    await message.retry({ delay: "1s" });
  }, { group, from, maxAttempts: 2 });
  for await (const letter of mq.consume(`%DLQ%${group}`, { group: shared.name("group"), from })) {
    assert.equal(letter.text(), "hard");
    assert.equal(letter.properties.get("kind"), "own");
    assert.equal(letter.messageId, messageId);
    break;
  }
  assert.deepEqual(attempts, [[1, topic], [2, topic]]);
});

test("in a namespace topics and groups are those of the namespace, and retries too", async () => {
  const namespace = shared.name("ns");
  const mq = await shared.client({ namespace });
  await mq.admin.topics.create("orders", { queues: 2 });
  await mq.send("orders", "here");
  const seen: string[] = [];
  await using _worker = await mq.work("orders", async (message) => {
    seen.push(`${message.topic} ${message.text()} ${message.attempt}`);
    if (message.attempt === 1) await message.retry({ delayLevel: 1 });
  }, { group: "billing", from });
  await until(2, seen);
  assert.deepEqual(seen, ["orders here 1", "orders here 2"]);
});

test("a Web stream of messages ends when it is cancelled, a loop when its signal is aborted", async () => {
  const mq = await shared.client();
  const topic = await topicOf(mq);
  for (let i = 0; i < 3; i++) await mq.send(topic, `${i}`);
  const group = shared.name("group");
  const reader = mq.readable(topic, { group, from }).getReader();
  const first = await reader.read();
  await first.value?.ack();
  await reader.cancel();
  const stop = new AbortController();
  const rest: string[] = [];
  const loop = async () => {
    for await (const message of mq.consume(topic, { group, from, signal: stop.signal })) {
      rest.push(message.text());
      await message.ack();
    }
  };
  const looping = loop();
  await until(2, rest);
  stop.abort();
  await assert.rejects(looping, coded("ABORTED"));
  assert.deepEqual([first.value?.text(), ...rest].sort(), ["0", "1", "2"]);
});

test("one group has one consumer in a client, and a client that is closed has none", async () => {
  const mq = await shared.client();
  const topic = await topicOf(mq);
  const group = shared.name("group");
  const worker = await mq.work(topic, () => {}, { group });
  await assert.rejects(mq.work(topic, () => {}, { group }), coded("BAD_ARGUMENT"));
  await worker.close();
  await using _again = await mq.work(topic, () => {}, { group });
  await mq.close();
  await assert.rejects(mq.work(topic, () => {}, { group }), coded("CLOSED"));
});

test("operators see a member, have a message consumed by it, and set it back", async () => {
  const mq = await shared.client();
  const topic = await topicOf(mq, 1);
  const group = shared.name("group");
  const { offsetMessageId } = await mq.send(topic, "one");
  const seen: string[] = [];
  await using worker = await mq.work(topic, (message) => void seen.push(message.text()), { group, from });
  await until(1, seen);
  await worker.commit();
  const remoting = createClient(hostPlatform(), {}, { info: () => {}, warn: () => {}, error: () => {} });
  try {
    const ask = (code: number, fields: Record<string, string | boolean>) =>
      remoting.request(shared.broker, { code, fields }, 10_000);
    const { clientId } = mq;
    const info = await ask(RequestCode.GET_CONSUMER_RUNNING_INFO, {
      consumerGroup: group,
      clientId,
      jstackEnable: false,
    });
    assert.equal(info.code, 0, info.remark ?? "");
    assert.match(new TextDecoder().decode(info.body ?? new Uint8Array()), new RegExp(`"topic":"${topic}"\\}:\\{`));
    const direct = { consumerGroup: group, clientId, msgId: offsetMessageId, topic };
    const result = await ask(RequestCode.CONSUME_MESSAGE_DIRECTLY, direct);
    assert.match(new TextDecoder().decode(result.body ?? new Uint8Array()), /"consumeResult":"CR_SUCCESS"/);
    assert.deepEqual(seen, ["one", "one"]);
    const status = await ask(RequestCode.INVOKE_BROKER_TO_GET_CONSUMER_STATUS, { topic, group });
    assert.match(new TextDecoder().decode(status.body ?? new Uint8Array()), /"queueId":0[^}]*\}:1/);
    await mq.admin.offsets.reset(group, topic, "earliest");
    await until(3, seen);
    assert.deepEqual(seen, ["one", "one", "one"]);
  } finally {
    remoting.close();
  }
});
