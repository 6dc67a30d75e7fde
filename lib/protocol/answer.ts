import { encodeUtf8, writeI16, writeI32 } from "./_bytes.ts";
import type { Output } from "./output.ts";
import { FrameFlag, languageNames, VERSION } from "./system.ts";

/** Values of a header's fields; null and undefined ones are left out. */
export type HeaderFields = Record<string, string | number | boolean | null | undefined>;

/** What an answer says. */
export interface Answer {
  /** Response code. */
  code: number;
  /** Human text. */
  remark?: string | null;
  /** Absent: no `extFields`; `{}`: an empty one. */
  fields?: HeaderFields | null;
  /** Body; empty is the same as none. */
  body?: Uint8Array | null;
}

/** A request to another process. */
export interface OutgoingRequest {
  /** Request code. */
  code: number;
  /** Id that the answer will carry. */
  opaque: number;
  /** No answer is wanted. */
  oneway?: boolean;
  /** Absent: no `extFields`. */
  fields?: HeaderFields | null;
  /** Human text. */
  remark?: string | null;
  /** Body; empty is the same as none. */
  body?: Uint8Array | null;
  /** Language code, default JAVA. */
  language?: number;
  /** Default 513. */
  version?: number;
  /** Whole flag, when it is not just one-way or nothing. */
  flag?: number;
}

const CODE = encodeUtf8('{"code":');
const FIELDS = encodeUtf8(',"extFields":{');
const FLAG = encodeUtf8(',"flag":');
const LANGUAGE = encodeUtf8(',"language":"');
const OPAQUE = encodeUtf8('","opaque":');
const REMARK = encodeUtf8(',"remark":');
const TYPE_AND_VERSION = encodeUtf8(',"serializeTypeCurrentRPC":"JSON","version":');

/** Writes an answer frame: flag 1, language JAVA, version 513. */
export function writeAnswer(out: Output, opaque: number, answer: Answer, serializeType: 0 | 1 = 0): void {
  const { code, remark, fields, body } = answer;
  writeFrame(out, code, opaque, FrameFlag.RESPONSE, 0, VERSION, remark, fields, body, serializeType);
}

/** Writes a request frame. */
export function writeRequest(out: Output, request: OutgoingRequest, serializeType: 0 | 1 = 0): void {
  const { code, opaque, remark, fields, body, language = 0, version = VERSION } = request;
  const flag = request.flag ?? (request.oneway === true ? FrameFlag.ONEWAY : 0);
  writeFrame(out, code, opaque, flag, language, version, remark, fields, body, serializeType);
}

function writeFrame(
  out: Output,
  code: number,
  opaque: number,
  flag: number,
  language: number,
  version: number,
  remark: string | null | undefined,
  fields: HeaderFields | null | undefined,
  body: Uint8Array | null | undefined,
  serializeType: 0 | 1,
): void {
  const start = out.length;
  out.ensure(256);
  out.length += 8;
  if (serializeType === 0) writeJsonHeader(out, code, opaque, flag, language, version, remark, fields);
  else writeBinaryHeader(out, code, opaque, flag, language, version, remark, fields);
  const headerLength = out.length - start - 8;
  if (body !== null && body !== undefined) out.raw(body);
  writeI32(out.bytes, start, out.length - start - 4);
  writeI32(out.bytes, start + 4, (serializeType << 24) | headerLength);
}

/** Keys alphabetically, as fastjson writes them (remoting sheet §2). */
function writeJsonHeader(
  out: Output,
  code: number,
  opaque: number,
  flag: number,
  language: number,
  version: number,
  remark: string | null | undefined,
  fields: HeaderFields | null | undefined,
): void {
  out.raw(CODE);
  out.decimal(code);
  if (fields !== null && fields !== undefined) {
    out.raw(FIELDS);
    writeJsonFields(out, fields);
  }
  out.raw(FLAG);
  out.decimal(flag);
  out.raw(LANGUAGE);
  out.text(languageNames[language] ?? "OTHER");
  out.raw(OPAQUE);
  out.decimal(opaque);
  if (remark !== null && remark !== undefined) {
    out.raw(REMARK);
    out.jsonString(remark);
  }
  out.raw(TYPE_AND_VERSION);
  out.decimal(version);
  out.u8(0x7d);
}

function writeJsonFields(out: Output, fields: HeaderFields): void {
  let first = true;
  for (const name in fields) {
    const value = fields[name];
    if (value === null || value === undefined) continue;
    if (!first) out.u8(0x2c);
    first = false;
    out.jsonString(name);
    out.u8(0x3a);
    out.jsonString(String(value));
  }
  out.u8(0x7d);
}

/**
 * | 2 code | 1 language | 2 version | 4 opaque | 4 flag | 4+n remark | 4 length of: { 2+n name | 4+n value } … |
 */
function writeBinaryHeader(
  out: Output,
  code: number,
  opaque: number,
  flag: number,
  language: number,
  version: number,
  remark: string | null | undefined,
  fields: HeaderFields | null | undefined,
): void {
  out.i16(code);
  out.u8(language);
  out.i16(version);
  out.i32(opaque);
  out.i32(flag);
  writeCounted(out, remark ?? "", 4);
  const at = out.length;
  out.i32(0);
  for (const name in fields) {
    const value = fields[name];
    if (value === null || value === undefined) continue;
    writeCounted(out, name, 2);
    writeCounted(out, String(value), 4);
  }
  writeI32(out.bytes, at, out.length - at - 4);
}

/** UTF-8 text behind its byte length in two or four bytes. */
function writeCounted(out: Output, text: string, lengthBytes: 2 | 4): void {
  const at = out.length;
  out.ensure(lengthBytes);
  out.length += lengthBytes;
  out.text(text);
  const count = out.length - at - lengthBytes;
  if (lengthBytes === 4) writeI32(out.bytes, at, count);
  else writeI16(out.bytes, at, count);
}
