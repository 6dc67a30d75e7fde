import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import { mutated } from "./_mutated.ts";
import {
  BAD_MAGIC,
  decodeBatch,
  encodeBatch,
  encodeStored,
  Fields,
  FormatError,
  Header,
  INCOMPLETE,
  MessageDraft,
  Output,
  Properties,
  StoredMessage,
  storedSize,
  writeRequest,
} from "./mod.ts";

const RUNS = { numRuns: 150 };
const int32 = fc.integer({ min: -0x80000000, max: 0x7fffffff });
const bytes = (maxLength: number) => fc.uint8Array({ maxLength });

const utf8 = (value: string) => new TextEncoder().encode(value);

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
