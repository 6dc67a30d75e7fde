import { encodeUtf8, equalBytes, viewOf } from "./_bytes.ts";
import type { FieldLookup } from "./_field_lookup.ts";
import { FieldSource, type HeaderParts, lookupOfCode } from "./_header_parts.ts";
import { languageNames } from "./system.ts";
import { hex4, simpleEscape } from "./_unescape.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** `u000` as an int32. */
const U000 = 0x75303030;

/** `name":` behind the opening quote. */
const member = (name: string) => encodeUtf8(`${name}":`);
const CODE = member("code");
const EXT_FIELDS = member("extFields");
const FLAG = member("flag");
const LANGUAGE = member("language");
const OPAQUE = member("opaque");
const REMARK = member("remark");
const TYPE = member("serializeTypeCurrentRPC");
const VERSION = member("version");

/** Text to compare with word by word, and its last bytes one by one. */
class Expected {
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  readonly length: number;

  constructor(text: string) {
    this.bytes = encodeUtf8(text);
    this.length = this.bytes.length;
    const view = viewOf(this.bytes);
    this.words = Int32Array.from({ length: this.length >> 2 }, (_, i) => view.getInt32(i * 4));
  }
}

/** What Java writes behind the fields, up to the value of `opaque` and from there to that of `version`. */
const JAVA_TO_OPAQUE = new Expected(',"flag":0,"language":"JAVA","opaque":');
const JAVA_TO_VERSION = new Expected(',"serializeTypeCurrentRPC":"JSON","version":');
const languageBytes = languageNames.map(encodeUtf8);

/** Where the last helper stopped; -1 after what is not canonical. */
let stop = 0;
let escaped = false;

/**
 * Reads a header in the form in which fastjson and Go write it: no blanks, double quotes, every field a string.
 * Notes positions and integers, makes no strings. False: something else, for the tolerant reader.
 */
export function scanHeader(parts: HeaderParts, bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from < 2 || bytes[from] !== 0x7b) return false;
  let p = from + 1;
  let seen = 0;
  let pending = -1;
  for (;;) {
    if (bytes[p] !== QUOTE) return false;
    p++;
    let bit = 0;
    switch (bytes[p]) {
      case 0x63: // code
        if (!startsWith(bytes, p, CODE)) return false;
        bit = 1;
        parts.code = int(bytes, p + 6);
        break;
      case 0x65: { // extFields
        if (!startsWith(bytes, p, EXT_FIELDS) || bytes[p + 11] !== 0x7b) return false;
        bit = 2;
        parts.hasFields = true;
        parts.source = FieldSource.JSON;
        parts.fieldsStart = p + 12;
        if ((seen & 1) === 0) pending = p + 12;
        parts.lookup = pending < 0 ? lookupOfCode(parts.code) : null;
        stop = scanFields(parts, bytes, p + 12, to, parts.lookup);
        parts.fieldsEnd = stop;
        break;
      }
      case 0x66: // flag
        if (!startsWith(bytes, p, FLAG)) return false;
        bit = 4;
        parts.flag = int(bytes, p + 6);
        break;
      case 0x6c: // language
        if (!startsWith(bytes, p, LANGUAGE)) return false;
        bit = 8;
        parts.language = languageName(bytes, p + 10, to);
        break;
      case 0x6f: // opaque
        if (!startsWith(bytes, p, OPAQUE)) return false;
        bit = 16;
        parts.opaque = int(bytes, p + 8);
        break;
      case 0x72: // remark
        if (!startsWith(bytes, p, REMARK)) return false;
        bit = 32;
        string(bytes, p + 8, to);
        parts.remarkStart = p + 9;
        parts.remarkEnd = stop - 1;
        parts.remarkEscaped = escaped;
        break;
      case 0x73: // serializeTypeCurrentRPC
        if (!startsWith(bytes, p, TYPE)) return false;
        bit = 64;
        string(bytes, p + 25, to);
        break;
      case 0x76: // version
        if (!startsWith(bytes, p, VERSION)) return false;
        bit = 128;
        parts.version = int(bytes, p + 9);
        break;
      default:
        return false;
    }
    if (stop < 0 || (seen & bit) !== 0) return false;
    seen |= bit;
    p = stop;
    if (bit === 2 && seen === 3 && isJavaTail(parts, bytes, p, to)) return true;
    const next = bytes[p++];
    if (next === 0x2c) continue;
    if (next !== 0x7d || p !== to) return false;
    if (pending < 0) return true;
    parts.lookup = lookupOfCode(parts.code);
    return parts.lookup === null || scanFields(parts, bytes, pending, to, parts.lookup) >= 0;
  }
}

/** Reads the rest of a request as Java writes it most often, by comparing instead of by names; false changes nothing. */
function isJavaTail(parts: HeaderParts, bytes: Uint8Array, at: number, to: number): boolean {
  if (!equalAt(parts.view, at, to, JAVA_TO_OPAQUE)) return false;
  const opaque = int(bytes, at + JAVA_TO_OPAQUE.length);
  if (stop < 0 || !equalAt(parts.view, stop, to, JAVA_TO_VERSION)) return false;
  const version = int(bytes, stop + JAVA_TO_VERSION.length);
  if (stop !== to - 1 || bytes[stop] !== 0x7d) return false;
  parts.opaque = opaque;
  parts.version = version;
  parts.language = 0;
  return true;
}

function equalAt(view: DataView, at: number, to: number, expected: Expected): boolean {
  const { words, bytes, length } = expected;
  if (length > to - at) return false;
  for (let i = 0; i < words.length; i++) if (view.getInt32(at + i * 4) !== words[i]) return false;
  for (let i = words.length * 4; i < length; i++) if (view.getUint8(at + i) !== bytes[i]) return false;
  return true;
}

/**
 * Walks the members behind `{` and notes those that the row knows; the last of a name wins.
 * Returns the position behind `}`, or -1.
 */
export function scanFields(
  parts: HeaderParts,
  bytes: Uint8Array,
  from: number,
  to: number,
  lookup: FieldLookup | null,
): number {
  const { starts, ends, view } = parts;
  let present = 0;
  let escapes = 0;
  let before = 0;
  let p = from;
  if (bytes[p] === 0x7d) {
    parts.present = parts.escapes = 0;
    return p + 1;
  }
  for (;;) {
    let field = lookup === null ? -1 : lookup.followers[before];
    if (
      field >= 0 && p + 5 < to && view.getInt32(p) === (lookup as FieldLookup).words[field] && bytes[p + 4] === QUOTE
    ) {
      p += 5;
    } else {
      if (bytes[p] !== QUOTE) return -1;
      p++;
      const nameEnd = field < 0 ? -1 : endOfName(bytes, p, (lookup as FieldLookup).names[field]);
      if (nameEnd >= 0) p = nameEnd;
      else {
        const nameStart = p;
        for (;; p++) {
          const byte = bytes[p];
          if (byte === QUOTE) break;
          if (byte === BACKSLASH || p >= to) return -1;
        }
        field = lookup === null ? -1 : lookup.find(bytes, nameStart, p);
        if (field >= 0) (lookup as FieldLookup).followers[before] = field;
      }
      if (bytes[p + 1] !== 0x3a || bytes[p + 2] !== QUOTE) return -1;
      p += 3;
    }
    const start = p;
    let bit = 0;
    for (;; p++) {
      const byte = bytes[p];
      if (byte === QUOTE) break;
      if (p >= to) return -1;
      if (byte === BACKSLASH) {
        bit = 1;
        // The separators of properties are by far the most frequent: \u0001 and \u0002.
        if (p + 6 < to && view.getInt32(p + 1) === U000 && (bytes[p + 5] & 0xfc) === 0x30) p += 5;
        else {
          p = escapeEnd(bytes, p) - 1;
          if (p < 0) return -1;
        }
      }
    }
    if (field >= 0) {
      before = field + 1;
      starts[field] = start;
      ends[field] = p;
      present |= 1 << field;
      escapes = (escapes & ~(1 << field)) | (bit << field);
    }
    const next = bytes[p + 1];
    p += 2;
    if (next === 0x2c) continue;
    if (next !== 0x7d || p > to) return -1;
    parts.present = present;
    parts.escapes = escapes;
    return p;
  }
}

/** Position of the quote behind a name, or -1 when another name stands here. */
function endOfName(bytes: Uint8Array, at: number, name: Uint8Array): number {
  const length = name.length;
  for (let i = 0; i < length; i++) if (bytes[at + i] !== name[i]) return -1;
  return bytes[at + length] === QUOTE ? at + length : -1;
}

/** Position behind the escape at `at`, or -1 when it is none that JSON knows. */
function escapeEnd(bytes: Uint8Array, at: number): number {
  const letter = bytes[at + 1];
  if (letter === 0x75) return hex4(bytes, at + 2) < 0 ? -1 : at + 6;
  return simpleEscape(letter) < 0 ? -1 : at + 2;
}

function startsWith(bytes: Uint8Array, at: number, expected: Uint8Array): boolean {
  for (let i = 1; i < expected.length; i++) if (bytes[at + i] !== expected[i]) return false;
  return true;
}

/** An int32 in plain digits. */
function int(bytes: Uint8Array, from: number): number {
  let p = from;
  const negative = bytes[p] === 0x2d;
  if (negative) p++;
  const first = p;
  let value = 0;
  for (;; p++) {
    const digit = bytes[p] - 0x30;
    if (!(digit >= 0 && digit <= 9)) break;
    value = value * 10 + digit;
  }
  stop = p > first && p - first <= 10 && value <= (negative ? 2147483648 : 2147483647) ? p : -1;
  return negative ? -value : value;
}

/** A string at `from`, its quotes included. */
function string(bytes: Uint8Array, from: number, to: number): void {
  escaped = false;
  stop = -1;
  if (bytes[from] !== QUOTE) return;
  for (let p = from + 1; p < to; p++) {
    const byte = bytes[p];
    if (byte === QUOTE) {
      stop = p + 1;
      return;
    }
    if (byte !== BACKSLASH) continue;
    escaped = true;
    p = escapeEnd(bytes, p) - 1;
    if (p < 0) return;
  }
}

/** Code of the language whose name stands in quotes at `from`; -1 for an unknown one. */
function languageName(bytes: Uint8Array, from: number, to: number): number {
  string(bytes, from, to);
  if (stop < 0) return -1;
  if (escaped) {
    stop = -1;
    return -1;
  }
  for (let code = 0; code < languageBytes.length; code++) {
    if (equalBytes(bytes, from + 1, stop - 1, languageBytes[code])) return code;
  }
  return -1;
}
