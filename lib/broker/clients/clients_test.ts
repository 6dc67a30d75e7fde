import assert from "node:assert/strict";
import test from "node:test";
import { Peer, TestBroker } from "../_test_broker.ts";

interface Beat {
  readonly topics?: readonly string[];
  readonly model?: string;
  readonly fingerprint?: number;
  readonly withoutSub?: boolean;
}

/** A heartbeat of one consumer in group G. */
function beat(broker: TestBroker, peer: Peer, how: Beat = {}) {
  const { topics = ["T"], model = "CLUSTERING", fingerprint = 0, withoutSub = false } = how;
  const subscriptionDataSet = topics.map((topic) => ({
    topic,
    subString: "*",
    subVersion: 1,
    tagsSet: [],
    codeSet: [],
  }));
  return broker.ask(
    34,
    {},
    JSON.stringify({
      clientID: peer.name,
      heartbeatFingerprint: fingerprint,
      withoutSub,
      consumerDataSet: [{
        groupName: "G",
        consumeType: "CONSUME_PASSIVELY",
        messageModel: model,
        consumeFromWhere: "CONSUME_FROM_LAST_OFFSET",
        subscriptionDataSet: withoutSub ? [] : subscriptionDataSet,
        unitMode: false,
      }],
      producerDataSet: [{ groupName: "P" }],
    }),
    peer,
  );
}

const NOTICE = '40 {"consumerGroup":"G"}';
const members = async (broker: TestBroker) =>
  JSON.parse((await broker.ask(38, { consumerGroup: "G" })).body || '{"consumerIdList":[]}').consumerIdList;

test("a new member hears of itself before its heartbeat is answered, and the others hear too", async () => {
  const broker = await TestBroker.open();
  const [a, b] = [new Peer("a"), new Peer("b")];
  await beat(broker, a);
  assert.deepEqual(a.heard, [NOTICE, "answer 0"]);
  await beat(broker, b);
  assert.deepEqual(b.heard, [NOTICE, "answer 0"]);
  assert.deepEqual(a.heard.slice(2), [NOTICE]);
  assert.deepEqual(await members(broker), ["a", "b"]);
  await beat(broker, a);
  assert.deepEqual(a.heard.slice(3), ["answer 0"]);
});

test("two members that join in one turn are one notice for everybody else", async () => {
  const broker = await TestBroker.open();
  const [a, b, c] = [new Peer("a"), new Peer("b"), new Peer("c")];
  await beat(broker, a);
  await Promise.all([beat(broker, b), beat(broker, c)]);
  assert.deepEqual(a.heard.slice(2), [NOTICE]);
  assert.deepEqual(b.heard.filter((one) => one === NOTICE).length, 2);
});

test("the retry topic of a group stands after its first heartbeat", async () => {
  const broker = await TestBroker.open();
  await beat(broker, new Peer("a"));
  assert.equal(broker.state.topics.get("%RETRY%G")?.config.writeQueueNums, 1);
  assert.equal(broker.state.groups.get("G")?.config.retryMaxTimes, 16);
});

test("a topic that comes or goes in the subscription is told to the members, a newer version of it is not", async () => {
  const broker = await TestBroker.open();
  const a = new Peer("a");
  await beat(broker, a);
  await beat(broker, a, { topics: ["T", "U"] });
  await beat(broker, a, { topics: ["U"] });
  assert.equal(a.heard.filter((one) => one === NOTICE).length, 3);
  assert.equal(broker.state.clients.consumerGroup("G")?.subscription("T"), null);
  assert.equal(broker.state.clients.consumerGroup("G")?.subscription("U")?.subString, "*");
});

test("members of a broadcasting group hear nothing of each other", async () => {
  const broker = await TestBroker.open();
  const [a, b] = [new Peer("a"), new Peer("b")];
  await beat(broker, a, { model: "BROADCASTING" });
  await beat(broker, b, { model: "BROADCASTING" });
  assert.deepEqual(a.heard, ["answer 0"]);
});

test("a connection that is gone leaves its groups, and the rest hear of it", async () => {
  const broker = await TestBroker.open();
  const [a, b] = [new Peer("a"), new Peer("b")];
  await beat(broker, a);
  await beat(broker, b);
  a.heard.length = 0;
  broker.state.clients.drop(b.connection);
  await broker.world.settle();
  assert.deepEqual(a.heard, [NOTICE]);
  assert.deepEqual(await members(broker), ["a"]);
  assert.equal(broker.state.clients.producers("P")?.size, 1);
});

test("a client that says good-bye is gone at once", async () => {
  const broker = await TestBroker.open();
  const a = new Peer("a");
  await beat(broker, a);
  await broker.ask(35, { clientID: "a", consumerGroup: "G", producerGroup: "P" }, "", a);
  assert.deepEqual(await members(broker), []);
  assert.equal((await broker.ask(203, { consumerGroup: "G" })).code, 206);
  assert.equal((await broker.ask(204, { producerGroup: "P" })).code, 1);
});

test("a client without a heartbeat for two minutes is dropped and its connection closed", async () => {
  const broker = await TestBroker.open();
  const [a, b] = [new Peer("a"), new Peer("b")];
  await beat(broker, a);
  await beat(broker, b);
  await broker.world.advance("100s");
  await beat(broker, a);
  await broker.world.advance("40s");
  assert.deepEqual(await members(broker), ["a"]);
  assert.deepEqual([a.closed, b.closed], [false, true]);
});

test("a V2 heartbeat with the same fingerprint keeps the subscriptions; after a restart the client is asked for them", async () => {
  const broker = await TestBroker.open();
  const a = new Peer("a");
  assert.equal((await beat(broker, a, { fingerprint: 7 })).fields?.IS_SUB_CHANGE, "false");
  assert.equal((await beat(broker, a, { fingerprint: 7, withoutSub: true })).fields?.IS_SUB_CHANGE, "false");
  assert.notEqual(broker.state.clients.consumerGroup("G")?.subscription("T"), null);
  assert.equal((await beat(broker, a, { fingerprint: 8 })).fields?.IS_SUB_CHANGE, "true");
  const restarted = await TestBroker.open();
  const answer = await beat(restarted, new Peer("a"), { fingerprint: 7, withoutSub: true });
  assert.equal(answer.fields?.IS_SUB_CHANGE, "true");
});

test("a queue lock is held for a minute after its last renewal, whatever the wall clock does", async () => {
  const broker = await TestBroker.open();
  const { locks } = broker.state;
  const queue = { topic: "T", brokerName: "broker-a", queueId: 0 };
  assert.equal(locks.lock("G", "a", [queue]).length, 1);
  await broker.world.advance("50s");
  assert.equal(locks.lock("G", "a", [queue]).length, 1);
  broker.world.clock.stepMs(86_400_000);
  await broker.world.advance("59s");
  assert.equal(locks.lock("G", "b", [queue]).length, 0);
  assert.equal(locks.anyLocked("G"), true);
  await broker.world.advance("2s");
  assert.equal(locks.anyLocked("G"), false);
  assert.equal(locks.lock("G", "b", [queue]).length, 1);
  locks.unlock("G", "a", [queue]);
  assert.equal(locks.anyLocked("G"), true);
  locks.unlock("G", "b", [queue]);
  assert.equal(locks.anyLocked("G"), false);
});
