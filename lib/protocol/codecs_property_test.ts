import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import { mutated } from "./_mutated.ts";
import {
  Fields,
  FrameDecoder,
  FrameError,
  Header,
  headerRow,
  JsonError,
  type JsonObject,
  type JsonValue,
  MAX_HEADER_LENGTH,
  Output,
  parseJson,
  Properties,
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

test("a header of 1 MiB is read, a longer one is refused in both encodings before it is looked at", () => {
  const header = new Header();
  const remarkOf = (length: number, type: 0 | 1): Uint8Array => {
    const out = new Output();
    writeRequest(out, { code: 34, opaque: 1, remark: "r".repeat(length) }, type);
    return out.take();
  };
  for (const type of [0, 1] as const) {
    const least = remarkOf(1, type).length - 8 - 1;
    const longest = remarkOf(MAX_HEADER_LENGTH - least, type);
    header.read(longest, 0, longest.length);
    assert.equal(header.remark()?.length, MAX_HEADER_LENGTH - least);
    const tooLong = remarkOf(MAX_HEADER_LENGTH - least + 1, type);
    tooLong.fill(0x7b, 8);
    assert.throws(
      () => header.read(tooLong, 0, tooLong.length),
      (error: unknown) =>
        error instanceof FrameError && error.code === "BAD_HEADER" && /MAX_HEADER_LENGTH/.test(error.message),
    );
  }
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
