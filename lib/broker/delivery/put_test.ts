import assert from "node:assert/strict";
import test from "node:test";
import { MessageDraft } from "@rmq/protocol";
import { AppendStatus } from "@rmq/store";
import { TestBroker } from "../_test_broker.ts";

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
