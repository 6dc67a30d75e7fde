import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOf, type GoldenExchange, goldenExchanges, type GoldenFrame } from "../../tests/golden/golden.ts";
import { FrameDecoder, FrameError, Header, LanguageCode, Output, writeRequest } from "./mod.ts";

interface HeaderView {
  code: number | string;
  language: string | number;
  version: number | string;
  opaque?: number | string;
  flag?: number | string;
  remark?: string | null;
  extFields?: Record<string, unknown>;
}

/** Apache closed the connection on this one. */
const isRefused = (view: HeaderView) => Number(view.opaque ?? 0) > 0x7fffffff;

function* frames(): Generator<[GoldenExchange, GoldenFrame]> {
  for (const exchange of goldenExchanges()) {
    if (exchange.request !== null) yield [exchange, exchange.request];
    if (exchange.response !== null) yield [exchange, exchange.response];
  }
}

/** The frame as captured, or put together when the capture kept only its parts. */
function wire(frame: GoldenFrame): Uint8Array | null {
  if (frame.frame_base64 !== undefined) return bytesOf(frame.frame_base64);
  if (frame.body_cut) return null;
  const binary = frame.header_type === "ROCKETMQ";
  const header = binary
    ? Uint8Array.from((frame.header_hex as string).match(/../g) ?? [], (pair) => parseInt(pair, 16))
    : new TextEncoder().encode(frame.header_text);
  const body = bytesOf(frame.body_base64 ?? "");
  const out = new Output();
  out.i32(4 + header.length + body.length);
  out.i32((binary ? 1 << 24 : 0) | header.length);
  out.raw(header);
  out.raw(body);
  return out.take();
}

/** Code of a language by name or by number, -1 when unknown. */
function languageOf(language: string | number): number {
  const byNumber = typeof language === "number" ? language : -1;
  return (LanguageCode as Record<string, number>)[language] ?? byNumber;
}

/** What Java reads into a `Map<String, String>`. */
function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function assertSame(header: Header, frame: GoldenFrame, scenario: string) {
  const view: HeaderView = JSON.parse(frame.header_text);
  assert.equal(header.code, Number(view.code), scenario);
  assert.equal(header.language, languageOf(view.language), scenario);
  assert.equal(header.version, Number(view.version ?? 0), scenario);
  assert.equal(header.opaque, Number(view.opaque ?? 0), scenario);
  assert.equal(header.flag, Number(view.flag ?? 0), scenario);
  assert.equal(header.remark(), view.remark ?? null, scenario);
  const fields = Object.entries(view.extFields ?? {}).map(([k, v]) => [k, textOf(v)]);
  assert.deepEqual([...header.extEntries()], fields, scenario);
  if (frame.header_type === "JSON") assert.equal(header.hasFields, "extFields" in view, scenario);
  for (const [name, value] of fields) assert.equal(header.ext(name as string), value, scenario);
  header.lookup?.row.fields.forEach(({ name }, number) => {
    assert.equal(header.text(number), textOf(view.extFields?.[name]), scenario);
  });
  assert.deepEqual(header.bytes.slice(header.bodyStart, header.bodyEnd), bytesOf(frame.body_base64 ?? ""), scenario);
}

/** Sizes of the pieces in which a frame arrives: one byte each, odd pieces, and two frames at once. */
const CHUNKS = [1, 7, 333, 1 << 20];

test("every golden frame decodes, in whatever pieces it arrives", () => {
  const header = new Header();
  let decoded = 0;
  for (const [{ scenario }, frame] of frames()) {
    const bytes = wire(frame);
    if (bytes === null || isRefused(JSON.parse(frame.header_text))) continue;
    const twice = new Uint8Array(bytes.length * 2);
    twice.set(bytes);
    twice.set(bytes, bytes.length);
    for (const size of CHUNKS) {
      if (size === 1 && bytes.length > 500) continue;
      const decoder = new FrameDecoder();
      let taken = 0;
      for (let at = 0; at < twice.length; at += size) {
        // A chunk is a view that is only valid during the call.
        const chunk = twice.slice(at, at + size);
        decoder.push(chunk, (frameBytes, start, end) => {
          header.read(frameBytes, start, end);
          if (taken++ === 0) assertSame(header, frame, scenario);
        });
        chunk.fill(0xee);
      }
      assert.equal(taken, 2, scenario);
      assert.equal(decoder.pendingBytes, 0);
    }
    decoded++;
  }
  assert.ok(decoded > 1900, `${decoded} frames`);
});

test("what Apache closed the connection on is refused", () => {
  const refused = [...frames()].filter(([, frame]) => isRefused(JSON.parse(frame.header_text)));
  assert.equal(refused.length, 1);
  const bytes = wire(refused[0][1]) as Uint8Array;
  assert.throws(() => new Header().read(bytes, 0, bytes.length), FrameError);
});

test("encoding a golden header again gives the same JSON values, the same binary fields, and the same body", () => {
  const header = new Header();
  const again = new Header();
  for (const [{ scenario }, frame] of frames()) {
    const bytes = wire(frame);
    const view: HeaderView = JSON.parse(frame.header_text);
    if (bytes === null || isRefused(view)) continue;
    header.read(bytes, 0, bytes.length);
    const out = new Output();
    const { code, opaque, flag, language, version, serializeType } = header;
    const fields = header.hasFields ? Object.fromEntries(header.extEntries()) : null;
    const body = bytes.slice(header.bodyStart, header.bodyEnd);
    const remark = header.remark();
    writeRequest(out, { code, opaque, flag, language, version, remark, fields, body }, serializeType);
    const written = out.take();
    again.read(written, 0, written.length);
    assert.equal(again.serializeType, serializeType);
    assert.deepEqual(written.slice(again.bodyStart, again.bodyEnd), body, scenario);
    if (serializeType === 1) {
      assert.deepEqual(written, bytes, scenario);
      continue;
    }
    const text = new TextDecoder().decode(written.subarray(8, again.bodyStart));
    assert.deepEqual(normal(JSON.parse(text)), normal(view), scenario);
    assert.equal(new DataView(written.buffer).getUint32(0), written.length - 4);
  }
});

/** Apart from what 5.5.0 reads as the same: numbers as text, absent numbers, nulls; an unknown language is OTHER. */
function normal(view: HeaderView): unknown {
  const fields = view.extFields && Object.fromEntries(
    Object.entries(view.extFields).filter(([, v]) => v !== null).map(([k, v]) => [k, textOf(v)]),
  );
  const { code, version = 0, opaque = 0, flag = 0 } = view;
  const language = languageOf(view.language);
  const numbers = [code, version, opaque, flag, language < 0 ? LanguageCode.OTHER : language].map(Number);
  return { numbers, remark: view.remark ?? null, fields };
}
