/** What an operator asks a broker about a consumer that is online, and where he moves it: 222, 223, 307, 309. */
import assert from "node:assert/strict";
import { type Answer, request } from "../../scripts/peers/request.ts";
import { type Context, eventually, keysOf } from "./context.ts";
import type { Scenario } from "./scenarios.ts";

const decoder = new TextDecoder();
const COUNT = 12;
const QUEUES = 2;

function countOf(t: Context, consumer: string, key: string): number {
  return t.driver.messages(consumer).filter((message) => message.key === key).length;
}

/** A topic, a group that consumed all of it, and the offset message ids. */
async function consumed(t: Context): Promise<{ topic: string; consumer: string; ids: string[] }> {
  const topic = await t.topic("t", QUEUES);
  const producer = await t.producer();
  const sent = await t.send(producer, topic, { prefix: "m", count: COUNT });
  const consumer = await t.push("c", topic, { from: "first" });
  await t.received(consumer, keysOf("m", COUNT));
  await eventually(async () => await t.committed(t.named("g"), topic, QUEUES) === COUNT, "all is committed");
  return { topic, consumer, ids: sent.map((one) => one.offsetMsgId) };
}

/** Moved to the start while it is online, each message comes again; moved to the end while it is gone, none does. */
async function reset(t: Context): Promise<void> {
  const { topic, consumer } = await consumed(t);
  const group = t.named("g");
  const keys = keysOf("m", COUNT);
  const move = (timestamp: string) => request(t.target.broker, 222, { topic, group, timestamp, isForce: "true" });
  assert.equal((await move("0")).code, 0);
  const again = () => keys.every((key) => countOf(t, consumer, key) > 1);
  await t.driver.until(again, () => "not all came again");
  await eventually(async () => await t.committed(group, topic, QUEUES) === COUNT, "all is committed again");
  await t.stop(consumer);
  assert.equal((await move("0")).code, 0);
  assert.equal(await t.committed(group, topic, QUEUES), 0);
  assert.equal((await move("-1")).code, 0);
  await t.send(t.named("p"), topic, { prefix: "later", count: 2 });
  const next = await t.push("c2", topic, { from: "first" });
  const later = await t.received(next, keysOf("later", 2));
  assert.deepEqual(later.map((message) => message.key).sort(), keysOf("later", 2));
}

/** The broker asks the consumer over its connection and hands its answer on. */
async function asked(t: Context): Promise<void> {
  const { topic, consumer, ids } = await consumed(t);
  const consumerGroup = t.named("g");
  const ask = (code: number, fields: Record<string, string>) => request(t.target.broker, code, fields);
  const list = await ask(38, { consumerGroup });
  const [clientId] = JSON.parse(decoder.decode(list.body)).consumerIdList;
  const info = await ask(307, { consumerGroup, clientId, jstackEnable: "false" });
  assert.equal(info.code, 0, info.remark);
  // Go fails to encode its own answer; what it says instead is handed on all the same.
  if (t.isJava) assert.match(textOf(info), new RegExp(`"topic":"${topic}"`));
  else assert.match(info.remark, /json marshal error/);
  const direct = await ask(309, { consumerGroup, clientId, msgId: ids[3], topic });
  assert.equal(direct.code, 0, direct.remark);
  assert.match(textOf(direct), /"consumeResult":"?(CR_SUCCESS|0)/);
  await t.driver.until(() => countOf(t, consumer, "m-3") === 2, () => "m-3 did not come again");
  const nobody = await ask(307, { consumerGroup, clientId: "nobody" });
  assert.deepEqual([nobody.code, nobody.remark], [1, `The Consumer <${consumerGroup}> <nobody> not online`]);
  if (!t.isJava) return;
  const status = await ask(223, { topic, group: consumerGroup });
  assert.equal(status.code, 0, status.remark);
  assert.match(textOf(status), new RegExp(`"queueId":1,"topic":"${topic}"`));
}

function textOf(answer: Answer): string {
  return decoder.decode(answer.body);
}

export const lookbackScenarios: Scenario[] = [
  { name: "reset", run: reset },
  { name: "asked", run: asked },
];
