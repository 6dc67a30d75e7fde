import { decodeUtf8, EMPTY, encodeUtf8, readI16, readI32, viewOf } from "./_bytes.ts";
import { lookupOf } from "./_field_lookup.ts";
import { binaryValueEnd, readBinaryFields, readBinaryHeader } from "./_header_binary.ts";
import { FieldSource, HeaderParts } from "./_header_parts.ts";
import { scanFields, scanHeader } from "./_header_scan.ts";
import { type DecodedHeader, readTolerantly } from "./_header_tolerant.ts";
import { isJavaTrue, parseJavaInt, parseJavaLong } from "./_java_numbers.ts";
import { unescapeTo } from "./_unescape.ts";
import { FrameError, HeaderFieldError } from "./errors.ts";
import { type HeaderName, type HeaderRow, headerRow } from "./request_table.ts";
import { FrameFlag } from "./system.ts";

/**
 * Bytes of one header. Properties, the longest field there is, end at 32 KiB; 5.5.0 reads headers of any length below
 * the frame's, but reading megabytes of JSON would hold up everybody else.
 */
export const MAX_HEADER_LENGTH: number = 1024 * 1024;

/**
 * The header of one frame as positions in its bytes, in either encoding. One object is reused for all frames of a
 * connection; nothing that it hands out as positions outlives the frame.
 *
 * Fields are asked for by number (`Fields.SEND_MESSAGE_V2.b`). A request's row is bound by its code, a response's by
 * `bind`.
 */
export class Header extends HeaderParts {
  #decoded: DecodedHeader | null = null;
  #scratch: Uint8Array = EMPTY;

  /** True for an answer. */
  get isResponse(): boolean {
    return (this.flag & FrameFlag.RESPONSE) !== 0;
  }

  /** True when the sender wants no answer. */
  get isOneway(): boolean {
    return (this.flag & FrameFlag.ONEWAY) !== 0;
  }

  /**
   * Decodes the frame bytes[start, end), its length word included, as FrameDecoder delivers it.
   * Throws FrameError where 5.5.0 closes the connection, and for a header beyond MAX_HEADER_LENGTH.
   */
  read(bytes: Uint8Array, start: number, end: number): void {
    if (end - start < 8) throw new FrameError("FRAME_TOO_SHORT", "a frame without a header");
    const serializeType = bytes[start + 4];
    const from = start + 8;
    const to = from + ((bytes[start + 5] << 16) | (bytes[start + 6] << 8) | bytes[start + 7]);
    if (to - from > MAX_HEADER_LENGTH) {
      throw new FrameError("BAD_HEADER", `header of ${to - from} bytes, MAX_HEADER_LENGTH is ${MAX_HEADER_LENGTH}`);
    }
    if (to > end) throw new FrameError("BAD_HEADER", `header of ${to - from} bytes in a frame of ${end - start}`);
    this.reset();
    this.#decoded = null;
    if (bytes !== this.bytes) {
      this.bytes = bytes;
      this.view = viewOf(bytes);
    }
    this.valueBytes = bytes;
    this.bodyStart = to;
    this.bodyEnd = end;
    if (serializeType === 0) {
      this.serializeType = 0;
      if (!scanHeader(this, bytes, from, to)) this.#readTolerantly(from, to);
    } else if (serializeType === 1) {
      this.serializeType = 1;
      if (!readBinaryHeader(this, bytes, from, to)) {
        throw new FrameError("BAD_HEADER", "lengths in the header disagree");
      }
    } else throw new FrameError("BAD_SERIALIZE_TYPE", `serialize type ${serializeType}`);
  }

  #readTolerantly(from: number, to: number): void {
    this.reset();
    this.#decoded = readTolerantly(this, this.bytes, from, to);
  }

  /** Binds the numbers of another header class to the fields, as needed to read a response. */
  bind(header: HeaderName | HeaderRow): void {
    const lookup = lookupOf(typeof header === "string" ? headerRow(header) : header);
    this.lookup = lookup;
    this.present = this.escapes = 0;
    if (this.source === FieldSource.JSON) scanFields(this, this.bytes, this.fieldsStart, this.fieldsEnd, lookup);
    else if (this.source === FieldSource.BINARY) readBinaryFields(this, this.bytes, lookup);
    else if (this.#decoded !== null) this.#decoded.place(this);
  }

  /** The remark, or null. */
  remark(): string | null {
    if (this.#decoded !== null) return this.#decoded.remark;
    if (this.remarkStart < 0) return null;
    return this.#decode(this.bytes, this.remarkStart, this.remarkEnd, this.remarkEscaped);
  }

  /** Whether the field is there and not null. */
  has(field: number): boolean {
    return ((this.present >>> field) & 1) !== 0;
  }

  /** Start of the raw value in valueBytes; meaningless unless `has(field)`. */
  start(field: number): number {
    return this.starts[field];
  }

  /** End of the raw value in valueBytes. */
  end(field: number): number {
    return this.ends[field];
  }

  /** Whether the raw value still has JSON escapes. */
  escaped(field: number): boolean {
    return ((this.escapes >>> field) & 1) !== 0;
  }

  /** An int as `Integer.parseInt` reads it. Absent: `fallback`; malformed: the same, in a fast header HeaderFieldError. */
  int(field: number, fallback: number): number {
    if (((this.present >>> field) & 1) === 0) return fallback;
    const value = this.escaped(field)
      ? this.#parsePlain(field, parseJavaInt)
      : parseJavaInt(this.valueBytes, this.starts[field], this.ends[field]);
    return Number.isNaN(value) ? this.#malformed(field, fallback) : value;
  }

  /**
   * A long as `Long.parseLong` reads it. Malformed as for `int`. Beyond 2^53 a time is clamped, an id or an offset
   * throws HeaderFieldError.
   */
  long(field: number, fallback: number): number {
    if (((this.present >>> field) & 1) === 0) return fallback;
    const value = this.escaped(field)
      ? this.#parsePlain(field, parseJavaLong)
      : parseJavaLong(this.valueBytes, this.starts[field], this.ends[field]);
    if (value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER) return value;
    return Number.isNaN(value) ? this.#malformed(field, fallback) : this.#beyond(field, value);
  }

  /** A double; malformed as for `int`. */
  double(field: number, fallback: number): number {
    const text = this.text(field);
    if (text === null) return fallback;
    const value = text.trim() === "" ? NaN : Number(text);
    return Number.isNaN(value) ? this.#malformed(field, fallback) : value;
  }

  /** True for "true" in any case, false for any other text. */
  bool(field: number, fallback: boolean): boolean {
    if (!this.has(field)) return fallback;
    if (this.escaped(field)) return this.#parsePlain(field, isJavaTrue);
    return isJavaTrue(this.valueBytes, this.starts[field], this.ends[field]);
  }

  /** The value as a fresh string, or null. */
  text(field: number): string | null {
    if (!this.has(field)) return null;
    return this.#decode(this.valueBytes, this.starts[field], this.ends[field], this.escaped(field));
  }

  /** Copies the value, unescaped, to into[at…] (room for end − start bytes) and returns the new end. */
  copyValue(field: number, into: Uint8Array, at: number): number {
    if (!this.has(field)) return at;
    const start = this.starts[field];
    const end = this.ends[field];
    if (this.escaped(field)) return unescapeTo(this.valueBytes, start, end, into, at);
    const source = this.valueBytes;
    if (end - start > 64) into.set(source.subarray(start, end), at);
    else for (let i = 0; i < end - start; i++) into[at + i] = source[start + i];
    return at + end - start;
  }

  /** A loose field by name: its text, or null when absent or null. */
  ext(name: string): string | null {
    if (this.#decoded !== null) return this.#decoded.fields.get(name) ?? null;
    const wanted = encodeUtf8(name);
    let found: string | null = null;
    this.#walk((nameStart, nameEnd, start, end) => {
      if (nameEnd - nameStart !== wanted.length) return;
      for (let i = 0; i < wanted.length; i++) if (this.bytes[nameStart + i] !== wanted[i]) return;
      found = this.#loose(start, end);
    });
    return found;
  }

  /** All fields by name, decoded. */
  extEntries(): Map<string, string | null> {
    if (this.#decoded !== null) return new Map(this.#decoded.fields);
    const entries = new Map<string, string | null>();
    this.#walk((nameStart, nameEnd, start, end) => {
      entries.set(decodeUtf8(this.bytes, nameStart, nameEnd), this.#loose(start, end));
    });
    return entries;
  }

  /** Calls `each` with the positions of every field, known or not. */
  #walk(each: (nameStart: number, nameEnd: number, start: number, end: number) => void): void {
    const { bytes, fieldsEnd } = this;
    let p = this.fieldsStart;
    if (this.source === FieldSource.BINARY) {
      while (p < fieldsEnd) {
        const end = binaryValueEnd(bytes, p, fieldsEnd);
        const nameEnd = p + 2 + readI16(bytes, p);
        each(p + 2, nameEnd, nameEnd + 4, end);
        p = end;
      }
    } else if (this.source === FieldSource.JSON) {
      while (bytes[p] === 0x22) {
        const nameEnd = bytes.indexOf(0x22, p + 1);
        let end = nameEnd + 3;
        for (; bytes[end] !== 0x22; end++) if (bytes[end] === 0x5c) end++;
        each(p + 1, nameEnd, nameEnd + 3, end);
        p = end + 2;
      }
    }
  }

  #loose(start: number, end: number): string | null {
    if (this.source === FieldSource.BINARY) return start === end ? null : decodeUtf8(this.bytes, start, end);
    return this.#decode(this.bytes, start, end, true);
  }

  #decode(bytes: Uint8Array, start: number, end: number, escaped: boolean): string {
    if (!escaped) return decodeUtf8(bytes, start, end);
    const length = this.#unescape(bytes, start, end);
    return decodeUtf8(this.#scratch, 0, length);
  }

  /** Reads a value that has escapes. */
  #parsePlain<T>(field: number, parse: (bytes: Uint8Array, start: number, end: number) => T): T {
    const length = this.#unescape(this.valueBytes, this.starts[field], this.ends[field]);
    return parse(this.#scratch, 0, length);
  }

  #unescape(bytes: Uint8Array, start: number, end: number): number {
    if (this.#scratch.length < end - start) this.#scratch = new Uint8Array((end - start) * 2);
    return unescapeTo(bytes, start, end, this.#scratch, 0);
  }

  #malformed(field: number, fallback: number): number {
    if (!this.lookup?.row.fast) return fallback;
    const name = this.lookup.row.fields[field].name;
    throw new HeaderFieldError(name, `field ${name}: "${this.text(field)}" is not a number`);
  }

  #beyond(field: number, value: number): number {
    const row = this.lookup?.row.fields[field];
    if (row?.clamped) return value < 0 ? Number.MIN_SAFE_INTEGER : Number.MAX_SAFE_INTEGER;
    const name = row?.name ?? String(field);
    throw new HeaderFieldError(name, `field ${name}: ${this.text(field)} is not a safe integer`);
  }
}

/** Body length of a frame by its two length words, without decoding the header; -1 when they disagree. */
export function bodyLengthOf(bytes: Uint8Array, start: number): number {
  return Math.max(-1, readI32(bytes, start) - 4 - (readI32(bytes, start + 4) & 0xffffff));
}
