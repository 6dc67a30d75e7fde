import assert from "node:assert/strict";
import test from "node:test";
import { MessageDraft } from "@rmq/protocol";
import { AppendStatus } from "@rmq/store";
import { Peer, TestBroker } from "../_test_broker.ts";

const dead = (offset: number) => ({ offset, group: "G", delayLevel: -1, originTopic: "T" });

test("nothing is stored in a topic that is not on disk itself", async () => {
  const broker = await TestBroker.open();
  const { state } = broker;
  const topic = state.topics.createOnSend("New", "TBW102", 4, 0, "");
  if (topic === null) throw new Error("no topic");
  const before = state.store.appended;
  const statuses: number[] = [];
  const draft = new MessageDraft();
  draft.body = new Uint8Array(3);
  draft.bodyEnd = 3;
  state.put.put(draft, topic, 0, false, (status) => statuses.push(status));
  assert.deepEqual([statuses, state.store.appended], [[AppendStatus.BUSY], before]);
  await broker.world.advance(50);
  state.put.put(draft, topic, 0, false, (status) => statuses.push(status));
  await broker.world.advance(50);
  assert.equal(statuses[1], AppendStatus.OK);
});

test("a power cut between a group's first dead letter and its topic costs neither that one nor a later one", async () => {
  const broker = await TestBroker.open();
  const { world } = broker;
  const first = await broker.send("T", 0, "first");
  const second = await broker.send("T", 0, "second");
  broker.hand(36, dead(first), "", new Peer("c"));
  await world.settle();
  // The dead letter's topic is not on disk yet: the answer, and with it the promise, was not given.
  world.crash({ powerCut: true });
  const again = await TestBroker.open(world);
  assert.equal((await again.ask(36, dead(second))).code, 0);
  assert.equal((await again.ask(36, dead(first))).code, 0);
  world.crash({ powerCut: true });
  const last = await TestBroker.open(world);
  const bodies = (await last.read("%DLQ%G", 0)).map(({ body }) => body);
  assert.deepEqual(bodies, ["second", "first"]);
});
