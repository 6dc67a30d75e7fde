import assert from "node:assert/strict";
import { test } from "node:test";
import { simulation } from "@rmq/platform/simulated";
import { Header, Output, RequestCode } from "@rmq/protocol";
import { ClientError } from "./client_error.ts";
import { encodeBody, jsonCodec, textCodec } from "./codecs.ts";
import { compressNow, decompress } from "./compression.ts";
import { parseNameServers } from "./connect.ts";
import { milliseconds } from "./duration.ts";
import { sql, subscriptionData, tag } from "./filter.ts";
import { Message, type MessageSource, readProperties } from "./message.ts";
import { withNamespace, withoutNamespace } from "./namespace.ts";
import { resolveOptions } from "./options.ts";
import { ownProperties } from "./producer/outgoing.ts";
import { SendRequests } from "./producer/send_request.ts";
import { signed } from "./signature.ts";
import { UniqueIds } from "./unique_id.ts";

const code = (wanted: string) => (error: unknown) => error instanceof ClientError && error.code === wanted;
const bytes = (text: string) => new TextEncoder().encode(text);

test("durations are milliseconds or a number with its unit", () => {
  assert.deepEqual(["500ms", "10s", "1.5m", "2h", "1d"].map((each) => milliseconds(each as "1s")), [
    500,
    10_000,
    90_000,
    7_200_000,
    86_400_000,
  ]);
  assert.equal(milliseconds(7), 7);
  for (const bad of [-1, NaN, "10", "s", "-1s", ""]) {
    assert.throws(() => milliseconds(bad as number), code("BAD_ARGUMENT"));
  }
});

test("addresses of name servers come in several forms", () => {
  assert.deepEqual(parseNameServers("a:1;b:2"), ["a:1", "b:2"]);
  assert.deepEqual(parseNameServers("rmq://a:1,b:2/"), ["a:1", "b:2"]);
  assert.deepEqual(parseNameServers(["a", "a:9876", "[::1]:5"]), ["a:9876", "[::1]:5"]);
  for (const bad of ["", " ; ", "a:99999", "a b:1"]) assert.throws(() => parseNameServers(bad), code("BAD_ARGUMENT"));
});

test("options without sense are refused", () => {
  assert.throws(() => resolveOptions(["a:1"], { accessKey: "only" }), code("BAD_ARGUMENT"));
  assert.throws(() => resolveOptions(["a:1"], { sendRetries: -1 }), code("BAD_ARGUMENT"));
  assert.equal(resolveOptions(["a:1"], { trace: true }).traceTopic, "RMQ_SYS_TRACE_TOPIC");
});

test("sql escapes its values", () => {
  assert.equal(sql`a = ${"O'Hara"} AND b IN ${["x", 1]}`.expression, "a = 'O''Hara' AND b IN ('x', 1)");
  assert.equal(sql`a > ${-1.5} AND b IS ${null} AND c = ${true}`.expression, "a > -1.5 AND b IS NULL AND c = TRUE");
  for (const bad of [NaN, Infinity, 1e30, []]) assert.throws(() => sql`a = ${bad}`, code("BAD_ARGUMENT"));
});

test("a tag expression becomes tags and their hash codes", () => {
  const data = subscriptionData("T", tag("TagA", "TagB"), 5);
  assert.deepEqual([data.subString, data.tagsSet], ["TagA || TagB", ["TagA", "TagB"]]);
  assert.equal(data.codeSet[0], 2598919);
  assert.deepEqual(subscriptionData("T", undefined, 5).tagsSet, []);
  assert.equal(subscriptionData("T", sql`a > 1`, 5).expressionType, "SQL92");
  assert.throws(() => tag("a||b"), code("BAD_ARGUMENT"));
  assert.throws(() => subscriptionData("T", "||", 5), code("BAD_ARGUMENT"));
});

test("a namespace stands behind the prefix of retries and is not given to the system's own names", () => {
  assert.equal(withNamespace("ns", "T"), "ns%T");
  assert.equal(withNamespace("ns", "ns%T"), "ns%T");
  assert.equal(withNamespace("ns", "%RETRY%G"), "%RETRY%ns%G");
  assert.equal(withNamespace("ns", "RMQ_SYS_TRACE_TOPIC"), "RMQ_SYS_TRACE_TOPIC");
  assert.equal(withoutNamespace("ns", "%RETRY%ns%G"), "%RETRY%G");
  assert.equal(withoutNamespace("ns", "other%T"), "other%T");
});

test("a signature is what Apache's signer makes", () => {
  const { hashing } = simulation({ seed: 1 }).platform;
  const credentials = { accessKey: "ak", secretKey: "sk", securityToken: null };
  const { fields } = signed({ code: 105, fields: { topic: "T" } }, credentials, hashing);
  assert.equal(fields?.Signature, "vX6jW2Q9g11lvMjNC+gReuZ8fTQ=");
  assert.equal(fields?.AccessKey, "ak");
});

test("bodies are bytes, text or objects", () => {
  assert.deepEqual(encodeBody("ü"), bytes("ü"));
  assert.deepEqual(encodeBody({ a: 1 }), bytes('{"a":1}'));
  assert.throws(() => encodeBody(7 as unknown as string), code("BAD_ARGUMENT"));
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  assert.throws(() => encodeBody(circle), code("BAD_ARGUMENT"));
});

test("compressed bodies are read, and what cannot be read is a typed error", () => {
  const body = bytes("x".repeat(5000));
  const small = compressNow(body);
  assert.ok(small !== null && small.length < 100);
  for (const sysFlag of [0x1, 0x301]) assert.deepEqual(decompress(small, sysFlag), body);
  assert.equal(decompress(body, 0), body);
  assert.throws(() => decompress(body, 0x301), code("BAD_BODY"));
  assert.throws(() => decompress(body, 0x101), code("NOT_SUPPORTED"));
  assert.throws(() => decompress(body, 0x701), code("NOT_SUPPORTED"));
});

test("a message gives its body as text, JSON or by a codec", () => {
  const properties = readProperties("UNIQ_KEY\x01id\x02TAGS\x01t\x02KEYS\x01a b\x02empty\x01\x02last\x01no end");
  const message = new Message("T", bytes('{"a":1}'), properties, { sysFlag: 0 } as MessageSource);
  assert.deepEqual([message.messageId, message.tag, message.keys], ["id", "t", ["a", "b"]]);
  assert.equal(properties.has("empty"), false);
  assert.equal(properties.get("last"), "no end");
  assert.deepEqual(message.json(), { a: 1 });
  assert.equal(message.decode(textCodec), '{"a":1}');
  assert.equal(message.decode(jsonCodec<{ a: number }>()).a, 1);
  const broken = new Message("T", bytes("{"), properties, { sysFlag: 0 } as MessageSource);
  assert.throws(() => broken.json(), code("BAD_BODY"));
});

test("properties that would break the text, or are RocketMQ's own, are refused", () => {
  assert.equal(
    ownProperties({ tag: "t", keys: ["a", "b"], properties: { x: "1" } }),
    "TAGS\x01t\x02KEYS\x01a b\x02x\x011\x02",
  );
  const broken: Record<string, string>[] = [{ "a\x01": "1" }, { a: "1\x02" }, { "": "1" }, { a: "" }, { TAGS: "1" }];
  for (const properties of broken) {
    assert.throws(() => ownProperties({ properties }), code("BAD_ARGUMENT"));
  }
});

test("unique ids differ and begin with the machine and the process", () => {
  const world = simulation({ seed: 3 });
  const ids = new UniqueIds(world.platform);
  const nowMs = world.platform.clock.nowMs();
  const made = new Set(Array.from({ length: 1000 }, () => ids.next(nowMs)));
  assert.equal(made.size, 1000);
  for (const id of made) assert.match(id, /^[0-9A-F]{32}$/);
  // The first of the month at 00:00: no time has passed in it.
  assert.equal([...made][0].slice(20, 28), "00000000");
  assert.equal(
    ids.next(nowMs + 40 * 86_400_000).slice(20, 28),
    (9 * 86_400_000).toString(16).toUpperCase().padStart(8, "0"),
  );
});

test("the frame of a send says what its fields say", () => {
  const requests = new SendRequests("G");
  const message = {
    code: RequestCode.SEND_MESSAGE_V2,
    queue: { topic: "T", brokerName: "b", queueId: 3 },
    queueId: 3,
    body: bytes("body"),
    properties: 'TAGS\x01ü"\x02',
    sysFlag: 0x301,
    flag: -5,
    bornAt: 1_767_225_600_000,
  };
  const out = new Output();
  requests.write(out, 7, true, message);
  requests.write(out, 8, false, { ...message, code: RequestCode.SEND_BATCH_MESSAGE });
  const frames = out.take();
  const header = new Header();
  const length = 4 + new DataView(frames.buffer, frames.byteOffset).getInt32(0);
  header.read(frames, 0, length);
  assert.deepEqual([header.code, header.opaque, header.isOneway, header.serializeType], [310, 7, true, 1]);
  const expected = requests.request(message).fields ?? {};
  assert.deepEqual(
    Object.fromEntries(header.extEntries()),
    Object.fromEntries(Object.entries(expected).map(([name, value]) => [name, String(value)])),
  );
  assert.equal(new TextDecoder().decode(frames.subarray(header.bodyStart, header.bodyEnd)), "body");
  header.read(frames, length, frames.length);
  assert.deepEqual([header.code, header.opaque, header.isOneway, header.ext("m")], [320, 8, false, "true"]);
});
