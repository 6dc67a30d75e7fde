import assert from "node:assert/strict";
import test from "node:test";
import { offsetMessageId } from "@rmq/protocol";
import { type PeerRequest, RemotingError, type Response } from "@rmq/remoting";
import { Peer, TestBroker } from "../_test_broker.ts";
import { ClientAsks } from "./ask.ts";

const encoder = new TextEncoder();

function response(body: string, changes: Partial<Response> = {}): Response {
  const fields = new Map<string, string | null>();
  return { code: 0, remark: null, fields, body: encoder.encode(body), version: 513, language: 0, ...changes };
}

/** A consumer of group G and topic T that answers with `reply`. */
async function online(broker: TestBroker, clientId: string, reply: (request: PeerRequest) => Response, version = 513) {
  const peer = new Peer(clientId);
  peer.version = version;
  peer.reply = (request) => Promise.resolve(reply(request));
  const subscription = '{"topic":"T","subString":"*","subVersion":1}';
  const consumer = `{"groupName":"G","consumeType":"CONSUME_PASSIVELY","subscriptionDataSet":[${subscription}]}`;
  await broker.ask(34, {}, `{"clientID":"${clientId}","consumerDataSet":[${consumer}]}`, peer);
  return peer;
}

test("running info is the named member's own answer, and the rest of the request reaches it", async () => {
  const broker = await TestBroker.open();
  await online(broker, "c1", () => response("one"));
  const two = await online(
    broker,
    "c2",
    () => response('{"jstack":"x"}', { remark: "said", fields: new Map([["a", "1"]]) }),
  );
  const answer = await broker.ask(307, { consumerGroup: "G", clientId: "c2", jstackEnable: true, Signature: "s" });
  assert.deepEqual([answer.code, answer.remark, answer.body, answer.fields], [0, "said", '{"jstack":"x"}', { a: "1" }]);
  assert.deepEqual(two.asked, [
    { code: 307, fields: { consumerGroup: "G", clientId: "c2", jstackEnable: "true" }, body: null },
  ]);
});

test("consumers that are away, too old, silent or cut off are told apart", async () => {
  const broker = await TestBroker.open();
  await online(broker, "old", () => response(""), 61);
  const peer = await online(broker, "c", () => response(""));
  const ask = async (clientId: string) => {
    const { code, remark } = await broker.ask(307, { consumerGroup: "G", clientId });
    return `${code} ${remark}`;
  };
  assert.equal(await ask("nope"), "1 The Consumer <G> <nope> not online");
  assert.match(
    await ask("old"),
    /^1 The Consumer <old> Version <V3_1_7> too low to finish, please upgrade it to V3_1_8_SNAPSHOT/,
  );
  peer.reply = () => Promise.reject(new RemotingError("TIMEOUT", "no answer", true));
  assert.equal(await ask("c"), "207 consumer <G> <c> Timeout: no answer");
  peer.reply = () => Promise.reject(new RemotingError("CLOSED", "gone", true));
  assert.equal(await ask("c"), "1 invoke consumer <G> <c> Exception: gone");
});

test("a message to be consumed directly goes to the consumer as it is stored", async () => {
  const broker = await TestBroker.open();
  const offset = await broker.send("T", 0, "body", { KEYS: "k" });
  const peer = await online(broker, "c", () => response('{"consumeResult":"CR_SUCCESS"}'));
  const msgId = offsetMessageId(new Uint8Array([127, 0, 0, 1]), 10911, offset);
  const fields = { consumerGroup: "G", clientId: "c", topic: "T", msgId };
  const answer = await broker.ask(309, fields);
  assert.equal(answer.body, '{"consumeResult":"CR_SUCCESS"}');
  const [request] = peer.asked;
  assert.deepEqual(request.fields, { ...fields, brokerName: "broker-a", topicSysFlag: 0, groupSysFlag: 0 });
  const stored = (await broker.ask(33, { offset })).bytes;
  assert.deepEqual(request.body, stored);
  const gone = offsetMessageId(new Uint8Array([127, 0, 0, 1]), 10911, 9_999_999);
  assert.equal(
    (await broker.ask(309, { ...fields, msgId: gone })).remark,
    "can not find message by the offset, 9999999",
  );
  assert.equal((await broker.ask(309, { ...fields, msgId: "zz" })).code, 1);
});

test("the status of a group is that of each member that answers", async () => {
  const broker = await TestBroker.open();
  const table =
    '{{"brokerName":"broker-a","queueId":3,"topic":"T"}:52,{"brokerName":"broker-a","queueId":1,"topic":"T"}:5}';
  await online(broker, "c1", () => response(`{"consumerTable":{},"messageQueueTable":${table}}`));
  await online(broker, "c2", () => response("not JSON"));
  const all = await broker.ask(223, { topic: "T", group: "G" });
  assert.deepEqual([all.code, all.remark], [0, "not set any response code"]);
  assert.equal(all.body, `{"consumerTable":{"c1":${table}},"messageQueueTable":{}}`);
  const one = await broker.ask(223, { topic: "T", group: "G", clientAddr: "c2" });
  assert.equal(one.body, '{"consumerTable":{},"messageQueueTable":{}}');
  const none = await broker.ask(223, { topic: "T", group: "NoG" });
  assert.deepEqual([none.code, none.remark], [1, "No Any Consumer online in the consumer group: [NoG]"]);
  await online(broker, "c3", () => response(""), 27);
  const old = await broker.ask(223, { topic: "T", group: "G" });
  assert.deepEqual([old.code, old.remark], [1, "the client does not support this feature. version=V3_0_6"]);
});

test("so many questions wait and no more; each that ends makes room", async () => {
  const asks = new ClientAsks(1);
  const peer = new Peer("c");
  let answer: (response: Response) => void = () => {};
  peer.reply = () => new Promise((resolve) => answer = resolve);
  const first = asks.ask(peer.connection, { code: 307 }, 1000);
  const second = await asks.ask(peer.connection, { code: 307 }, 1000);
  assert.deepEqual([second.failure?.code, asks.waiting], ["TOO_MANY_PENDING", 1]);
  answer(response("x"));
  assert.equal((await first).response?.code, 0);
  peer.reply = () => Promise.reject(new RemotingError("CLOSED", "gone", true));
  assert.equal((await asks.ask(peer.connection, { code: 307 }, 1000)).failure?.code, "CLOSED");
  assert.equal(asks.waiting, 0);
});
