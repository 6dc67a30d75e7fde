import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  BAD_MAGIC,
  decodeBatch,
  encodeBatch,
  encodeStored,
  Fields,
  FormatError,
  FrameDecoder,
  FrameError,
  Header,
  headerRow,
  INCOMPLETE,
  JsonError,
  type JsonObject,
  type JsonValue,
  MessageDraft,
  Output,
  parseJson,
  Properties,
  StoredMessage,
  storedSize,
  toJson,
  writeRequest,
} from "./mod.ts";

const RUNS = { numRuns: 150 };
const ids = ["a", "b", "e", "g", "i", "topic", "queueId", "queueOffset", "x", "é", 'q"\\'];
const int32 = fc.integer({ min: -0x80000000, max: 0x7fffffff });
const text = fc.string({ unit: "grapheme", maxLength: 40 });
const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
const fieldMap = fc.dictionary(fc.constantFrom(...ids), text, { maxKeys: 8 });
const code = fc.constantFrom(0, 10, 11, 34, 310, 9999, -1);

const utf8 = (value: string) => new TextEncoder().encode(value);

test("any request decodes to what was encoded, in both encodings and any pieces", () => {
  const header = new Header();
  fc.assert(
    fc.property(
      code,
      int32,
      fieldMap,
      fc.option(text),
      bytes(200),
      fc.constantFrom<0 | 1>(0, 1),
      fc.integer({ min: 1, max: 50 }),
      (code, opaque, fields, remark, body, type, piece) => {
        const out = new Output();
        writeRequest(out, { code, opaque, fields, remark, body }, type);
        const frame = out.take();
        const decoder = new FrameDecoder();
        let taken = 0;
        for (let at = 0; at < frame.length; at += piece) {
          decoder.push(frame.slice(at, at + piece), (view, start, end) => {
            taken++;
            header.read(view, start, end);
            assert.equal(header.code, code);
            assert.equal(header.opaque, opaque);
            // The binary form has no empty strings.
            const empty = type === 1 ? null : "";
            assert.equal(header.remark(), remark === "" ? empty : remark);
            const expected = new Map(Object.entries(fields).map(([k, v]) => [k, v === "" ? empty : v]));
            assert.deepEqual(header.extEntries(), expected);
            assert.deepEqual(view.slice(header.bodyStart, header.bodyEnd), body);
            header.lookup?.row.fields.forEach((row, number) => {
              assert.equal(header.text(number), expected.get(row.name) ?? null);
              if (header.has(number)) assertCopies(header, number);
            });
          });
        }
        assert.equal(taken, 1);
      },
    ),
    RUNS,
  );
});

function assertCopies(header: Header, field: number) {
  const into = new Uint8Array(header.end(field) - header.start(field) + 1);
  const end = header.copyValue(field, into, 1);
  assert.equal(new TextDecoder().decode(into.subarray(1, end)), header.text(field));
}

const jsonValue: fc.Arbitrary<JsonValue> = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.string({ unit: "grapheme" }),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.string(), tie("value"), { maxKeys: 4 }),
  ),
})).value as fc.Arbitrary<JsonValue>;

/** Without what the writer leaves out. */
function withoutNulls(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (value === null || typeof value !== "object") return Object.is(value, -0) ? 0 : value;
  const kept: JsonObject = {};
  for (const [name, member] of Object.entries(value)) {
    if (member === null) continue;
    Object.defineProperty(kept, name, {
      value: withoutNulls(member),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return kept;
}

test("any JSON value reads as what was written, and as JSON.parse reads it", () => {
  fc.assert(
    fc.property(jsonValue, (value) => {
      const expected = withoutNulls(value);
      for (const options of [{}, { strict: true }, { pretty: true }]) {
        const written = toJson(value, options);
        assert.deepEqual(parseJson(written), expected);
        assert.deepEqual(JSON.parse(written), expected);
      }
      assert.deepEqual(parseJson(JSON.stringify(expected)), expected);
    }),
    RUNS,
  );
});

test("any text is a JSON value or a JsonError, as JSON.parse says when it accepts", () => {
  const alphabet = fc.constantFrom(..."{}[]:,\"'\\u0012 /*-e.tfn\n", "true", "null", '"a":', "\\u00e9");
  fc.assert(
    fc.property(fc.array(alphabet, { maxLength: 30 }).map((parts) => parts.join("")), (source) => {
      let strict: JsonValue | undefined;
      try {
        strict = JSON.parse(source);
      } catch {
        strict = undefined;
      }
      try {
        const value = parseJson(source);
        if (strict !== undefined) assert.deepEqual(value, strict);
      } catch (error) {
        assert.ok(error instanceof JsonError, String(error));
        assert.equal(strict, undefined, `refused ${source}`);
      }
    }),
    { numRuns: 500 },
  );
});

const word = fc.string({ unit: fc.constantFrom("a", "Z", "_", "é", "😀", " "), minLength: 1, maxLength: 6 });
const names = fc.oneof(word, fc.constantFrom("TAGS", "KEYS", "UNIQ_KEY", "WAIT", "DELAY", "__CRC32#"));

/** A message with properties, as values. */
const draftArbitrary = fc.record({
  topic: fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 200 }),
  host: fc.constantFrom(4, 16),
  storeHost: fc.constantFrom(4, 16),
  numbers: fc.array(int32, { minLength: 6, maxLength: 6 }),
  longs: fc.array(fc.maxSafeInteger(), { minLength: 5, maxLength: 5 }),
  body: bytes(300),
  properties: fc.dictionary(names, word, { maxKeys: 6 }),
});

test("any message reads as what was stored", () => {
  const message = new StoredMessage();
  fc.assert(
    fc.property(draftArbitrary, ({ topic, host, storeHost, numbers, longs, body, properties }) => {
      const draft = new MessageDraft();
      draft.topic = utf8(topic);
      draft.bornHost = new Uint8Array(host).fill(1);
      draft.storeHost = new Uint8Array(storeHost).fill(2);
      [draft.queueId, draft.flag, draft.bornPort, draft.storePort, draft.reconsumeTimes] = numbers;
      draft.sysFlag = numbers[5] & ~0x30;
      [draft.queueOffset, draft.physicalOffset, draft.bornTimestamp, draft.storeTimestamp] = longs;
      draft.preparedTransactionOffset = longs[4];
      draft.body = body;
      draft.bodyEnd = body.length;
      for (const [name, value] of Object.entries(properties)) draft.properties.setNamed(name, value);
      const size = storedSize(draft);
      const stored = new Uint8Array(size + 2);
      assert.equal(encodeStored(draft, stored, 1), size + 1);
      assert.equal(message.parse(stored, 1, size + 1, true), size);
      assert.equal(message.topicText(), topic);
      const { queueId, flag, bornPort, storePort, reconsumeTimes, sysFlag } = message;
      const ipv6 = (host === 16 ? 0x10 : 0) | (storeHost === 16 ? 0x20 : 0);
      const read = [queueId, flag, bornPort, storePort, reconsumeTimes, sysFlag & ~ipv6];
      assert.deepEqual(read, [...numbers.slice(0, 5), draft.sysFlag]);
      const { queueOffset, physicalOffset, bornTimestamp, storeTimestamp, preparedTransactionOffset } = message;
      assert.deepEqual([queueOffset, physicalOffset, bornTimestamp, storeTimestamp, preparedTransactionOffset], longs);
      assert.deepEqual(stored.slice(message.bodyStart, message.bodyEnd), body);
      const again = new Properties();
      again.readText(stored, message.propertiesStart, message.propertiesEnd);
      assert.deepEqual(again.entries(), new Map(Object.entries(properties)));
      assert.equal(message.parse(stored, 1, size, true), INCOMPLETE);
    }),
    RUNS,
  );
});

/** `string2messageProperties`, written down as the sheet tells it. */
function apacheProperties(source: string): Map<string, string> {
  const map = new Map<string, string>();
  for (const pair of source.split("\x02")) {
    const at = pair.indexOf("\x01");
    if (at > 0 && at < pair.length - 1) map.set(pair.slice(0, at), pair.slice(at + 1));
  }
  return map;
}

test("property text means what Apache makes of it, from a header or raw, and after changes", () => {
  const piece = fc.constantFrom(
    "\x01",
    "\x02",
    "\x01",
    "\x02",
    "a",
    "b",
    "TAGS",
    "KEYS",
    "é",
    '"',
    "\\",
    "😀",
    "\n",
    "WAIT",
  );
  const properties = new Properties();
  const header = new Header();
  const { i } = Fields.SEND_MESSAGE_V2;
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 30 }).map((parts) => parts.join("")),
      names,
      word,
      (source, name, value) => {
        const expected = apacheProperties(source);
        const out = new Output();
        writeRequest(out, { code: 310, opaque: 1, fields: { i: source } });
        const frame = out.take();
        header.read(frame, 0, frame.length);
        properties.readHeader(header, i);
        assert.deepEqual(sorted(properties.entries()), sorted(expected));
        const raw = utf8(source);
        properties.readText(raw, 0, raw.length);
        assert.deepEqual(sorted(properties.entries()), sorted(expected));
        for (const key of expected.keys()) assert.equal(properties.get(key), expected.get(key));
        properties.setNamed(name, value);
        expected.set(name, value);
        assert.deepEqual(sorted(properties.entries()), sorted(expected));
        const first = [...expected.keys()][0];
        properties.deleteNamed(first);
        expected.delete(first);
        const stored = new TextDecoder().decode(properties.bytes.subarray(0, properties.length));
        assert.deepEqual(sorted(apacheProperties(stored)), sorted(expected));
        assert.equal(stored, [...properties.entries()].map(([k, v]) => `${k}\x01${v}\x02`).join(""));
      },
    ),
    { numRuns: 500 },
  );
});

const sorted = (map: Map<string, string>) => [...map].sort(([a], [b]) => a < b ? -1 : 1);

test("any batch decodes to what was encoded", () => {
  const inner = fc.record({ flag: int32, body: bytes(50), properties: bytes(50) });
  fc.assert(
    fc.property(fc.array(inner, { maxLength: 6 }), (messages) => {
      const batch = encodeBatch(messages);
      const decoded: unknown[] = [];
      const count = decodeBatch(batch, 0, batch.length, (flag, bodyStart, bodyEnd, propsStart, propsEnd) => {
        const body = batch.slice(bodyStart, bodyEnd);
        decoded.push({ flag, body, properties: batch.slice(propsStart, propsEnd) });
      });
      assert.equal(count, messages.length);
      assert.deepEqual(decoded, messages.map(({ flag, body, properties }) => ({ flag, body, properties })));
    }),
    RUNS,
  );
});

/** Bytes that are often nearly right: a valid encoding with some bytes changed, cut or repeated. */
function mutated(valid: Uint8Array): fc.Arbitrary<Uint8Array> {
  const change = fc.tuple(fc.nat(valid.length - 1), fc.integer({ min: 0, max: 255 }));
  return fc.tuple(fc.array(change, { maxLength: 6 }), fc.nat(valid.length)).map(([changes, length]) => {
    const copy = valid.slice();
    for (const [at, byte] of changes) copy[at] = byte;
    return length % 5 === 0 ? copy.slice(0, length) : copy;
  });
}

function sampleFrame(type: 0 | 1): Uint8Array {
  const out = new Output();
  const fields = { a: "PG", b: "T", e: "1", g: "1700000000000", i: "TAGS\x01A\x02", zz: "loose" };
  writeRequest(out, { code: 310, opaque: 7, remark: "r", fields, body: utf8("hello") }, type);
  return out.take();
}

test("any bytes are frames with readable headers or a FrameError", () => {
  const header = new Header();
  const properties = new Properties();
  const source = fc.oneof(bytes(64), mutated(sampleFrame(0)), mutated(sampleFrame(1)));
  fc.assert(
    fc.property(source, (frame) => {
      try {
        new FrameDecoder().push(frame, (view, start, end) => {
          header.read(view, start, end);
          assert.ok(header.bodyStart >= start + 8 && header.bodyStart <= header.bodyEnd && header.bodyEnd === end);
          assert.ok(header.extEntries() instanceof Map);
          header.remark();
          header.ext("zz");
          header.bind("SendMessageRequestHeaderV2");
          properties.readHeader(header, Fields.SEND_MESSAGE_V2.i);
        });
      } catch (error) {
        assert.ok(error instanceof FrameError, String(error));
      }
    }),
    { numRuns: 800 },
  );
});

test("the scanner and the tolerant reader agree on every header", () => {
  const scanned = new Header();
  const tolerant = new Header();
  const sample = sampleFrame(0);
  const json = sample.subarray(8, 8 + (((sample[5] << 16) | (sample[6] << 8)) | sample[7]));
  fc.assert(
    fc.property(mutated(json), (text) => {
      // A blank in front is all that it takes to leave the scanner.
      const first = readHeader(scanned, text);
      const second = readHeader(tolerant, new Uint8Array([0x20, ...text]));
      assert.equal(first, second);
      if (!first) return;
      assert.deepEqual(view(scanned), view(tolerant));
      for (const name of ["SendMessageRequestHeaderV2", "PullMessageRequestHeader"] as const) {
        scanned.bind(name);
        tolerant.bind(name);
        assert.deepEqual(texts(scanned, name), texts(tolerant, name));
      }
    }),
    { numRuns: 800 },
  );
});

function readHeader(header: Header, text: Uint8Array): boolean {
  const frame = new Output();
  frame.i32(4 + text.length);
  frame.i32(text.length);
  frame.raw(text);
  const view = frame.take();
  try {
    header.read(view, 0, view.length);
    return true;
  } catch (error) {
    assert.ok(error instanceof FrameError, String(error));
    return false;
  }
}

function view(header: Header) {
  const { code, language, version, opaque, flag, hasFields } = header;
  return { code, language, version, opaque, flag, hasFields, remark: header.remark(), ext: header.extEntries() };
}

function texts(header: Header, name: "SendMessageRequestHeaderV2" | "PullMessageRequestHeader") {
  return headerRow(name).fields.map((_, number) => [header.text(number), header.bool(number, true)]);
}

test("any bytes are a stored message or a reason, and a batch or a FormatError", () => {
  const draft = new MessageDraft();
  draft.topic = utf8("Topic");
  draft.body = utf8("body");
  draft.bodyEnd = 4;
  draft.properties.setNamed("TAGS", "A");
  const stored = new Uint8Array(storedSize(draft));
  encodeStored(draft, stored, 0);
  const batch = encodeBatch([{ body: utf8("one"), properties: utf8("a\x01b") }, { body: utf8("two") }]);
  const message = new StoredMessage();
  fc.assert(
    fc.property(fc.oneof(bytes(120), mutated(stored)), (entry) => {
      const size = message.parse(entry, 0, entry.length, true);
      assert.ok(size <= entry.length && (size >= 91 || size <= 0));
      if (size <= 0) return;
      message.scanProperties();
      message.topicText();
      message.property("TAGS");
      assert.equal(message.propertiesEnd, size);
    }),
    { numRuns: 500 },
  );
  assert.equal(message.parse(new Uint8Array(200), 0, 200, true), BAD_MAGIC);
  fc.assert(
    fc.property(fc.oneof(bytes(60), mutated(batch)), (body) => {
      let seen = 0;
      try {
        const count = decodeBatch(body, 0, body.length, (_flag, bodyStart, bodyEnd, propsStart, propsEnd) => {
          seen++;
          assert.ok(bodyStart <= bodyEnd && bodyEnd + 2 === propsStart && propsStart <= propsEnd);
          assert.ok(propsEnd <= body.length);
        });
        assert.equal(seen, count);
      } catch (error) {
        assert.ok(error instanceof FormatError, String(error));
        assert.equal(seen, 0);
      }
    }),
    { numRuns: 500 },
  );
});

test("a frame that announces megabytes and sends a few bytes holds a few bytes", () => {
  const decoder = new FrameDecoder();
  decoder.push(new Uint8Array([0, 255, 0, 0, 0, 0, 0, 10, 1, 2, 3]), () => assert.fail("not whole"));
  assert.equal(decoder.pendingBytes, 11);
  for (const length of [0, 3, -1, 0x7fffffff, 16 * 1024 * 1024 - 3]) {
    const out = new Output();
    out.i32(length);
    assert.throws(() => new FrameDecoder().push(out.take(), () => {}), FrameError);
  }
});

test("a stop in the middle of a chunk keeps the rest for the next push", () => {
  const frame = sampleFrame(0);
  const chunk = new Uint8Array(frame.length * 5 + 3);
  for (let n = 0; n < 5; n++) chunk.set(frame, n * frame.length);
  chunk.set(frame.subarray(0, 3), frame.length * 5);
  const decoder = new FrameDecoder();
  let taken = 0;
  decoder.push(chunk, () => ++taken !== 2);
  assert.equal(taken, 2);
  chunk.fill(0);
  decoder.push(new Uint8Array(0), () => ++taken !== 3);
  assert.equal(taken, 3);
  const whole = (bytes: Uint8Array, start: number, end: number) => {
    taken++;
    assert.deepEqual(bytes.slice(start, end), frame);
  };
  decoder.push(frame.subarray(3, 10), whole);
  assert.equal(taken, 5);
  decoder.push(frame.subarray(10), whole);
  assert.equal(taken, 6);
  assert.equal(decoder.pendingBytes, 0);
});
