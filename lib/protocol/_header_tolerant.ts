import { decodeUtf8, utf8Bound, writeUtf8 } from "./_bytes.ts";
import { FieldSource, type HeaderParts, lookupOfCode } from "./_header_parts.ts";
import { FrameError } from "./errors.ts";
import { type JsonObject, type JsonValue, parseJson } from "./fastjson.ts";
import { languageNames } from "./system.ts";
import { toJson } from "./to_json.ts";

/** A header that was read as JSON of any shape: its remark and fields as strings. */
export class DecodedHeader {
  constructor(readonly remark: string | null, readonly fields: ReadonlyMap<string, string | null>) {}

  /** Puts the values that the bound row knows into bytes of their own, so that the accessors find them. */
  place(parts: HeaderParts): void {
    const rows = parts.lookup?.row.fields ?? [];
    let bound = 0;
    for (const row of rows) bound += utf8Bound(this.fields.get(row.name) ?? "");
    const bytes = new Uint8Array(bound);
    let at = 0;
    parts.present = parts.escapes = 0;
    parts.valueBytes = bytes;
    rows.forEach((row, number) => {
      const value = this.fields.get(row.name) ?? null;
      if (value === null) return;
      parts.starts[number] = at;
      parts.ends[number] = at = writeUtf8(value, bytes, at);
      parts.present |= 1 << number;
    });
  }
}

/** Reads any header that 5.5.0 accepts. Throws FrameError for the others. */
export function readTolerantly(parts: HeaderParts, bytes: Uint8Array, from: number, to: number): DecodedHeader {
  const object = parseHeader(decodeUtf8(bytes, from, to));
  parts.code = intOf(object, "code");
  parts.version = intOf(object, "version");
  parts.opaque = intOf(object, "opaque");
  parts.flag = intOf(object, "flag");
  parts.language = languageOf(object.language);
  const fields = fieldsOf(object.extFields);
  parts.hasFields = fields !== null;
  parts.source = FieldSource.DECODED;
  parts.lookup = lookupOfCode(parts.code);
  const decoded = new DecodedHeader(textOf(object.remark), fields ?? new Map());
  decoded.place(parts);
  return decoded;
}

function parseHeader(text: string): JsonObject {
  let value: JsonValue;
  try {
    value = parseJson(text, { numbersAsText: true, keysOfMaps: false });
  } catch (error) {
    throw new FrameError("BAD_HEADER", `header: ${(error as Error).message}`);
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new FrameError("BAD_HEADER", "header is not a JSON object");
  }
  return value;
}

/** Numbers may come as strings; what is not an int32 closes the connection. */
function intOf(object: JsonObject, name: string): number {
  const value = Object.hasOwn(object, name) ? object[name] : null;
  if (value === null || value === "") return 0;
  if (typeof value === "boolean") return value ? 1 : 0;
  const digits = typeof value === "string" && /^[-+]?\d{1,10}(?:\.\d*)?$/.test(value);
  const number = digits ? Math.trunc(Number(value)) + 0 : NaN;
  if (number >= -2147483648 && number <= 2147483647) return number;
  throw new FrameError("BAD_HEADER", `header: ${name} is not an int`);
}

/** By name, or by number in a string of digits; -1 when unknown. */
function languageOf(value: JsonValue | undefined): number {
  if (typeof value !== "string") return -1;
  if (/^\d{1,2}$/.test(value)) return Number(value) < languageNames.length ? Number(value) : -1;
  return languageNames.indexOf(value);
}

function textOf(value: JsonValue | undefined): string | null {
  if (value === null || value === undefined) return null;
  return typeof value === "object" ? toJson(value) : String(value);
}

function fieldsOf(value: JsonValue | undefined): Map<string, string | null> | null {
  if (value === null || value === undefined) return null;
  if (typeof value !== "object" || Array.isArray(value)) {
    throw new FrameError("BAD_HEADER", "header: extFields is not an object");
  }
  return new Map(Object.entries(value).map(([name, member]) => [name, textOf(member)]));
}
