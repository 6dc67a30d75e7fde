/** Looking back and at consumers, with the admin client of 5.5.0 at one end and a consumer of any client at the other. */
import assert from "node:assert/strict";
import { type Context, eventually, keysOf } from "./context.ts";
import type { DriverAnswer } from "./driver.ts";
import type { Scenario } from "./scenarios.ts";

/** By key, by the client's id, by the id that holds the offset. */
async function queries(t: Context): Promise<void> {
  const topic = await t.topic("t", 2);
  const producer = await t.producer();
  const results = await t.send(producer, topic, { prefix: "q", count: 4 });
  const [, sent] = results;
  let found: DriverAnswer | undefined;
  await eventually(async () => {
    found = await t.admin.attempt({ do: "admin.byKey", topic, key: "q-1" });
    return found.ok && found.messages.length > 0;
  }, "found by key");
  assert.deepEqual(found?.messages.map((message) => [message.key, message.hash]), [["q-1", sent.hash]]);
  const unique = await t.admin.call({ do: "admin.byUniqueKey", topic, msgId: sent.msgId });
  assert.deepEqual(unique.messages.map((message) => message.key), ["q-1"]);
  const view = await t.admin.call({ do: "admin.view", topic, msgId: sent.offsetMsgId });
  assert.equal(view.message.hash, sent.hash);
  assert.equal(view.message.queueOffset, sent.queueOffset);
  const none = await t.admin.attempt({ do: "admin.byKey", topic, key: "no-such-key" });
  assert.equal(none.ok, false);
  assert.equal(none.code, 208, none.error);
}

const count = 10;

/** A group that is online gets everything again, from where it was reset to. */
async function resetOnline(t: Context): Promise<void> {
  const topic = await t.topic("t", 2);
  const producer = await t.producer();
  const old = await t.send(producer, topic, { prefix: "old", count });
  const consumer = await t.push("c", topic);
  await t.received(consumer, keysOf("old", count));
  await new Promise((resolve) => setTimeout(resolve, 1100));
  const timestamp = Date.now();
  await t.send(producer, topic, { prefix: "new", count });
  await t.received(consumer, keysOf("new", count));
  const group = t.named("g");
  await eventually(async () => await t.committed(group, topic, 2) === 2 * count, "all committed");
  const before = t.driver.messages(consumer).length;
  const { offsets } = await t.admin.call({ do: "admin.resetByTime", topic, group, timestamp, force: true });
  for (const queueId of [0, 1]) {
    assert.equal(offsets[queueId], old.filter((sent) => sent.queueId === queueId).length, `queue ${queueId}`);
  }
  const again = () => t.driver.messages(consumer).slice(before).map((message) => message.key);
  await t.driver.until(
    () => keysOf("new", count).every((key) => again().includes(key)),
    () => `again: ${again()}`,
  );
  assert.deepEqual(again().filter((key) => key.startsWith("old")), []);
  await eventually(async () => await t.committed(group, topic, 2) === 2 * count, "all committed again");
}

/** A group that is offline starts where it was reset to, by time and by offset. */
async function resetOffline(t: Context): Promise<void> {
  const topic = await t.topic("t", 1);
  const producer = await t.producer();
  await t.send(producer, topic, { prefix: "m", count });
  const group = t.named("g");
  const first = await t.push("c1", topic);
  await t.received(first, keysOf("m", count));
  await eventually(async () => await t.committed(group, topic, 1) === count, "all committed");
  await t.stop(first);
  const broker = t.target.broker;
  await t.admin.call({ do: "admin.resetByOffset", broker, topic, group, queueId: 0, offset: 7 });
  const second = await t.push("c2", topic);
  await t.received(second, keysOf("m", 3, 7));
  assert.deepEqual(t.driver.messages(second).map((message) => message.key).sort(), keysOf("m", 3, 7));
  await eventually(async () => await t.committed(group, topic, 1) === count, "all committed again");
  await t.stop(second);
  await t.admin.call({ do: "admin.resetByTime", topic, group, timestamp: 1, force: true });
  const third = await t.push("c3", topic);
  await t.received(third, keysOf("m", count));
}

/** What a consumer says of itself over the broker, and what it does when told. */
async function running(t: Context): Promise<void> {
  const topic = await t.topic("t", 2);
  const producer = await t.producer();
  const results = await t.send(producer, topic, { prefix: "w", count: 4 });
  const consumer = await t.push("c", topic);
  await t.received(consumer, keysOf("w", 4));
  const group = t.named("g");
  const { members } = await t.admin.call({ do: "admin.members", group });
  assert.equal(members.length, 1);
  const [clientId] = members;
  const { info } = await t.admin.call({ do: "admin.runningInfo", group, clientId });
  assert.ok(info.topics.includes(topic), info.topics.join());
  assert.ok(Object.keys(info.queues).includes(`${topic}@1`), Object.keys(info.queues).join());
  const [sent] = results;
  const direct = await t.admin.call({ do: "admin.consumeDirectly", group, clientId, topic, msgId: sent.msgId });
  assert.equal(direct.status, "CR_SUCCESS");
  assert.equal(t.driver.messages(consumer).filter((message) => message.key === sent.key).length, 2);
  if (t.isJava) {
    await eventually(async () => {
      const { clients } = await t.admin.call({ do: "admin.consumerStatus", topic, group, clientId });
      const offsets = Object.values(clients[clientId] ?? {});
      return offsets.reduce((sum, offset) => sum + offset, 0) === 4;
    }, "the consumer tells its offsets");
  }
  await eventually(async () => {
    const { tracks } = await t.admin.call({ do: "admin.tracks", topic, msgId: sent.offsetMsgId });
    return tracks.join() === `${group} CONSUMED`;
  }, "the message was consumed by the group");
}

export const adminScenarios: Scenario[] = [
  { name: "query-by-admin", run: queries },
  { name: "reset-online", run: resetOnline },
  { name: "reset-offline", run: resetOffline },
  { name: "consumer-asked", run: running },
];
