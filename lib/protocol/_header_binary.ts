import { readI16, readI32 } from "./_bytes.ts";
import type { FieldLookup } from "./_field_lookup.ts";
import { FieldSource, type HeaderParts, lookupOfCode } from "./_header_parts.ts";
import { languageNames } from "./system.ts";

const FIXED_LENGTH = 21;

/**
 * Reads a header in RocketMQ's own form (`RocketMQSerializable`, remoting sheet §3). False: it does not hold together.
 *
 * | 2 code | 1 language | 2 version | 4 opaque | 4 flag | 4+n remark | 4 length of: { 2+n name | 4+n value } … |
 */
export function readBinaryHeader(parts: HeaderParts, bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from < FIXED_LENGTH) return false;
  parts.code = readI16(bytes, from);
  const language = bytes[from + 2];
  parts.language = language < languageNames.length ? language : -1;
  parts.version = readI16(bytes, from + 3);
  parts.opaque = readI32(bytes, from + 5);
  parts.flag = readI32(bytes, from + 9);
  const remarkLength = readI32(bytes, from + 13);
  const remark = from + 17;
  if (remarkLength < 0 || remarkLength > to - remark - 4) return false;
  if (remarkLength > 0) {
    parts.remarkStart = remark;
    parts.remarkEnd = remark + remarkLength;
    parts.remarkEscaped = false;
  }
  const fieldsLength = readI32(bytes, remark + remarkLength);
  const fields = remark + remarkLength + 4;
  if (fieldsLength < 0 || fieldsLength > to - fields) return false;
  if (fieldsLength === 0) return true;
  parts.hasFields = true;
  parts.source = FieldSource.BINARY;
  parts.fieldsStart = fields;
  parts.fieldsEnd = fields + fieldsLength;
  parts.lookup = lookupOfCode(parts.code);
  return readBinaryFields(parts, bytes, parts.lookup);
}

/** Notes the fields that the row knows; the last of a name wins, an empty value is none. */
export function readBinaryFields(parts: HeaderParts, bytes: Uint8Array, lookup: FieldLookup | null): boolean {
  parts.present = parts.escapes = 0;
  let p = parts.fieldsStart;
  while (p < parts.fieldsEnd) {
    const end = binaryValueEnd(bytes, p, parts.fieldsEnd);
    if (end < 0) return false;
    const nameEnd = p + 2 + readI16(bytes, p);
    const field = lookup === null ? -1 : lookup.find(bytes, p + 2, nameEnd);
    if (field >= 0) {
      parts.starts[field] = nameEnd + 4;
      parts.ends[field] = end;
      if (end > nameEnd + 4) parts.present |= 1 << field;
      else parts.present &= ~(1 << field);
    }
    p = end;
  }
  return true;
}

/** End of the pair that begins at `at`, or -1 when it does not fit. */
export function binaryValueEnd(bytes: Uint8Array, at: number, end: number): number {
  if (end - at < 6) return -1;
  const nameLength = readI16(bytes, at);
  if (nameLength < 0 || nameLength > end - at - 6) return -1;
  const valueLength = readI32(bytes, at + 2 + nameLength);
  const value = at + 6 + nameLength;
  return valueLength < 0 || valueLength > end - value ? -1 : value + valueLength;
}
