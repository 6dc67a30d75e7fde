import { EMPTY, viewOf } from "./_bytes.ts";
import { type FieldLookup, lookupOf } from "./_field_lookup.ts";
import { requestTable } from "./request_table.ts";

/** Where the fields of the present header come from. */
export const FieldSource = { NONE: 0, JSON: 1, BINARY: 2, DECODED: 3 } as const;

/** What the readers of the two encodings fill in. Reused for every frame. */
export class HeaderParts {
  /** The frame's bytes; body in [bodyStart, bodyEnd), none when they are equal. */
  bytes: Uint8Array = EMPTY;
  /** First byte of the body. */
  bodyStart = 0;
  /** Behind the body: the end of the frame. */
  bodyEnd = 0;
  /** Encoding of the header: 0 JSON, 1 binary. */
  serializeType: 0 | 1 = 0;
  /** Request or response code. */
  code = 0;
  /** Language code, -1 for an unknown one. */
  language: number = -1;
  /** `MQVersion` ordinal of the sender. */
  version = 0;
  /** Id that pairs an answer with its request. */
  opaque = 0;
  /** Bits of FrameFlag. */
  flag = 0;
  /** Whether `extFields` was there at all. */
  hasFields = false;

  /** What `start` and `end` of a field count in. */
  valueBytes: Uint8Array = EMPTY;
  /** @internal The frame's bytes by words. */
  view: DataView = viewOf(EMPTY);
  /** @internal Field n lies in valueBytes[starts[n], ends[n]) when bit n of `present` is set. */
  readonly starts: Int32Array = new Int32Array(32);
  /** @internal */
  readonly ends: Int32Array = new Int32Array(32);
  /** @internal */
  present = 0;
  /** @internal Bit n: the value still has JSON escapes. */
  escapes = 0;
  /** @internal Remark in bytes, -1 when there is none. */
  remarkStart = -1;
  /** @internal */
  remarkEnd = -1;
  /** @internal */
  remarkEscaped = false;
  /** @internal A FieldSource. */
  source: number = FieldSource.NONE;
  /** @internal First byte of the fields and end of their region. */
  fieldsStart = 0;
  /** @internal */
  fieldsEnd = 0;
  /** @internal Names of the row in force, null for a code without fields. */
  lookup: FieldLookup | null = null;

  /** @internal Forgets the frame before. */
  reset(): void {
    this.code =
      this.version =
      this.opaque =
      this.flag =
        0;
    this.language = -1;
    this.hasFields = false;
    this.present = this.escapes = 0;
    this.remarkStart = -1;
    this.source = FieldSource.NONE;
    this.lookup = null;
  }
}

const byCode = new Map<number, FieldLookup | null>();

/** Names of the fields of a request, null for an unknown code or one without fields. */
export function lookupOfCode(code: number): FieldLookup | null {
  let lookup = byCode.get(code);
  if (lookup !== undefined) return lookup;
  const row = requestTable.get(code);
  if (row === undefined) return null;
  lookup = row.fields.length === 0 ? null : lookupOf(row.header);
  byCode.set(code, lookup);
  return lookup;
}
