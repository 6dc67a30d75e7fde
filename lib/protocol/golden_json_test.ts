import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOf, goldenExchanges, goldenStore } from "../../tests/golden/golden.ts";
import {
  double,
  integerKeys,
  type Jsonable,
  JsonError,
  type JsonObject,
  objectKeys,
  parseJson,
  pretty,
  toJson,
} from "./mod.ts";

const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Answer bodies of one code, as text. */
function bodies(code: number): string[] {
  return goldenExchanges()
    .filter((exchange) => exchange.code === code && exchange.response?.body_base64 && !exchange.response.body_cut)
    .map((exchange) => decode(bytesOf(exchange.response?.body_base64 as string)))
    .filter((body) => body.startsWith("{"));
}

/** The members of `value` in their order, with the value of each changed. */
function mapOf(value: unknown, change: (member: JsonObject) => Jsonable): Map<string, Jsonable> {
  return new Map(Object.entries(value as JsonObject).map(([name, member]) => [name, change(member as JsonObject)]));
}

const queueTable = (table: unknown, change: (member: JsonObject) => Jsonable = (member) => member) =>
  objectKeys(Object.entries(table as JsonObject).map(([key, value]) => [parseJson(key), change(value as JsonObject)]));

/** How each class is put together again, from plain values to maps with the keys that Java prints. */
const shapes: Record<number, (body: JsonObject) => Jsonable> = {
  106: (body) => ({
    clusterAddrTable: mapOf(body.clusterAddrTable, (names) => names),
    brokerAddrTable: mapOf(body.brokerAddrTable, (data) => ({
      ...data,
      brokerAddrs: integerKeys(data.brokerAddrs as JsonObject),
    })),
  }),
  202: (body) => ({ offsetTable: queueTable(body.offsetTable), topicPutTps: double(body.topicPutTps as number) }),
  208: (body) => ({ consumeTps: double(body.consumeTps as number), offsetTable: queueTable(body.offsetTable) }),
  222: (body) => ({ offsetTable: queueTable(body.offsetTable) }),
  223: (body) => ({ ...body, consumerTable: mapOf(body.consumerTable, (table) => queueTable(table)) }),
  308: (body) => ({ correctionOffsets: integerKeys(body.correctionOffsets as JsonObject) }),
};

for (const [code, shape] of Object.entries(shapes)) {
  test(`bodies of ${code} are printed as 5.5.0 prints them`, () => {
    const texts = bodies(Number(code));
    assert.ok(texts.length > 0);
    for (const text of texts) {
      const body = parseJson(text) as JsonObject;
      assert.equal(toJson(shape(body)), text);
    }
  });
}

test("routes have unquoted broker ids, or quoted ones for clients that read strict JSON", () => {
  let strict = 0;
  let loose = 0;
  for (const text of bodies(105)) {
    const body = parseJson(text) as JsonObject;
    if (body.topicQueueMappingByBroker !== undefined) continue;
    const brokerDatas = (body.brokerDatas as JsonObject[]).map((data) => ({
      ...data,
      brokerAddrs: integerKeys(data.brokerAddrs as JsonObject),
    }));
    const quoted = /"brokerAddrs":\{"/.test(text);
    if (brokerDatas.length > 0) quoted ? strict++ : loose++;
    assert.equal(toJson({ ...body, brokerDatas }, { strict: quoted }), text);
  }
  assert.ok(strict > 0 && loose > 0);
});

test("every JSON body on the wire is read, as JSON.parse reads it where that can", () => {
  let read = 0;
  for (const { request, response, scenario } of goldenExchanges()) {
    for (const frame of [request, response]) {
      if (frame?.body_base64 === undefined || frame.body_cut) continue;
      const bytes = bytesOf(frame.body_base64);
      if (bytes[0] !== 0x7b || scenario.endsWith("json-unquoted")) continue;
      let strict: unknown;
      try {
        strict = JSON.parse(decode(bytes));
      } catch {
        strict = undefined;
      }
      const value = parseJson(bytes);
      if (strict !== undefined) assert.deepEqual(value, strict, scenario);
      read++;
    }
  }
  assert.ok(read > 200, String(read));
});

test("files under config are printed as the broker prints them", () => {
  const files = goldenStore("store-clean");
  const read = (name: string) => {
    const text = decode(files.get(`store/config/${name}`) as Uint8Array);
    return { text, value: parseJson(text) as JsonObject };
  };
  const topics = read("topics.json");
  const topicConfigTable = mapOf(topics.value.topicConfigTable, (topic) => topic);
  assert.equal(pretty({ ...topics.value, topicConfigTable }), topics.text);
  const delays = read("delayOffset.json");
  const levels = integerKeys(delays.value.offsetTable as JsonObject);
  assert.equal(pretty({ ...delays.value, offsetTable: levels }), delays.text);
  const offsets = read("consumerOffset.json");
  const groupTopicMap = new Map(Object.entries(offsets.value.groupTopicMap as JsonObject));
  const offsetTable = mapOf(offsets.value.offsetTable, (queues) => integerKeys(queues));
  const pullOffsetTable = mapOf(offsets.value.pullOffsetTable, (queues) => integerKeys(queues));
  assert.equal(pretty({ ...offsets.value, groupTopicMap, offsetTable, pullOffsetTable }), offsets.text);
});

test("the reader takes what 5.5.0 takes and says where it stops", () => {
  const object = { a: [1, "x"], b: null };
  assert.deepEqual(parseJson(" { 'a' : [ 1 , /* one */ 'x' , ] , // rest\n \"b\":null,} "), object);
  assert.deepEqual(parseJson("{0:\"a\",-1:'b'}"), { 0: "a", "-1": "b" });
  assert.deepEqual(parseJson('{{"queueId":3,"brokerName":"b"}:7}'), { '{"brokerName":"b","queueId":3}': 7 });
  assert.deepEqual(parseJson('{"a":{"$ref":"$.b"}}'), { a: { $ref: "$.b" } });
  assert.deepEqual(Object.keys(parseJson('{"__proto__":1}') as JsonObject), ["__proto__"]);
  assert.equal(parseJson("9223372036854775807", { numbersAsText: true }), "9223372036854775807");
  for (const bad of ["", "{a:1}", "[1 2]", "{} x", '"\\q"', '"\\u12"', "'", "{,}", "nul", "/* x"]) {
    assert.throws(() => parseJson(bad), JsonError, bad);
  }
  assert.throws(() => parseJson("[".repeat(100000)), /nested deeper/);
  assert.throws(() => parseJson('{"a":tru}'), (error: JsonError) => error.position === 5);
});
