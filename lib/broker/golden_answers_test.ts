import assert from "node:assert/strict";
import test from "node:test";
import { parseJson } from "@rmq/protocol";
import { bytesOf, type GoldenExchange, goldenExchanges } from "../../tests/golden/golden.ts";
import { Peer, TestBroker } from "./_test_broker.ts";

const CODES = new Set([
  ...[12, 14, 15, 17, 18, 21, 26, 29, 30, 31, 32, 33, 34, 35, 36, 38, 41, 42, 43, 45, 46],
  ...[
    200,
    201,
    202,
    203,
    204,
    207,
    208,
    215,
    222,
    223,
    225,
    300,
    303,
    307,
    308,
    309,
    314,
    324,
    325,
    343,
    345,
    351,
    352,
  ],
]);

/** Scenarios whose broker was another one (a slave, lite topics), or that we answer differently on purpose. */
const LEFT_OUT = /^(slave-|acting-|lite-|lmq-|checkclient-(ok|bad)$|cfg-broker-default)/;

/** Answers 0 in the golden data because of what its broker had stored; ours has an empty log there. */
const BY_CONTENT = /^(topic-get-static|topic-get-delay)$/;

/** A broker with what the probes found: topic AdmT with messages, groups, an offset, a consumer and a producer. */
async function probed(): Promise<TestBroker> {
  const broker = await TestBroker.open();
  const topic = { defaultTopic: "TBW102", readQueueNums: 4, writeQueueNums: 4, perm: 6, topicFilterType: "SINGLE_TAG" };
  await broker.ask(17, { topic: "AdmT", ...topic });
  await broker.ask(200, {}, '{"groupName":"AdmG0","consumeBroadcastEnable":false,"retryMaxTimes":3}');
  for (const queueId of [0, 1, 1, 1, 2, 3]) {
    await broker.send("AdmT", queueId, "m" + queueId, { KEYS: "ADMK" + queueId, UNIQ_KEY: "U" + queueId });
  }
  const subscription = '{"topic":"AdmT","subString":"TagA","tagsSet":["TagA"],"codeSet":[2598919],"subVersion":1}';
  const consumer = '{"groupName":"AdmCG","consumeType":"CONSUME_PASSIVELY","messageModel":"CLUSTERING",' +
    `"consumeFromWhere":"CONSUME_FROM_FIRST_OFFSET","subscriptionDataSet":[${subscription}],"unitMode":false}`;
  const heartbeat = `{"clientID":"127.0.0.1@admc","consumerDataSet":[${consumer}],` +
    '"producerDataSet":[{"groupName":"AdmPG"}]}';
  await broker.ask(34, {}, heartbeat, consumerPeer());
  broker.state.offsets.commit("AdmCG", "AdmT", 0, 1);
  return broker;
}

/** A consumer that answers what the broker asks as a Java consumer did. */
function consumerPeer(): Peer {
  const asked = [...goldenExchanges("admin"), ...goldenExchanges("consume")].filter((exchange) =>
    exchange.direction === "broker->client" && exchange.response?.body_cut !== true
  );
  const peer = new Peer("consumer");
  peer.reply = ({ code }) => {
    const response = asked.find((exchange) => exchange.code === code)?.response;
    if (response === undefined || response === null) return Promise.reject(new Error(`no golden answer to ${code}`));
    const { remark } = JSON.parse(response.header_text);
    const body = bytesOf(response.body_base64 ?? "");
    return Promise.resolve({ code: 0, remark, fields: new Map(), body, version: 513, language: 0 });
  };
  return peer;
}

/** Names of members down to the values; the members of a map are known by their first. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shape(value[0])];
  if (value === null || typeof value !== "object") return typeof value;
  const names = Object.keys(value).sort();
  const inner = value as Record<string, unknown>;
  return Object.fromEntries(names.map((name) => [name, shape(inner[name])]));
}

/** Tables by name differ in their names and sizes; what matters is what one entry looks like. */
const TABLES = [
  "topicConfigTable",
  "subscriptionGroupTable",
  "offsetTable",
  "pullOffsetTable",
  "groupTopicMap",
  "subscriptionTable",
  "topicQueueMappingDetailMap",
  "topicQueueMappingInfoMap",
];

function bodyShape(text: string): unknown {
  const body = parseJson(text) as Record<string, unknown>;
  for (const name of TABLES) if (name in body) body[name] = Object.values(body[name] as object).length > 0;
  return shape(body);
}

/** Remarks that Java makes of an exception are not for clients; ours has words of its own. */
const isException = (remark: string | null) => remark !== null && /Exception|^Cannot invoke/.test(remark);

/** How much lies in a queue is another matter here. */
const withoutRange = (remark: string | null) => remark?.replace(/\[\d+-\d+\]/, "[]");

function compare(exchange: GoldenExchange, answer: Awaited<ReturnType<TestBroker["ask"]>>): void {
  const name = `${exchange.scenario} (${exchange.code})`;
  const golden = JSON.parse(exchange.response?.header_text ?? "{}");
  assert.equal(answer.code, golden.code, `${name}: ${answer.remark}`);
  assert.deepEqual(
    Object.keys(answer.fields ?? {}).sort(),
    Object.keys(golden.extFields ?? {}).sort(),
    `${name}: fields`,
  );
  if (!isException(golden.remark ?? null)) {
    assert.equal(withoutRange(answer.remark), withoutRange(golden.remark ?? null), `${name}: remark`);
  }
  const { body_base64, body_cut } = exchange.response ?? {};
  if (body_base64 === undefined || body_cut === true) return;
  const body = new TextDecoder().decode(bytesOf(body_base64));
  if (!body.startsWith("{")) return;
  assert.deepEqual(bodyShape(answer.body), bodyShape(body), `${name}: body`);
}

test("each probe of a live 5.5.0 gets the same code, fields, remark and shape of body", async () => {
  const broker = await probed();
  let compared = 0;
  for (const exchange of goldenExchanges("probe-broker")) {
    const { code, scenario, request, response } = exchange;
    if (!CODES.has(code) || LEFT_OUT.test(scenario) || BY_CONTENT.test(scenario)) continue;
    if (request === null || response === null) continue;
    const fields = JSON.parse(request.header_text).extFields ?? null;
    const body = request.body_base64 === undefined ? new Uint8Array() : bytesOf(request.body_base64);
    compare(exchange, await broker.ask(code, fields, body, new Peer(scenario)));
    compared++;
  }
  assert.ok(compared > 90, `${compared} exchanges`);
});

test("what clients of all generations sent is answered as they were answered then", async () => {
  const broker = await probed();
  let compared = 0;
  for (const exchange of [...goldenExchanges("consume"), ...goldenExchanges("produce")]) {
    const { code, request, response, scenario } = exchange;
    if (![34, 35, 41, 42].includes(code) || request === null || response === null) continue;
    if (request.header_type !== "JSON" || request.body_cut === true) continue;
    const fields = JSON.parse(request.header_text).extFields ?? null;
    const body = request.body_base64 === undefined ? new Uint8Array() : bytesOf(request.body_base64);
    const answer = await broker.ask(code, fields, body, new Peer(scenario));
    const golden = JSON.parse(response.header_text);
    assert.equal(answer.code, golden.code, `${scenario} (${code}): ${answer.remark}`);
    assert.deepEqual(Object.keys(answer.fields ?? {}).sort(), Object.keys(golden.extFields ?? {}).sort(), scenario);
    compared++;
  }
  assert.ok(compared > 30, `${compared} exchanges`);
});
