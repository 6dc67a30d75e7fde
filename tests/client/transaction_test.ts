import assert from "node:assert/strict";
import { test } from "node:test";
import { cluster, eventually } from "./_cluster.ts";

const shared = cluster();

test("a message is delivered when its transaction has committed, and not when it was rolled back", async () => {
  const mq = await shared.client();
  const topic = shared.name("transaction");
  const check = () => "unknown" as const;
  const bodies: string[] = [];
  const committed = await mq.transaction(topic, "committed", ({ messageId }) => {
    bodies.push(messageId);
  }, { check, tag: "t" });
  assert.equal(committed.outcome, "commit");
  assert.deepEqual(bodies, [committed.messageId]);
  const rolledBack = await mq.transaction(topic, "rolled back", () => "rollback", { check });
  assert.equal(rolledBack.outcome, "rollback");
  await mq.transaction(topic, "last", () => Promise.resolve("commit" as const), { check });
  const stored = await eventually(() => shared.stored(topic), (all) => all.length === 2);
  assert.deepEqual(stored.map(({ body }) => body).sort(), ["committed", "last"]);
  const first = stored.find(({ body }) => body === "committed");
  assert.equal(first?.properties.get("TAGS"), "t");
  assert.equal(first?.properties.get("UNIQ_KEY"), committed.messageId);
});

test("what the local transaction throws is thrown on, and nothing is delivered meanwhile", async () => {
  const mq = await shared.client();
  const topic = shared.name("transaction");
  const run = () => {
    throw new Error("no money");
  };
  await assert.rejects(mq.transaction(topic, "x", run, { check: () => "rollback" }), /no money/);
  assert.deepEqual(await shared.stored(topic), []);
});

test("the broker asks how a transaction ended that nobody told it of", async () => {
  const mq = await shared.client();
  const topic = shared.name("transaction");
  const asked: string[] = [];
  const receipt = await mq.transaction(topic, "asked for", () => "unknown", {
    group: shared.name("checkers"),
    check: (message) => {
      asked.push(`${message.topic} ${message.text()} ${message.messageId}`);
      return "commit";
    },
  });
  assert.equal(receipt.outcome, "unknown");
  const stored = await eventually(() => shared.stored(topic), (all) => all.length === 1);
  assert.deepEqual(stored.map(({ body }) => body), ["asked for"]);
  assert.deepEqual(asked, [`${topic} asked for ${receipt.messageId}`]);
});
