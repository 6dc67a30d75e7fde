import assert from "node:assert/strict";
import test from "node:test";
import { type Simulation, simulation } from "@rmq/platform/simulated";
import { createClient, type Handler, type RemotingClient, type Response } from "@rmq/remoting";
import { defaultStoreOptions } from "@rmq/store";
import { KeptLog, ROOT, settings as usual } from "../_test_broker.ts";
import { type Broker, startBroker } from "../broker.ts";
import type { BrokerSettings } from "../settings.ts";

const PORT = 10911;
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const topic = { defaultTopic: "TBW102", readQueueNums: 2, writeQueueNums: 2, perm: 6, topicFilterType: "SINGLE_TAG" };
const pullFields = {
  consumerGroup: "G",
  topic: "T",
  queueId: 0,
  maxMsgNums: 32,
  sysFlag: 4,
  commitOffset: 0,
  suspendTimeoutMillis: 0,
  subscription: "*",
  subVersion: 1,
  expressionType: "TAG",
};

type Fields = Record<string, string | number | boolean>;

/** A broker with topic T (2 queues, 4 messages in the first, a second apart) and group G, and its clients. */
class Setup {
  readonly times: number[] = [];
  private readonly clients: RemotingClient[] = [];

  private constructor(readonly world: Simulation, public broker: Broker) {}

  static async open(changes: Partial<BrokerSettings> = {}): Promise<Setup> {
    const world = simulation({ seed: 3 });
    const setup = new Setup(world, await started(world, changes));
    const client = setup.client("sender");
    await setup.ask(client, 17, { topic: "T", ...topic });
    await setup.ask(client, 200, {}, '{"groupName":"G"}');
    for (let i = 0; i < 4; i++) {
      setup.times.push(world.platform.clock.nowMs());
      const fields = { a: "P", b: "T", c: "TBW102", d: 4, e: 0, f: 0, g: 1, h: 0, i: "", j: 0, k: false };
      assert.equal((await setup.ask(client, 310, fields, "m" + i)).code, 0);
      await world.advance("1s");
    }
    return setup;
  }

  client(name: string, handlers: [number, Handler][] = []): RemotingClient {
    const client = createClient(this.world.addMachine(name).platform, { handlers: new Map(handlers) }, new KeptLog());
    this.clients.push(client);
    return client;
  }

  start(client: RemotingClient, code: number, fields: Fields, body = "", language = 0): Promise<Response> {
    const request = { code, fields, body: encoder.encode(body), language };
    return client.request(`${this.world.machine.host}:${PORT}`, request, 100_000);
  }

  ask(client: RemotingClient, code: number, fields: Fields, body = "", language = 0): Promise<Response> {
    return this.world.finish(this.start(client, code, fields, body, language));
  }

  async offset(client: RemotingClient, queueId = 0): Promise<string | null | undefined> {
    return (await this.ask(client, 14, { consumerGroup: "G", topic: "T", queueId, setZeroIfNotFound: false })).fields
      .get("offset");
  }

  async close(): Promise<void> {
    await this.world.finish(this.broker.stop());
    for (const client of this.clients) client.close();
  }
}

function started(world: Simulation, changes: Partial<BrokerSettings> = {}): Promise<Broker> {
  const broker = { ...usual, listenPort: PORT, bindAddress: "0.0.0.0", brokerIP1: world.machine.host, ...changes };
  const store = { ...defaultStoreOptions(ROOT), segmentBytes: 16 * 1024 * 1024 };
  return world.finish(startBroker(world.platform, { broker, store }, new KeptLog()));
}

const resetTo = (changes: Fields) => ({ topic: "T", group: "G", timestamp: 0, isForce: true, ...changes });

function tableOf(response: Response): string {
  return decoder.decode(response.body ?? new Uint8Array());
}

test("a reset by time tells the next pull of each queue where to go on, once, and commits before it don't count", async () => {
  const setup = await Setup.open();
  const client = setup.client("consumer");
  await setup.ask(client, 15, { consumerGroup: "G", topic: "T", queueId: 0, commitOffset: 4 });
  const answer = await setup.ask(client, 222, resetTo({ timestamp: setup.times[2] - 500 }));
  assert.equal(answer.code, 0);
  assert.equal(
    tableOf(answer),
    '{"offsetTable":{{"brokerName":"broker-a","queueId":0,"topic":"T"}:2,' +
      '{"brokerName":"broker-a","queueId":1,"topic":"T"}:0}}',
  );
  const commit = await setup.ask(client, 15, { consumerGroup: "G", topic: "T", queueId: 0, commitOffset: 4 });
  assert.deepEqual([commit.code, commit.remark], [0, "Offset has been previously reset"]);
  assert.equal(await setup.offset(client), "2");
  const moved = await setup.ask(client, 11, { ...pullFields, queueOffset: 4, sysFlag: 5, commitOffset: 4 });
  assert.deepEqual([moved.code, moved.remark, moved.fields.get("nextBeginOffset")], [21, "OFFSET_RESET", "2"]);
  assert.equal(await setup.offset(client), "2");
  const next = await setup.ask(client, 11, { ...pullFields, queueOffset: 2 });
  assert.deepEqual([next.code, next.fields.get("nextBeginOffset")], [0, "4"]);
  await setup.ask(client, 15, { consumerGroup: "G", topic: "T", queueId: 0, commitOffset: 3 });
  assert.equal(await setup.offset(client), "3");
  await setup.close();
});

test("a pull that waits hears of the reset at once", async () => {
  const setup = await Setup.open();
  const client = setup.client("consumer");
  const answers: Response[] = [];
  for (const queueId of [0, 1]) {
    const wait = { sysFlag: 6, suspendTimeoutMillis: 15_000, queueId, queueOffset: queueId === 0 ? 4 : 0 };
    setup.start(client, 11, { ...pullFields, ...wait }).then((answer) => answers.push(answer));
  }
  const other = { consumerGroup: "Other", sysFlag: 6, suspendTimeoutMillis: 15_000, queueOffset: 4 };
  setup.start(client, 11, { ...pullFields, ...other }).then((answer) => answers.push(answer));
  await setup.world.advance(100);
  assert.equal(answers.length, 0);
  await setup.ask(setup.client("operator"), 222, resetTo({}));
  await setup.world.advance(10);
  assert.deepEqual(
    answers.map(({ code, fields }) => [code, fields.get("nextBeginOffset")]),
    [[21, "0"], [21, "0"]],
  );
  await setup.close();
});

test("a reset of one queue to an offset, and offsets that no queue has", async () => {
  const setup = await Setup.open();
  const client = setup.client("operator");
  const one = await setup.ask(client, 222, resetTo({ queueId: 0, offset: 3, timestamp: -1 }));
  assert.equal(tableOf(one), '{"offsetTable":{{"brokerName":"broker-a","queueId":0,"topic":"T"}:3}}');
  const end = await setup.ask(client, 222, resetTo({ queueId: 0, timestamp: -1 }));
  assert.match(tableOf(end), /:4\}\}$/);
  const far = await setup.ask(client, 222, resetTo({ queueId: 0, offset: 33333 }));
  assert.deepEqual([far.code, far.remark], [1, "Target offset 33333 not in consume queue range [0-4]"]);
  const noTopic = await setup.ask(client, 222, resetTo({ topic: "No" }));
  assert.deepEqual([noTopic.code, noTopic.remark], [17, "Topic No does not exist"]);
  const noGroup = await setup.ask(client, 222, resetTo({ group: "No" }));
  assert.deepEqual([noGroup.code, noGroup.remark], [26, "Group No does not exist"]);
  await setup.close();
});

test("an offline group that was reset stands there after a power cut in the next instant", async () => {
  const setup = await Setup.open();
  const client = setup.client("operator");
  await setup.ask(client, 15, { consumerGroup: "G", topic: "T", queueId: 0, commitOffset: 4 });
  await setup.ask(client, 222, resetTo({ timestamp: setup.times[1] - 500 }));
  setup.world.crash({ powerCut: true });
  setup.broker = await started(setup.world);
  assert.equal(await setup.offset(setup.client("later")), "1");
  await setup.close();
});

test("a slave resets nothing", async () => {
  const setup = await Setup.open({ brokerRole: "SLAVE" });
  const { code, remark } = await setup.ask(setup.client("operator"), 222, resetTo({}));
  assert.deepEqual([code, remark], [1, "Can not reset offset in slave broker"]);
  await setup.close();
});

test("without useServerSideResetOffset the members that are online are told, and no one else", async () => {
  const setup = await Setup.open({ useServerSideResetOffset: false });
  const operator = setup.client("operator");
  const unknown = await setup.ask(operator, 222, resetTo({}));
  assert.deepEqual([unknown.code, unknown.remark], [1, "THe consumer group <G> not exist"]);
  for (const queueId of [0, 1]) {
    await setup.ask(operator, 15, { consumerGroup: "G", topic: "T", queueId, commitOffset: 1 - queueId });
  }
  const offline = await setup.ask(operator, 222, resetTo({ timestamp: 5 }));
  assert.deepEqual(
    [offline.code, offline.remark],
    [206, "Consumer not online, so can not reset offset, Group: G Topic: T Timestamp: 5"],
  );
  const told: string[] = [];
  const consumer = setup.client("consumer", [[220, (header) => {
    told.push(`${header.isOneway} ${header.ext("timestamp")} ${decoder.decode(bodyOf(header))}`);
  }]]);
  const data = '{"groupName":"G","consumeType":"CONSUME_PASSIVELY","subscriptionDataSet":[{"topic":"T"}]}';
  await setup.ask(consumer, 34, {}, `{"clientID":"c","consumerDataSet":[${data}]}`);
  const queue = (queueId: number) => `{"brokerName":"broker-a","queueId":${queueId},"topic":"T"}`;
  // Not forced: no queue goes forward.
  const soft = await setup.ask(operator, 222, resetTo({ timestamp: -1, isForce: false }));
  assert.equal(tableOf(soft), `{"offsetTable":{${queue(0)}:1,${queue(1)}:0}}`);
  const forced = await setup.ask(operator, 222, resetTo({ timestamp: -1 }), "", 1);
  assert.equal(tableOf(forced), `{"offsetTable":{${queue(0)}:4,${queue(1)}:0}}`);
  await setup.world.advance(10);
  assert.deepEqual(told, [
    `true -1 {"offsetTable":{${queue(0)}:1,${queue(1)}:0}}`,
    'true -1 {"offsetTable":[{"brokerName":"broker-a","offset":4,"queueId":0,"topic":"T"},' +
    '{"brokerName":"broker-a","offset":0,"queueId":1,"topic":"T"}]}',
  ]);
  assert.equal(await setup.offset(operator), "1");
  await setup.close();
});

function bodyOf(header: { bytes: Uint8Array; bodyStart: number; bodyEnd: number }): Uint8Array {
  return header.bytes.subarray(header.bodyStart, header.bodyEnd);
}
