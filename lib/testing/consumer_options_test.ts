import assert from "node:assert/strict";
import { test } from "node:test";
import { type CommittedOffset, Retry } from "@rmq/client";
import { Broker } from "./mod.ts";

test("a backlog is read ahead up to the bounds and no further, and read on as it is worked off", async () => {
  await using broker = await Broker.inMemory();
  const mq = await broker.connect();
  await mq.admin.topics.create("orders", { queues: 2 });
  await mq.sendBatch("orders", Array.from({ length: 400 }, (_, i) => ({ body: `${i}` })));
  const handlers: (() => void)[] = [];
  let most = 0;
  await using _worker = await mq.work("orders", () => {
    most = Math.max(most, handlers.length + 1);
    return new Promise<void>((resolve) => handlers.push(resolve));
  }, { group: "billing", from: "first", concurrency: 8, queueMessages: 64 });
  const buffered = () => mq.status().consumers.flatMap(({ queues }) => queues).map((queue) => queue.buffered);
  await broker.clock.advance("10s");
  assert.ok(buffered().every((count) => count <= 64) && buffered().includes(64), String(buffered()));
  assert.equal(handlers.length, 8);
  let handled = 0;
  while (handlers.length > 0) {
    for (const end of handlers.splice(0)) {
      end();
      handled++;
    }
    await broker.clock.advance("10ms");
  }
  assert.deepEqual([handled, most], [400, 8]);
  assert.equal(mq.status().consumers[0].bufferedBytes, 0);
});

test("offsets are kept where the application wants them", async () => {
  await using broker = await Broker.inMemory();
  const mq = await broker.connect();
  await mq.admin.topics.create("orders", { queues: 1 });
  const saved = new Map<string, number>();
  const offsets = {
    load: (group: string, { topic }: { topic: string }) => Promise.resolve(saved.get(`${group} ${topic}`) ?? null),
    save: (group: string, all: readonly CommittedOffset[]) => {
      for (const { queue, offset } of all) saved.set(`${group} ${queue.topic}`, offset);
      return Promise.resolve();
    },
  };
  const got: string[] = [];
  const consumeOnce = async () => {
    await using _worker = await mq.work("orders", (message) => void got.push(message.text()), {
      group: "billing",
      from: "first",
      offsets,
    });
    await broker.clock.advance("1s");
  };
  await mq.send("orders", "one");
  await consumeOnce();
  assert.equal(saved.get("billing orders"), 1);
  await mq.send("orders", "two");
  await consumeOnce();
  assert.deepEqual(got, ["one", "two"]);
});

test("hooks are called around handlers, and a retry may say when it comes", async () => {
  await using broker = await Broker.inMemory();
  const told: string[] = [];
  const mq = await broker.connect({
    hooks: {
      receive: ({ attempt }, group) => {
        told.push(`${group} ${attempt} begins`);
        return ({ error }) => void told.push(error === undefined ? "is done" : String(error));
      },
    },
  });
  await mq.send("orders", "one");
  await using _worker = await mq.work("orders", ({ attempt }) => {
    if (attempt === 1) throw new Retry("the bank is closed", { delay: "1h" });
  }, { group: "billing", from: "first" });
  await broker.clock.advance("59m");
  assert.deepEqual(told, ["billing 1 begins", "Retry: the bank is closed"]);
  await broker.clock.advance("2m");
  assert.deepEqual(told.slice(2), ["billing 2 begins", "is done"]);
});

test("a member that closes waits for its handlers, but not for ever", async () => {
  await using broker = await Broker.inMemory();
  const mq = await broker.connect();
  await mq.admin.topics.create("orders", { queues: 1 });
  await mq.send("orders", "slow");
  let end: () => void = () => {};
  const slow = () => new Promise<void>((resolve) => end = resolve);
  const options = { group: "billing", from: "first" } as const;
  const first = await mq.work("orders", slow, options);
  await broker.clock.advance("1s");
  const closing = first.close({ drain: "10s" });
  await broker.clock.advance("5s");
  end();
  await closing;
  const [{ committed }] = await mq.admin.offsets.show("billing", "orders");
  assert.equal(committed, 1);
  await mq.send("orders", "endless");
  const second = await mq.work("orders", () => new Promise(() => {}), options);
  await broker.clock.advance("1s");
  const given = second.close({ drain: "10s" });
  await broker.clock.advance("11s");
  await given;
  const [after] = await mq.admin.offsets.show("billing", "orders");
  assert.equal(after.committed, 1, "what was not settled comes again");
});

for (const ordered of [false, true]) {
  for (const serverSide of ["true", "false"]) {
    const how = `${ordered ? "in order" : "side by side"}, ${
      serverSide === "true" ? "by the broker" : "by its members"
    }`;
    test(`a group that is set back consumes again (${how})`, async () => {
      await using broker = await Broker.inMemory({ config: { useServerSideResetOffset: serverSide } });
      const mq = await broker.connect();
      await mq.admin.topics.create("orders", { queues: 1 });
      for (const body of ["1", "2", "3"]) await mq.send("orders", body);
      const got: string[] = [];
      const options = { group: "billing", from: "first", ordered } as const;
      await using worker = await mq.work("orders", (message) => void got.push(message.text()), options);
      await broker.clock.advance("1s");
      await worker.commit();
      await mq.admin.offsets.reset("billing", "orders", "earliest");
      await broker.clock.advance("40s");
      assert.deepEqual(got, ["1", "2", "3", "1", "2", "3"]);
      const [{ committed }] = await mq.admin.offsets.show("billing", "orders");
      assert.equal(committed, 3);
    });
  }
}

test("with traces on, each handling is traced as Java traces it", async () => {
  await using broker = await Broker.inMemory();
  const mq = await broker.connect({ trace: { topic: "traces" } });
  const { messageId } = await mq.send("orders", "one", { keys: "k1" });
  await using _worker = await mq.work("orders", () => {}, { group: "billing", from: "first" });
  await broker.clock.advance("2s");
  const texts: string[] = [];
  for await (const trace of mq.consume("traces", { group: "tracing", from: "first" })) {
    texts.push(...trace.text().split("\x02"));
    await trace.ack();
    if (texts.some((text) => text.startsWith("SubAfter"))) break;
  }
  const fieldsOf = (kind: string) => texts.find((text) => text.startsWith(kind))?.split("\x01") ?? [];
  const [before, after] = [fieldsOf("SubBefore"), fieldsOf("SubAfter")];
  assert.deepEqual(before.slice(3, 4).concat(before.slice(5)), ["billing", messageId, "0", "k1"]);
  assert.deepEqual(after.slice(1, 3), [before[4], messageId]);
  assert.deepEqual([after[4], after[5], after[6], after[8]], ["true", "k1", "0", "billing"]);
});
