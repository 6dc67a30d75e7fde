import assert from "node:assert/strict";
import { test } from "node:test";
import { type Simulation, simulation } from "@rmq/platform/simulated";
import { encodeBatch, type HeaderFields, RequestCode, StoredMessage } from "@rmq/protocol";
import { createClient, type RemotingClient, type Response } from "@rmq/remoting";
import { defaultStoreOptions } from "@rmq/store";
import { type Broker, startBroker } from "./broker.ts";
import { KeptLog, ROOT, settings } from "./_test_broker.ts";

const encoder = new TextEncoder();
const ADDRESS = "127.0.0.1:10911";

/** A whole broker and one client on a simulated machine; time stands still unless the test turns it. */
class Scene {
  private constructor(readonly world: Simulation, readonly broker: Broker, readonly client: RemotingClient) {}

  static async open(seed = 1, world: Simulation = simulation({ seed })): Promise<Scene> {
    const log = new KeptLog();
    const store = { ...defaultStoreOptions(ROOT), segmentBytes: 1024 * 1024 };
    const broker = await world.finish(startBroker(world.platform, { broker: settings, store }, log));
    return new Scene(world, broker, createClient(world.platform, {}, log));
  }

  request(code: number, fields: HeaderFields, body: Uint8Array = new Uint8Array(0)): Promise<Response> {
    return this.client.request(ADDRESS, { code, fields, body }, 60_000);
  }

  ask(code: number, fields: HeaderFields, body?: Uint8Array): Promise<Response> {
    return this.world.finish(this.request(code, fields, body));
  }

  send(properties: Record<string, string> = {}, changes: HeaderFields = {}, body = "hello"): Promise<Response> {
    return this.ask(RequestCode.SEND_MESSAGE_V2, sendFields(properties, changes), encoder.encode(body));
  }

  pull(offset: number, suspendMs = 0): Promise<Response> {
    return this.request(RequestCode.PULL_MESSAGE, {
      consumerGroup: "G",
      topic: "T",
      queueId: 0,
      queueOffset: offset,
      maxMsgNums: 32,
      sysFlag: suspendMs > 0 ? 6 : 4,
      commitOffset: 0,
      suspendTimeoutMillis: suspendMs,
      subscription: "*",
      subVersion: 0,
    });
  }
}

function sendFields(properties: Record<string, string>, changes: HeaderFields = {}): HeaderFields {
  const text = Object.entries(properties).map(([name, value]) => `${name}\u0001${value}\u0002`).join("");
  return { a: "P", b: "T", c: "TBW102", d: 4, e: 0, f: 0, g: 1, h: 0, i: text, j: 0, k: false, m: false, ...changes };
}

function bodiesIn(response: Response): string[] {
  const message = new StoredMessage();
  const bytes = response.body ?? new Uint8Array(0);
  const bodies: string[] = [];
  for (let at = 0; at < bytes.length; at += message.size) {
    assert.ok(message.parse(bytes, at, bytes.length, true) > 0, "an entry in the answer does not parse");
    bodies.push(new TextDecoder().decode(bytes.subarray(message.bodyStart, message.bodyEnd)));
  }
  return bodies;
}

test("a message that was sent is pulled, with what the broker adds to it", async () => {
  const scene = await Scene.open();
  const sent = await scene.send({ TAGS: "A", UNIQ_KEY: "U1" });
  assert.equal(sent.code, 0);
  assert.deepEqual(
    [sent.fields.get("queueId"), sent.fields.get("queueOffset"), sent.fields.get("transactionId")],
    ["0", "0", "U1"],
  );
  const pulled = await scene.world.finish(scene.pull(0));
  assert.deepEqual([pulled.code, pulled.remark, bodiesIn(pulled)], [0, "FOUND", ["hello"]]);
  const message = new StoredMessage();
  message.parse(pulled.body!, 0, pulled.body!.length, true);
  assert.deepEqual(
    ["TAGS", "UNIQ_KEY", "MSG_REGION", "TRACE_ON", "CLUSTER"].map((name) => message.property(name)),
    ["A", "U1", "DefaultRegion", "true", "DefaultCluster"],
  );
});

test("an answer waits for the disk, and a message is invisible before", async () => {
  const scene = await Scene.open();
  await scene.send();
  scene.world.disk.latencyMs.sync = 500;
  let answered = false;
  const sending = scene.request(RequestCode.SEND_MESSAGE_V2, sendFields({}), encoder.encode("second")).then(
    (answer) => {
      answered = true;
      return answer;
    },
  );
  await scene.world.settle();
  assert.equal(answered, false);
  assert.equal((await scene.world.finish(scene.pull(1))).remark, "OFFSET_OVERFLOW_ONE");
  assert.equal(answered, false);
  await scene.world.advance(600);
  assert.equal((await scene.world.finish(sending)).code, 0);
  assert.deepEqual(bodiesIn(await scene.world.finish(scene.pull(1))), ["second"]);
});

test("a parked pull is answered by the message that it waits for", async () => {
  const scene = await Scene.open();
  await scene.send();
  const parked = scene.pull(1, 15_000);
  await scene.world.settle();
  await scene.send({}, {}, "late");
  assert.deepEqual(bodiesIn(await scene.world.finish(parked)), ["late"]);
});

test("a parked pull is answered empty when its time is over, not before", async () => {
  const scene = await Scene.open();
  await scene.send();
  let answer: Response | null = null;
  void scene.pull(1, 15_000).then((response) => answer = response);
  await scene.world.advance(14_900);
  assert.equal(answer, null);
  await scene.world.advance(1_000);
  assert.equal((answer as Response | null)?.code, 19);
});

test("stopping answers what is parked and leaves a clean store", async () => {
  const scene = await Scene.open();
  await scene.send();
  const parked = scene.pull(1, 15_000);
  await scene.world.settle();
  await scene.world.finish(scene.broker.stop());
  assert.equal((await scene.world.finish(parked)).code, 19);
  assert.equal(scene.world.platform.files.stat(`${ROOT}/abort`), null);
});

const refused: [
  what: string,
  code: number,
  properties: Record<string, string>,
  changes?: HeaderFields,
  body?: string,
][] = [
  ["an empty body", 1, {}, {}, ""],
  ["a transaction", 13, { TRAN_MSG: "true" }],
  ["a timer", 13, { TIMER_DELAY_SEC: "5" }],
  ["a timer with delay level 0", 13, { DELAY: "0", TIMER_DELIVER_MS: "5" }],
  ["a NUL in a property", 13, { A: "x\0y" }],
  ["a delay that is no number", 1, { DELAY: "soon" }],
  ["an inner batch by its mark", 13, {}, { f: 0x80 }],
  ["an inner batch by its number", 13, { INNER_NUM: "5" }],
  ["a queue that is not there", 29, {}, { e: 99 }],
  ["a topic with a blank", 29, {}, { b: "no topic" }],
  ["a topic of the system", 16, {}, { b: "SCHEDULE_TOPIC_XXXX" }],
  ["a topic that nothing makes", 17, {}, { b: "Unknown", c: "NoDefault" }],
  ["properties beyond 32767 bytes", 13, { A: "x".repeat(33_000) }],
];

test("what can't be stored is refused with Apache's code, and harms nothing", async () => {
  const scene = await Scene.open();
  await scene.send();
  for (const [what, code, properties, changes, body] of refused) {
    assert.equal((await scene.send(properties, changes, body)).code, code, what);
  }
  const after = await scene.send({}, {}, "after");
  assert.deepEqual([after.code, after.fields.get("queueOffset")], [0, "1"]);
});

test("a batch is stored whole, in order, or not at all", async () => {
  const scene = await Scene.open();
  const batch = (properties: Record<string, string>[], changes: HeaderFields = {}) => {
    const messages = properties.map((own, i) => ({
      body: encoder.encode(`m${i}`),
      properties: encoder.encode(Object.entries(own).map(([name, value]) => `${name}\x01${value}\x02`).join("")),
      flag: 0,
    }));
    return scene.ask(RequestCode.SEND_BATCH_MESSAGE, sendFields({}, { m: true, ...changes }), encodeBatch(messages));
  };
  const stored = await batch([{ TAGS: "A" }, {}, { KEYS: "k" }]);
  assert.deepEqual([stored.code, stored.fields.get("msgId")?.split(",").length], [0, 3]);
  const unwanted: Record<string, string>[] = [{ TRAN_MSG: "true" }, { INNER_NUM: "2" }, { A: "\0" }, {
    TIMER_DELAY_MS: "5",
  }];
  for (const bad of unwanted) {
    assert.equal((await batch([{}, bad])).code, 13, JSON.stringify(bad));
  }
  assert.equal((await batch([{}], { i: "DELAY\u00013\u0002" })).code, 13, "a delay of the whole batch");
  assert.equal((await batch([])).code, 1, "no message");
  assert.deepEqual(bodiesIn(await scene.world.finish(scene.pull(0))), ["m0", "m1", "m2"]);
});

test("a full disk is told with 14, reading goes on, and sending goes on when there is room again", async () => {
  const scene = await Scene.open();
  await scene.send();
  scene.world.disk.failNext({ op: "write", path: "commitlog", code: "ENOSPC", count: 1000 });
  assert.equal((await scene.send()).code, 14);
  assert.deepEqual(bodiesIn(await scene.world.finish(scene.pull(0))), ["hello"]);
  scene.world.disk.clearFaults();
  await scene.world.advance(5_000);
  const again = await scene.send();
  assert.deepEqual([again.code, again.fields.get("queueOffset")], [0, "1"]);
});

test("acknowledged messages are there after a power cut, at their offsets", async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const scene = await Scene.open(seed);
    const sent: string[] = [];
    for (let i = 0; i < 5; i++) {
      assert.equal((await scene.send({}, {}, `m${i}`)).code, 0);
      sent.push(`m${i}`);
    }
    void scene.request(RequestCode.SEND_MESSAGE_V2, sendFields({}), encoder.encode("under way")).catch(() => {});
    scene.world.crash({ powerCut: true });
    const again = await Scene.open(seed, scene.world);
    assert.deepEqual(bodiesIn(await again.world.finish(again.pull(0))).slice(0, 5), sent, `seed ${seed}`);
  }
});
