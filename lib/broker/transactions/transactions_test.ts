import assert from "node:assert/strict";
import test from "node:test";
import { type Simulation, simulation } from "@rmq/platform/simulated";
import { StoredMessage } from "@rmq/protocol";
import type { PeerRequest } from "@rmq/remoting";
import { Peer, TestBroker } from "../_test_broker.ts";

const HALF = "RMQ_SYS_TRANS_HALF_TOPIC";
const OP = "RMQ_SYS_TRANS_OP_HALF_TOPIC";
const GIVEN_UP = "TRANS_CHECK_MAX_TIME_TOPIC";
const COMMIT = 8;
const ROLLBACK = 12;

/** A producer that answers checks as its group decided; null: it does not know yet. */
class Producer extends Peer {
  readonly checks: { msgId: string; halfOffset: number; body: string; topic: string; queueId: number }[] = [];
  decision: number | null = null;

  constructor(readonly broker: TestBroker, readonly group: string) {
    super(group);
    this.connection.oneway = (request) => this.#check(request);
  }

  async online(): Promise<this> {
    const heartbeat = { clientID: this.group, producerDataSet: [{ groupName: this.group }] };
    await this.broker.ask(34, {}, JSON.stringify(heartbeat), this);
    return this;
  }

  /** Sends a half message; its physical offset. */
  send(body: string, properties: Record<string, string> = {}): Promise<number> {
    const all = { TRAN_MSG: "true", PGROUP: this.group, UNIQ_KEY: "KEY-" + body, ...properties };
    return this.broker.send("T", 1, body, all);
  }

  end(halfOffset: number, physicalOffset: number, how: number, fromCheck = false): Promise<{ code: number }> {
    return this.broker.ask(37, this.#fields(halfOffset, physicalOffset, how, fromCheck));
  }

  #fields(halfOffset: number, physicalOffset: number, how: number, fromCheck: boolean) {
    return {
      producerGroup: this.group,
      tranStateTableOffset: halfOffset,
      commitLogOffset: physicalOffset,
      commitOrRollback: how,
      fromTransactionCheck: fromCheck,
      msgId: "x",
    };
  }

  #check({ code, fields, body }: PeerRequest): void {
    assert.equal(code, 39);
    const { msgId, tranStateTableOffset, commitLogOffset } = fields as Record<string, string | number>;
    const message = new StoredMessage();
    const bytes = body as Uint8Array;
    assert.equal(message.parse(bytes, 0, bytes.length, true), bytes.length);
    this.checks.push({
      msgId: String(msgId),
      halfOffset: Number(tranStateTableOffset),
      body: new TextDecoder().decode(bytes.subarray(message.bodyStart, message.bodyEnd)),
      topic: message.topicText(),
      queueId: message.queueId,
    });
    if (this.decision === null) return;
    const answer = this.#fields(Number(tranStateTableOffset), Number(commitLogOffset), this.decision, true);
    this.broker.hand(37, answer, "", this);
  }
}

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
