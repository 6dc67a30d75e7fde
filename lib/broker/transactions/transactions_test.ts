import assert from "node:assert/strict";
import test from "node:test";
import { type Simulation, simulation } from "@rmq/platform/simulated";
import { offsetMessageId } from "@rmq/protocol";
import { TestBroker } from "../_test_broker.ts";
import { COMMIT, Producer, ROLLBACK } from "./_test_producer.ts";

const HALF = "RMQ_SYS_TRANS_HALF_TOPIC";
const OP = "RMQ_SYS_TRANS_OP_HALF_TOPIC";
const GIVEN_UP = "TRANS_CHECK_MAX_TIME_TOPIC";

const bodies = async (broker: TestBroker, topic = "T", queueId = 1) =>
  (await broker.read(topic, queueId)).map(({ body }) => body);

async function opened(world: Simulation = simulation({ seed: 1 })): Promise<[TestBroker, Producer]> {
  // A real producer sends heartbeats.
  const broker = await TestBroker.open(world, { channelExpiredTimeout: 1_000_000_000 });
  return [broker, await new Producer(broker, "PG").online()];
}

test("a half message is kept from its consumers until it is committed", async () => {
  const [broker, producer] = await opened();
  const at = await producer.send("hello", { TAGS: "A" });
  assert.deepEqual(await bodies(broker), []);
  const [half] = await broker.read(HALF, 0);
  assert.deepEqual(half.properties, {
    TRAN_MSG: "true",
    PGROUP: "PG",
    UNIQ_KEY: "KEY-hello",
    TAGS: "A",
    __transactionId__: "KEY-hello",
    REAL_TOPIC: "T",
    REAL_QID: "1",
  });
  assert.equal((await producer.end(0, at, COMMIT)).code, 0);
  const [message] = await broker.read("T", 1);
  assert.deepEqual(message.properties, {
    TRAN_MSG: "true",
    PGROUP: "PG",
    UNIQ_KEY: "KEY-hello",
    TAGS: "A",
    __transactionId__: "KEY-hello",
  });
  assert.equal(message.sysFlag, COMMIT);
  const [op] = await broker.read(OP, 0);
  assert.deepEqual([op.body, op.properties], ["0,", { TAGS: "d", WAIT: "true" }]);
  await broker.world.advance("10m");
  assert.equal(producer.checks.length, 0);
});

test("a transaction that is rolled back is neither delivered nor checked", async () => {
  const [broker, producer] = await opened();
  const at = await producer.send("no");
  assert.equal((await producer.end(0, at, ROLLBACK)).code, 0);
  await broker.world.advance("10m");
  assert.deepEqual(await bodies(broker), []);
  assert.equal(producer.checks.length, 0);
  assert.equal((await producer.end(0, at, ROLLBACK)).code, 0);
});

test("an open transaction is checked 15 times, each time anew in the queue, and then given up", async () => {
  const [broker, producer] = await opened();
  await producer.send("who knows");
  await broker.world.advance("7m");
  assert.equal(producer.checks.length, 14);
  assert.deepEqual(producer.checks[0], {
    msgId: "KEY-who knows",
    halfOffset: 1,
    body: "who knows",
    topic: "T",
    queueId: 1,
  });
  await broker.world.advance("31s");
  assert.equal(producer.checks.length, 15);
  assert.deepEqual(await bodies(broker, GIVEN_UP, 0), []);
  await broker.world.advance("31s");
  const [discarded] = await broker.read(GIVEN_UP, 0);
  assert.equal(discarded.body, "who knows");
  assert.equal(discarded.properties.TRANSACTION_CHECK_TIMES, "15");
  assert.equal(discarded.properties.REAL_TOPIC, "T");
  await broker.world.advance("1h");
  assert.equal(producer.checks.length, 15);
  assert.deepEqual(await bodies(broker), []);
});

test("a producer that knows at the third check commits then, and is asked no more", async () => {
  const [broker, producer] = await opened();
  await producer.send("later");
  await broker.world.advance("61s");
  producer.decision = COMMIT;
  await broker.world.advance("10m");
  assert.equal(producer.checks.length, 3);
  assert.deepEqual(await bodies(broker), ["later"]);
  assert.deepEqual(await bodies(broker, OP, 0), ["0,3,"]);
});

test("any live producer of the group is asked in turn; without one the checks count all the same", async () => {
  const [broker, one] = await opened();
  const other = await new Producer(broker, "PG").online();
  const stranger = await new Producer(broker, "another").online();
  await one.send("a");
  await broker.world.advance("121s");
  assert.deepEqual([one.checks.length, other.checks.length, stranger.checks.length], [2, 2, 0]);
  broker.state.clients.drop(one.connection);
  await broker.world.advance("60s");
  assert.deepEqual([one.checks.length, other.checks.length], [2, 4]);
  broker.state.clients.drop(other.connection);
  await broker.world.advance("10m");
  assert.deepEqual(await bodies(broker, GIVEN_UP, 0), ["a"]);
});

test("a message too young for a check waits, and so do those behind it", async () => {
  const [broker, producer] = await opened();
  await producer.send("old");
  await broker.world.advance("26s");
  await producer.send("young");
  await broker.world.advance("5s");
  assert.deepEqual(producer.checks.map(({ body }) => body), ["old"]);
  await broker.world.advance("30s");
  assert.deepEqual(producer.checks.map(({ body }) => body), ["old", "young", "old"]);
});

test("with a time of its own for the first check a message is checked after that, and only checks count", async () => {
  const [broker, producer] = await opened();
  const at = await producer.send("slow", { CHECK_IMMUNITY_TIME_IN_SECONDS: "590" });
  await producer.send("usual");
  await broker.world.advance("9m");
  assert.equal(producer.checks.filter(({ body }) => body === "slow").length, 0);
  assert.equal(producer.checks.filter(({ body }) => body === "usual").length, 15);
  assert.deepEqual((await broker.read(HALF, 0)).at(-1)?.properties.TRAN_PREPARED_QUEUE_OFFSET, "0");
  await broker.world.advance("75s");
  assert.equal(producer.checks.filter(({ body }) => body === "slow").length, 1);
  // From now on only the answer to a check ends it.
  assert.equal((await producer.end(0, at, COMMIT)).code, 604);
  producer.decision = ROLLBACK;
  await broker.world.advance("1m");
  assert.deepEqual(await bodies(broker), []);
});

test("the end of a message that waits in copies ends its copies", async () => {
  const [broker, producer] = await opened();
  const at = await producer.send("slow", { CHECK_IMMUNITY_TIME_IN_SECONDS: "600" });
  await broker.world.advance("3m");
  assert.equal((await producer.end(0, at, COMMIT)).code, 0);
  await broker.world.advance("1h");
  assert.equal(producer.checks.length, 0);
  assert.deepEqual(await bodies(broker), ["slow"]);
});

test("an end that comes after a check ends the copy that was checked, and is carried out once", async () => {
  const [broker, producer] = await opened();
  const at = await producer.send("late");
  const other = await producer.send("late no");
  await broker.world.advance("31s");
  assert.equal(producer.checks.length, 2);
  assert.equal((await producer.end(0, at, COMMIT)).code, 0);
  assert.equal((await producer.end(1, other, ROLLBACK)).code, 0);
  const [, , copy, copyOfOther] = await broker.read(HALF, 0);
  assert.equal((await producer.end(2, copy.physicalOffset, COMMIT, true)).code, 0);
  assert.equal((await producer.end(3, copyOfOther.physicalOffset, COMMIT, true)).code, 1);
  await broker.world.advance("10m");
  assert.equal(producer.checks.length, 2);
  const [message, ...more] = await broker.read("T", 1);
  assert.deepEqual([message.body, more.length], ["late", 0]);
  assert.equal(message.properties.TRAN_PREPARED_QUEUE_OFFSET, undefined);
});

test("a late end outlives a restart", async () => {
  const world = simulation({ seed: 9 });
  const [first, producer] = await opened(world);
  const at = await producer.send("late");
  await world.advance("31s");
  assert.equal((await producer.end(0, at, ROLLBACK)).code, 0);
  await first.close();
  const [second, again] = await opened(world);
  await world.advance("10m");
  assert.equal(again.checks.length, 0);
  assert.deepEqual(await bodies(second), []);
});

test("a producer can't pass its message off as a copy of another", async () => {
  const [broker, producer] = await opened();
  const at = await producer.send("ended");
  await producer.end(0, at, ROLLBACK);
  await producer.send("own", { TRAN_PREPARED_QUEUE_OFFSET: "0" });
  await broker.world.advance("31s");
  assert.deepEqual(producer.checks.map(({ body }) => body), ["own"]);
});

test("what was decided stays: the same end again does nothing, the opposite is refused", async () => {
  const [broker, producer] = await opened();
  const yes = await producer.send("yes");
  const no = await producer.send("no");
  const asked = [[0, yes, COMMIT], [0, yes, COMMIT], [0, yes, ROLLBACK], [1, no, ROLLBACK], [1, no, COMMIT]];
  const answers = await Promise.all(asked.map(([half, at, how]) => {
    const peer = new Producer(broker, "PG");
    const fields = { producerGroup: "PG", tranStateTableOffset: half, commitLogOffset: at, commitOrRollback: how };
    return broker.ask(37, { ...fields, msgId: "x" }, "", peer);
  }));
  assert.deepEqual(answers.map(({ code }) => code), [0, 0, 1, 0, 1]);
  assert.equal(answers[2].remark, "the transaction is committed already");
  assert.deepEqual(await bodies(broker), ["yes"]);
  // The ends of one turn lie in one op message.
  assert.deepEqual(await bodies(broker, OP, 0), ["0,1,"]);
});

test("an end that does not fit its half message is refused in Apache's words", async () => {
  const [broker, producer] = await opened();
  const at = await producer.send("m");
  const plain = await broker.send("T", 0, "plain", { PGROUP: "PG" });
  const ask = async (changes: Record<string, string | number>) => {
    const fields = { producerGroup: "PG", tranStateTableOffset: 0, commitLogOffset: at, commitOrRollback: COMMIT };
    const { code, remark } = await broker.ask(37, { ...fields, msgId: "x", ...changes });
    return [code, remark];
  };
  assert.deepEqual(await ask({ producerGroup: "other" }), [1, "The producer group wrong"]);
  assert.deepEqual(await ask({ tranStateTableOffset: 1 }), [1, "The transaction state table offset wrong"]);
  const missing = "Find prepared transaction message failed";
  assert.deepEqual(await ask({ commitLogOffset: 987654321 }), [1, missing]);
  assert.deepEqual(await ask({ commitLogOffset: at + 1 }), [1, missing]);
  assert.deepEqual(await ask({ commitLogOffset: plain }), [1, missing]);
  assert.deepEqual((await bodies(broker)).length, 0);
});

test("a delayed transaction message is delayed from its commit on", async () => {
  const [broker, producer] = await opened();
  const at = await producer.send("slowly", { DELAY: "3" });
  assert.equal(broker.state.store.existingQueue("SCHEDULE_TOPIC_XXXX", 2), null);
  await broker.world.advance("4s");
  await producer.end(0, at, COMMIT);
  await broker.world.advance("9s");
  assert.deepEqual(await bodies(broker), []);
  await broker.world.advance("2s");
  assert.deepEqual(await bodies(broker), ["slowly"]);
});

test("a transaction message with a timer starts it when it is committed", async () => {
  const [broker, producer] = await opened();
  const at = await producer.send("timed", { TIMER_DELAY_SEC: "20" });
  await broker.world.advance("5s");
  await producer.end(0, at, COMMIT);
  await broker.world.advance("19s");
  assert.deepEqual(await bodies(broker), []);
  await broker.world.advance("3s");
  assert.deepEqual(await bodies(broker), ["timed"]);
});

test("a message given up is taken up again by 323", async () => {
  const [broker, producer] = await opened();
  await producer.send("again");
  await broker.world.advance("9m");
  const [{ physicalOffset }] = await broker.read(GIVEN_UP, 0);
  const { storeHost, storePort } = broker.state;
  const msgId = offsetMessageId(storeHost, storePort, physicalOffset);
  assert.equal((await broker.ask(323, { topic: GIVEN_UP, msgId })).code, 0);
  producer.decision = COMMIT;
  await broker.world.advance("1m");
  assert.deepEqual(await bodies(broker), ["again"]);
  assert.equal((await broker.ask(323, { topic: "T", msgId: "no id" })).code, 1);
});

test("a transaction whose topic is gone stays open", async () => {
  const [broker, producer] = await opened();
  const at = await producer.send("m");
  assert.equal((await broker.ask(215, { topic: "T" })).code, 0);
  assert.equal((await producer.end(0, at, COMMIT)).code, 17);
  await broker.world.advance("31s");
  assert.equal(producer.checks.length, 1);
});

test("a clock that is set back does not stop the checks", async () => {
  const [broker, producer] = await opened();
  await producer.send("open");
  await broker.world.advance("2m");
  const before = producer.checks.length;
  assert.ok(before > 0);
  broker.world.clock.stepMs(-3_600_000);
  await broker.world.advance("2m");
  assert.ok(producer.checks.length > before, `${producer.checks.length} checks, ${before} before`);
});
