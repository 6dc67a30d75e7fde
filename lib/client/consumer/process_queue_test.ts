import assert from "node:assert/strict";
import { test } from "node:test";
import type { MessageSource } from "../message.ts";
import { Flow } from "./flow.ts";
import { ProcessQueue } from "./process_queue.ts";
import { ReceivedMessage } from "./received_message.ts";
import { levelOf } from "./send_back.ts";

const queue = { topic: "orders", brokerName: "broker-a", queueId: 0 };
const subscription = {
  topic: "orders",
  subString: "*",
  expressionType: "TAG",
  tagsSet: [],
  codeSet: [],
  subVersion: 1,
} as const;

function message(offset: number, bytes = 0): ReceivedMessage {
  const source = { queue, offset, reconsumeTimes: 0, sysFlag: 0 } as unknown as MessageSource;
  return new ReceivedMessage("orders", new Uint8Array(bytes), new Map(), source, { settle: () => Promise.resolve() });
}

function settle(own: ProcessQueue, each: ReceivedMessage): void {
  each.settled = true;
  own.remove(each);
}

test("the offset to commit is that of the first message that is not settled, in whatever order they are", () => {
  const own = new ProcessQueue(queue, subscription, 10);
  assert.equal(own.commitOffset, 10);
  const all = Array.from({ length: 300 }, (_, i) => message(10 + i * 2));
  own.add(all, 610);
  assert.deepEqual([own.commitOffset, own.count, own.span], [10, 300, 598]);
  for (const each of all.slice(1)) settle(own, each);
  assert.deepEqual([own.commitOffset, own.count, own.span], [10, 1, 598]);
  settle(own, all[0]);
  // What lies behind the last message was passed by the filter.
  assert.deepEqual([own.commitOffset, own.count, own.bytes, own.span], [610, 0, 0, 0]);
});

test("offsets go forward one by one as messages are settled in their order", () => {
  const own = new ProcessQueue(queue, subscription, 0);
  const all = Array.from({ length: 200 }, (_, i) => message(i));
  own.add(all, 200);
  all.forEach((each, i) => {
    settle(own, each);
    assert.equal(own.commitOffset, i + 1);
  });
});

test("a queue that is full waits until there is room, and one that is dropped waits no more", async () => {
  const limits = { queueMessages: 64, queueBytes: 1e6, queueSpan: 1000, allBytes: 1e6 };
  const flow = new Flow(limits);
  const own = new ProcessQueue(queue, subscription, 0);
  const all = Array.from({ length: 64 }, (_, i) => message(i));
  own.add(all, 64);
  flow.add(all);
  let roomy = false;
  const waiting = flow.room(own).then(() => roomy = true);
  const free = (each: ReceivedMessage) => {
    settle(own, each);
    flow.freed(own, each);
  };
  for (const each of all.slice(0, 32)) free(each);
  await Promise.resolve();
  assert.equal(roomy, false, "a pull of one message is not worth its while");
  free(all[32]);
  await waiting;
  assert.equal(flow.most(own, 32), 32);
  own.add([message(5000)], 5001);
  const spread = flow.room(own);
  own.drop();
  await spread;
});

test("all queues together are bounded, but one without a message may always read", async () => {
  const flow = new Flow({ queueMessages: 1000, queueBytes: 1e9, queueSpan: 1000, allBytes: 10_000 });
  const [one, other] = [new ProcessQueue(queue, subscription, 0), new ProcessQueue(queue, subscription, 0)];
  const large = message(0, 20_000);
  one.add([large], 1);
  flow.add([large]);
  await flow.room(other);
  const small = message(0);
  other.add([small], 1);
  flow.add([small]);
  const waiting = flow.room(other);
  settle(one, large);
  flow.freed(one, large);
  await waiting;
  assert.ok(flow.bytes < 10_000);
});

test("a delay becomes the broker's level that is not shorter", () => {
  const levels = [undefined, 0, "1s", "2s", "31s", "1h", "90m", "9h"] as const;
  const delays = levels.map((delay) => levelOf(delay === undefined ? {} : { delay }));
  assert.deepEqual(delays, [0, 1, 1, 2, 5, 17, 18, 18]);
  assert.equal(levelOf({ delayLevel: 7 }), 7);
});
