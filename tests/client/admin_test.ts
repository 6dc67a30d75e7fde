import assert from "node:assert/strict";
import { test } from "node:test";
import { ClientError } from "@rmq/client";
import { cluster } from "./_cluster.ts";

const shared = cluster();

test("topics are created, listed, described and deleted", async () => {
  const mq = await shared.client();
  const topic = shared.name("admin");
  await mq.admin.topics.create(topic, { queues: 3 });
  assert.ok((await mq.admin.topics.list()).includes(topic));
  const { brokers } = await mq.admin.topics.describe(topic);
  assert.equal(brokers.length, 1);
  assert.equal(brokers[0].writeQueues, 3);
  assert.equal(brokers[0].readQueues, 3);
  assert.equal(brokers[0].perm, 6);
  const receipts = await Promise.all(Array.from({ length: 9 }, () => mq.send(topic, "x")));
  assert.deepEqual([...new Set(receipts.map(({ queue }) => queue.queueId))].sort(), [0, 1, 2]);
  await mq.admin.topics.delete(topic);
  assert.ok(!(await mq.admin.topics.list()).includes(topic));
  await assert.rejects(
    mq.admin.topics.describe(topic),
    (error) => error instanceof ClientError && error.code === "TOPIC_NOT_FOUND" && error.responseCode === 17,
  );
});

test("system topics, retries and dead letters are listed only when asked for", async () => {
  const mq = await shared.client();
  const few = await mq.admin.topics.list();
  const all = await mq.admin.topics.list({ all: true });
  assert.ok(all.includes("TBW102") && all.includes("SCHEDULE_TOPIC_XXXX"));
  assert.deepEqual(few.filter((topic) => topic === "TBW102" || topic.startsWith("%") || /^RMQ_SYS/i.test(topic)), []);
});

test("groups are created, listed and deleted", async () => {
  const mq = await shared.client();
  const group = shared.name("group");
  await mq.admin.groups.create(group, { maxAttempts: 5, ordered: true, retryQueues: 2 });
  const found = (await mq.admin.groups.list()).find((each) => each.group === group);
  assert.deepEqual(found, { group, enabled: true, broadcast: true, ordered: true, maxAttempts: 5, retryQueues: 2 });
  await mq.admin.groups.delete(group);
  assert.equal((await mq.admin.groups.list()).find((each) => each.group === group), undefined);
});

test("offsets of a group are set, shown and reset", async () => {
  const mq = await shared.client();
  const [topic, group] = [shared.name("admin"), shared.name("group")];
  await mq.admin.topics.create(topic, { queues: 1 });
  await mq.admin.groups.create(group);
  for (let i = 0; i < 5; i++) await mq.send(topic, `${i}`);
  const { queue } = await mq.send(topic, "last");
  assert.equal(await mq.admin.offsets.get(group, queue), null);
  await mq.admin.offsets.set(group, queue, 4);
  assert.equal(await mq.admin.offsets.get(group, queue), 4);
  const [shown] = await mq.admin.offsets.show(group, topic);
  assert.deepEqual([shown.end, shown.committed, shown.lag], [6, 4, 2]);
  await mq.admin.offsets.reset(group, topic, "earliest");
});

test("the status tells of brokers, topics and groups", async () => {
  const mq = await shared.client({ producerGroup: "status-group" });
  const topic = shared.name("status");
  await mq.send(topic, "x");
  const { brokers, topics, groups, pendingSends, nameServer, closed } = mq.status();
  assert.equal(nameServer, shared.namesrv);
  assert.deepEqual(brokers.map(({ address, brokerId, connected }) => [address, brokerId, connected]), [
    [shared.broker, 0, true],
  ]);
  assert.ok(topics.includes(topic));
  assert.deepEqual(groups.producers, ["status-group"]);
  assert.equal(pendingSends, 0);
  assert.equal(closed, false);
});
