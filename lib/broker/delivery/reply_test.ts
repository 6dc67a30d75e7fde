import assert from "node:assert/strict";
import test from "node:test";
import { Header, Output, writeRequest } from "@rmq/protocol";
import { type PeerRequest, RemotingError, type Response } from "@rmq/remoting";
import { bytesOf, goldenExchanges } from "../../../tests/golden/golden.ts";
import { Peer, TestBroker } from "../_test_broker.ts";

const TOPIC = "DefaultCluster_REPLY_TOPIC";
const V2 = { a: "RPG", b: TOPIC, c: "TBW102", d: 4, e: 0, f: 0, g: 5, h: 0, j: 0, k: "false", m: "false" };
const properties = (to: string) => `REPLY_TO_CLIENT\u0001${to}\u0002CORRELATION_ID\u0001c1\u0002MSG_TYPE\u0001reply`;

/** A reply that was pushed, as the requester reads it from the wire, with what settles it. */
interface Pushed {
  readonly code: number;
  readonly fields: Record<string, string | null>;
  readonly body: string;
  readonly resolve: (response: Response) => void;
  readonly reject: (error: RemotingError) => void;
}

/** A requester that is online as a producer. */
async function requester(broker: TestBroker, clientId: string, group = "G") {
  const peer = new Peer(clientId);
  const pushed: Pushed[] = [];
  peer.reply = (request) => new Promise((resolve, reject) => pushed.push({ ...decoded(request), resolve, reject }));
  await broker.ask(34, {}, `{"clientID":"${clientId}","producerDataSet":[{"groupName":"${group}"}]}`, peer);
  return { peer, pushed, connection: peer.connection };
}

function decoded(request: PeerRequest) {
  const out = new Output();
  writeRequest(out, { ...request, opaque: 1 });
  const frame = out.take();
  const header = new Header();
  header.read(frame, 0, frame.length);
  const body = new TextDecoder().decode(frame.subarray(header.bodyStart, header.bodyEnd));
  return { code: header.code, fields: Object.fromEntries(header.extEntries()), body };
}

const accepted: Response = { code: 0, remark: null, fields: new Map(), body: null, version: 513, language: 0 };

/** Sends a reply and settles what the requester is asked. */
async function reply(broker: TestBroker, pushed: Pushed[], id: string, settle: (last: Pushed) => void) {
  const replier = new Peer("replier");
  broker.hand(325, { ...V2, i: properties(id) }, "the reply", replier);
  await broker.world.settle();
  settle(pushed[pushed.length - 1]);
  for (let i = 0; replier.answers.length === 0 && i < 100; i++) await broker.world.advance(10);
  return replier.answers[0];
}

test("a reply is pushed to the client that asked, stored, and then answered with where it lies", async () => {
  const broker = await TestBroker.open();
  const client = await requester(broker, "10.0.0.1@req");
  const answer = await reply(broker, client.pushed, "10.0.0.1@req", ({ resolve }) => resolve(accepted));
  const [request] = client.pushed;
  assert.deepEqual([request.code, request.body], [326, "the reply"]);
  const text = request.fields.properties ?? "";
  const now = broker.world.platform.clock.nowMs();
  const pushTime = Number(text.split("\u0002")[0].split("\u0001")[1]);
  assert.ok(pushTime > now - 1000 && pushTime <= now, `${pushTime}`);
  assert.deepEqual(
    pairs(text),
    pairs(`${properties("10.0.0.1@req")}\u0002MSG_REGION\u0001DefaultRegion\u0002TRACE_ON\u0001true`),
  );
  assert.deepEqual([answer.code, answer.fields?.queueId, answer.fields?.queueOffset], [0, "0", "0"]);
  assert.match(answer.fields?.msgId ?? "", /^7F00000100002A9F[0-9A-F]{16}$/);
  const [stored] = await broker.read(TOPIC, 0);
  assert.equal(stored.body, "the reply");
  assert.deepEqual(stored.properties, {
    REPLY_TO_CLIENT: "10.0.0.1@req",
    CORRELATION_ID: "c1",
    MSG_TYPE: "reply",
    MSG_REGION: "DefaultRegion",
    TRACE_ON: "true",
  });
});

test("replies of live clients of both generations are passed on with the fields that a live broker passed on", async () => {
  const broker = await TestBroker.open();
  const client = await requester(broker, "127.0.0.1@rr-req");
  const exchanges = [...goldenExchanges("produce")];
  let compared = 0;
  for (const { code, client: who, request, response } of exchanges) {
    if (code !== 325 || request === null || response === null) continue;
    const pushed = exchanges.find((one) => one.code === 326 && one.client === who)?.request;
    const fields = JSON.parse(request.header_text).extFields;
    const replier = new Peer(who);
    broker.hand(325, fields, bytesOf(request.body_base64 ?? ""), replier);
    await broker.world.settle();
    const asked = client.pushed[client.pushed.length - 1];
    asked.resolve(accepted);
    await broker.world.advance(50);
    const golden = JSON.parse(pushed?.header_text ?? "{}").extFields;
    assert.deepEqual(Object.keys(asked.fields).sort(), Object.keys(golden).sort());
    for (
      const name of ["producerGroup", "topic", "queueId", "sysFlag", "reconsumeTimes", "unitMode", "bornTimestamp"]
    ) {
      assert.equal(asked.fields[name], golden[name], name);
    }
    assert.deepEqual(pairs(asked.fields.properties), pairs(golden.properties));
    const answer = JSON.parse(response.header_text);
    assert.equal(replier.answers[0].code, answer.code);
    assert.deepEqual(Object.keys(replier.answers[0].fields ?? {}).sort(), Object.keys(answer.extFields).sort());
    compared++;
  }
  assert.ok(compared >= 2, `${compared} replies`);
});

/** Property text as sorted pairs, without the moment of the push. */
function pairs(text: string | null): string[] {
  return (text ?? "").split("\u0002").filter((pair) => pair !== "" && !pair.startsWith("PUSH_REPLY_TIME")).sort();
}

test("a requester that refuses, does not answer or goes away fails the reply with 1; it is stored all the same", async () => {
  const broker = await TestBroker.open();
  const client = await requester(broker, "c");
  const refused = await reply(broker, client.pushed, "c", ({ resolve }) => resolve({ ...accepted, code: 1 }));
  const silent = await reply(
    broker,
    client.pushed,
    "c",
    ({ reject }) => reject(new RemotingError("TIMEOUT", "", true)),
  );
  const gone = await reply(broker, client.pushed, "c", ({ reject }) => reject(new RemotingError("CLOSED", "", true)));
  for (const answer of [refused, silent, gone]) {
    assert.deepEqual([answer.code, answer.remark], [1, "push reply message to cfail."]);
    assert.ok(answer.fields?.msgId);
  }
  assert.equal((await broker.read(TOPIC, 0)).length, 3);
});

test("a reply to nobody is an error that names the client, as is one that does not say whom it is for", async () => {
  const broker = await TestBroker.open();
  const nobody = await broker.ask(325, { ...V2, i: properties("nobody") }, "r");
  assert.deepEqual([nobody.code, nobody.remark], [1, "push reply message fail, channel of <nobody> not found."]);
  const nameless = await broker.ask(325, { ...V2, i: "MSG_TYPE\u0001reply" }, "r");
  assert.deepEqual([nameless.code, nameless.remark], [1, "reply message properties[REPLY_TO_CLIENT] is null"]);
});

test("without storeReplyMessageEnable nothing is stored, and a success says message id 0", async () => {
  const broker = await TestBroker.open(undefined, { storeReplyMessageEnable: false });
  const client = await requester(broker, "c");
  const answer = await reply(broker, client.pushed, "c", ({ resolve }) => resolve(accepted));
  assert.deepEqual(answer.fields, {
    MSG_REGION: "DefaultRegion",
    TRACE_ON: "true",
    msgId: "0",
    queueOffset: "0",
    queueId: "0",
  });
  const failed = await broker.ask(325, { ...V2, i: properties("nobody") }, "r");
  assert.deepEqual(failed.fields, { MSG_REGION: "DefaultRegion", TRACE_ON: "true" });
  assert.deepEqual(await broker.read(TOPIC, 0), []);
});

test("the old header (324) does the same", async () => {
  const broker = await TestBroker.open();
  const client = await requester(broker, "c");
  const replier = new Peer("replier");
  const header = { producerGroup: "RPG", topic: TOPIC, defaultTopic: "TBW102", defaultTopicQueueNums: 4, queueId: 0 };
  const rest = { sysFlag: 1, bornTimestamp: 5, flag: 9, properties: properties("c"), reconsumeTimes: 0 };
  broker.hand(324, { ...header, ...rest }, "old", replier);
  await broker.world.settle();
  const [{ fields, resolve }] = client.pushed;
  assert.deepEqual([fields.sysFlag, fields.flag, fields.unitMode], ["1", "9", "false"]);
  resolve(accepted);
  await broker.world.advance(50);
  assert.equal(replier.answers[0].code, 0);
});

test("a requester that takes nothing is not buried: beyond 16 MiB of unaccepted replies pushes fail at once", async () => {
  const broker = await TestBroker.open(undefined, { storeReplyMessageEnable: false });
  const client = await requester(broker, "c");
  const replier = new Peer("replier");
  const body = new Uint8Array(4 * 1024 * 1024);
  for (let i = 0; i < 6; i++) broker.hand(325, { ...V2, i: properties("c") }, body, replier);
  await broker.world.settle();
  assert.equal(client.pushed.length, 4);
  assert.deepEqual(replier.answers.map((answer) => answer.code), [1, 1]);
  for (const { resolve } of client.pushed) resolve(accepted);
  await broker.world.settle();
  const answer = await reply(broker, client.pushed, "c", ({ resolve }) => resolve(accepted));
  assert.equal(answer.code, 0);
});

test("a client id stands for its latest connection, and goes with it", async () => {
  const broker = await TestBroker.open();
  const { clients } = broker.state;
  const old = await requester(broker, "c");
  const fresh = await requester(broker, "c");
  clients.drop(old.connection);
  assert.equal(clients.producer("c"), fresh.connection);
  await requester(broker, "d", "other");
  await broker.ask(34, {}, '{"clientID":"c","producerDataSet":[{"groupName":"H"}]}', fresh.peer);
  await broker.ask(35, { clientID: "c", producerGroup: "G" }, "", fresh.peer);
  assert.equal(clients.producer("c"), fresh.connection);
  await broker.ask(35, { clientID: "c", producerGroup: "H" }, "", fresh.peer);
  assert.equal(clients.producer("c"), null);
  assert.notEqual(clients.producer("d"), null);
});
