import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32ByTable } from "./crc.ts";
import {
  crc32,
  encodeBatch,
  encodeProperty,
  encodeStored,
  Fields,
  FrameError,
  hashContinue,
  Header,
  HeaderFieldError,
  javaHash,
  javaHashBytes,
  KnownProperty,
  MessageDraft,
  offsetMessageId,
  Output,
  Properties,
  PullAnswer,
  RequestCode,
  requestTable,
  ResponseCode,
  SendAnswer,
  StoredMessage,
  storedSize,
  UniqueId,
  versionName,
  writeAnswer,
  writeRequest,
} from "./mod.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);
const hex = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const LOCALHOST = new Uint8Array([127, 0, 0, 1]);

test("the sheet's request frames come out byte for byte", () => {
  const request = { code: RequestCode.GET_ROUTEINFO_BY_TOPIC, opaque: 1, version: 479, fields: { topic: "T" } };
  const out = new Output();
  writeRequest(out, request);
  const text =
    '{"code":105,"extFields":{"topic":"T"},"flag":0,"language":"JAVA","opaque":1,"serializeTypeCurrentRPC":"JSON","version":479}';
  assert.equal(hex(out.take()), "0000007f0000007b" + hex(utf8(text)));
  writeRequest(out, request, 1);
  const binary = "00000025010000210069" + "0001df0000000100000000000000000000000c0005746f7069630000000154";
  assert.equal(hex(out.take()), binary);
});

test("the sheet's stored message comes out byte for byte", () => {
  const draft = new MessageDraft();
  draft.topic = utf8("T");
  draft.queueId = 3;
  draft.queueOffset = 5;
  draft.physicalOffset = 1000;
  draft.bornTimestamp = 1700000000000;
  draft.bornHost = draft.storeHost = LOCALHOST;
  draft.bornPort = 50000;
  draft.storeTimestamp = 1700000000001;
  draft.storePort = 10911;
  draft.body = utf8("hi");
  draft.bodyEnd = 2;
  draft.properties.set(KnownProperty.TAGS, "TagA");
  const bytes = new Uint8Array(storedSize(draft));
  encodeStored(draft, bytes, 0);
  const expected = "00000068daa320a758932aac0000000300000000000000000000000500000000000003e8000000000000018bcfe56800" +
    "7f0000010000c3500000018bcfe568017f00000100002a9f000000000000000000000000000000026869" +
    "0154000a54414753015461674102";
  assert.equal(hex(bytes), expected);
  assert.equal(offsetMessageId(LOCALHOST, 10911, 1000), "7F00000100002A9F00000000000003E8");
});

test("a blank record tells its size", () => {
  const message = new StoredMessage();
  const bytes = new Uint8Array(64);
  bytes.set([0, 0, 0, 64, 0xcb, 0xd4, 0x31, 0x94]);
  assert.equal(message.parse(bytes, 0, 64, true), 0);
  assert.equal(message.size, 64);
});

test("hashes, checksums, batches and ids are those of the sheet", () => {
  assert.equal(javaHash("TagA"), 2598919);
  assert.equal(javaHash("TopicTest#KEY1"), -1656969516);
  const key = utf8("KEY1");
  assert.equal(hashContinue(javaHash("TopicTest#"), key, 0, key.length), -1656969516);
  const beyond = utf8("é😀x");
  assert.equal(javaHashBytes(beyond, 0, beyond.length), javaHash("é😀x"));
  assert.equal(crc32(utf8("hello")) & 0x7fffffff, 907060870);
  assert.equal(crc32ByTable(utf8("xhello"), 1, 6), crc32(utf8("xhello"), 1, 6));
  const batch = encodeBatch([{ body: utf8("hi"), properties: encodeProperty("TAGS", "A") }]);
  assert.equal(hex(batch), "0000001f0000000000000000000000000000000268690007" + "54414753014102");
  const ids = new UniqueId(LOCALHOST, 0x10887, 0x4e0e2f2a, 0xffff);
  assert.equal(ids.next(0x70077b46), "7F00000108874E0E2F2A70077B46FFFF");
  assert.equal(ids.next(1), "7F00000108874E0E2F2A000000010000");
});

/** A frame around header text, as somebody else may write it. */
function frame(text: string): Uint8Array {
  const out = new Output();
  const bytes = utf8(text);
  out.i32(4 + bytes.length);
  out.i32(bytes.length);
  out.raw(bytes);
  return out.take();
}

function read(text: string): Header {
  const header = new Header();
  const bytes = frame(text);
  header.read(bytes, 0, bytes.length);
  return header;
}

test("headers that 5.5.0 accepts are accepted", () => {
  const { queueId, topic } = Fields.GET_MAX_OFFSET;
  const odd = [
    ' { "code" : 30 ,\n"extFields":{"queueId":"3","topic":"T"}}',
    "{'code':30,'extFields':{'queueId':'3','topic':'T',},}",
    '{/* c */"code":"30","extFields":{"queueId":3,"topic":"T"}}',
    '{"extFields":{"topic":"T","queueId":"3"},"code":30}',
    '{"code":30,"extFields":{"\\u0071ueueId":"\\u0033","topic":"T","x":null,"y":{"z":1}},"unknown":[1]}',
  ];
  for (const text of odd) {
    const header = read(text);
    assert.equal(header.code, 30, text);
    assert.equal(header.int(queueId, -1), 3, text);
    assert.equal(header.text(topic), "T", text);
    assert.equal(header.language, -1);
  }
  assert.equal(read('{"code":1,"language":9}').language, 9);
  assert.equal(read('{"code":1,"language":"go"}').language, -1);
  assert.equal(read('{"code":1,"language":"GO"}').language, 9);
  assert.equal(read('{"code":30,"extFields":{"y":{"z":"1"}}}').ext("y"), '{"z":"1"}');
  assert.equal(read('{"code":30}').hasFields, false);
  assert.equal(read('{"code":30,"extFields":{}}').hasFields, true);
});

test("headers on which 5.5.0 closes the connection are refused", () => {
  const bad = [
    "",
    "[]",
    "{code:1}",
    '{"code":1}x',
    '{"code":1',
    '{"code":1,"opaque":2147483648}',
    '{"code":"x"}',
    "null",
  ];
  for (const text of bad) assert.throws(() => read(text), FrameError, text);
  const longer = frame("{}");
  longer[7] = 200;
  assert.throws(() => new Header().read(longer, 0, longer.length), FrameError);
  const otherType = frame("{}");
  otherType[4] = 2;
  assert.throws(() => new Header().read(otherType, 0, otherType.length), FrameError);
});

test("numbers are read by Java's rules", () => {
  const { queueId, queueOffset, subVersion } = Fields.PULL_MESSAGE;
  const pull = (value: string) => read(`{"code":11,"extFields":{"queueId":"${value}"}}`);
  assert.equal(pull("+7").int(queueId, 0), 7);
  assert.equal(pull("-2147483648").int(queueId, 0), -2147483648);
  for (const bad of ["", "2147483648", "1.0", " 1", "-", "0x1"]) {
    assert.throws(() => pull(bad).int(queueId, 0), HeaderFieldError, bad);
    // Headers that Java reads by reflection leave the field unset.
    assert.equal(read(`{"code":30,"extFields":{"queueId":"${bad}"}}`).int(Fields.GET_MAX_OFFSET.queueId, -9), -9);
  }
  const max = "9223372036854775807";
  const header = read(`{"code":11,"extFields":{"queueOffset":"${max}","subVersion":"${max}"}}`);
  assert.throws(() => header.long(queueOffset, 0), HeaderFieldError);
  assert.equal(header.long(subVersion, 0), Number.MAX_SAFE_INTEGER);
  assert.equal(read(`{"code":11,"extFields":{"queueOffset":"-1"}}`).long(queueOffset, 0), -1);
  assert.throws(() => read(`{"code":11,"extFields":{"subVersion":"9223372036854775808"}}`).long(subVersion, 0));
  const { unitMode } = Fields.SEND_MESSAGE;
  const send = (value: string) => read(`{"code":10,"extFields":{"unitMode":"${value}"}}`).bool(unitMode, true);
  assert.deepEqual([send("TRUE"), send("tRue"), send("1"), send("")], [true, true, false, false]);
});

test("the templates of send and pull answers say the same as the general writer", () => {
  const out = new Output();
  const header = new Header();
  const options = { regionId: 'R"1', traceOn: true, storeHost: LOCALHOST, storePort: 10911 };
  const uniq = utf8('7F"\n\u00e9');
  for (const serializeType of [0, 1] as const) {
    const answer = new SendAnswer({ ...options, serializeType });
    for (const [start, offset, opaque] of [[0, 0, -1], [-1, 2 ** 53 - 1, 0x7fffffff], [0, 1e9, -0x80000000]]) {
      answer.write(out, opaque, ResponseCode.FLUSH_DISK_TIMEOUT, 3, offset, 1000, uniq, start, uniq.length);
      const frame = out.take();
      header.read(frame, 0, frame.length);
      header.bind("SendMessageResponseHeader");
      const { msgId, queueId, queueOffset, transactionId } = Fields.SendMessageResponseHeader;
      assert.deepEqual([header.code, header.opaque, header.flag, header.version], [10, opaque, 1, 513]);
      assert.equal(header.text(msgId), "7F00000100002A9F00000000000003E8");
      assert.deepEqual([header.int(queueId, 0), header.long(queueOffset, -1)], [3, offset]);
      assert.equal(header.text(transactionId), start < 0 ? null : '7F"\n\u00e9');
      assert.deepEqual([header.ext("MSG_REGION"), header.ext("TRACE_ON")], ['R"1', "true"]);
    }
    new PullAnswer({ serializeType }).write(out, 5, 0, "FOUND", 0, 2, 1, 1e12, 0, 1, 3);
    out.raw(utf8("xyz"));
    const pull = out.take();
    writeAnswer(out, 5, {
      code: 0,
      remark: "FOUND",
      fields: {
        suggestWhichBrokerId: 0,
        groupSysFlag: 1,
        nextBeginOffset: 2,
        maxOffset: 1e12,
        minOffset: 1,
        topicSysFlag: 0,
      },
      body: utf8("xyz"),
    }, serializeType);
    assert.deepEqual(pull, out.take());
  }
});

test("constant pairs replace their namesakes, and verbatim text stays as it is until it is changed", () => {
  const properties = new Properties();
  const source = utf8("TRACE_ON\x01false\x02a\x01b");
  properties.readVerbatim(source, 0, source.length);
  assert.deepEqual(properties.bytes.slice(0, properties.length), source);
  assert.equal(properties.get("a"), "b");
  const pairs = utf8("CLUSTER\x01c\x02TRACE_ON\x01true\x02");
  properties.appendEncoded(pairs);
  const text = new TextDecoder().decode(properties.bytes.subarray(0, properties.length));
  assert.equal(text, "a\x01b\x02CLUSTER\x01c\x02TRACE_ON\x01true\x02");
  assert.equal(properties.text(KnownProperty.TRACE_ON), "true");
  properties.readText(utf8("x\x01\0\x02"), 0, 4);
  assert.equal(properties.hasNul, true);
});

test("the request table knows what is served where", () => {
  assert.equal(requestTable.get(310)?.name, "SEND_MESSAGE_V2");
  assert.equal(requestTable.get(310)?.fields[Fields.SEND_MESSAGE_V2.i].name, "i");
  const away = [...requestTable.values()].filter((row) => !row.fastPort).map((row) => row.code);
  assert.deepEqual(away.sort((a, b) => a - b), [11, 361, 200050, 200052, 200054, 200055]);
  assert.deepEqual(requestTable.get(13)?.servedBy, []);
  for (const row of requestTable.values()) assert.ok(new Set(row.fields.map((f) => f.name)).size === row.fields.length);
  assert.deepEqual([versionName(513), versionName(401), versionName(9999)], ["V5_5_0", "V4_9_4", "HIGHER_VERSION"]);
});
