import assert from "node:assert/strict";
import test from "node:test";
import { KnownProperty, Properties } from "@rmq/protocol";
import { TestBroker } from "../_test_broker.ts";
import { byPriority } from "./priority.ts";

/** Where a message with these properties goes that asks for queue 1 of 4, and whether it keeps its priority. */
async function sent(text: string): Promise<[queueId: number, kept: boolean]> {
  const { state } = await TestBroker.open();
  const topic = state.topics.createOnSend("T", "TBW102", 4, 0, "");
  if (topic === null) throw new Error("no topic");
  const properties = new Properties();
  const bytes = new TextEncoder().encode(text);
  properties.readText(bytes, 0, bytes.length);
  const target = { topic, queueId: 1 };
  byPriority(properties, target);
  return [target.queueId, properties.has(KnownProperty.PRIORITY)];
}

const priority = (value: string | number) => `_SYS_MSG_PRIORITY_\u0001${value}\u0002`;

test("a message with a priority goes to the queue of that number, the last one at most", async () => {
  assert.deepEqual(await sent(priority(0)), [0, true]);
  assert.deepEqual(await sent(priority(3)), [3, true]);
  assert.deepEqual(await sent(priority(2_147_483_647)), [3, true]);
});

test("what is no priority changes nothing", async () => {
  for (const value of [-1, "x", "2147483648", "1.5"]) {
    assert.deepEqual(await sent(priority(value)), [1, true], `${value}`);
  }
});

test("a delayed, timed, ordered or half message loses its priority and keeps its queue", async () => {
  for (const kind of ["DELAY", "TIMER_DELAY_SEC", "TIMER_DELAY_MS", "TIMER_DELIVER_MS", "__SHARDINGKEY"]) {
    assert.deepEqual(await sent(`${priority(3)}${kind}\u00015\u0002`), [1, false], kind);
  }
  assert.deepEqual(await sent(`${priority(3)}TRAN_MSG\u0001TRUE\u0002`), [1, false]);
  assert.deepEqual(await sent(`${priority(3)}TRAN_MSG\u0001false\u0002`), [3, true]);
});
