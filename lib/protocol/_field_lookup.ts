import { NameLookup } from "./_name_lookup.ts";
import type { HeaderRow } from "./request_table.ts";

/** Numbers of a header class's fields by name. */
export class FieldLookup extends NameLookup {
  /**
   * By the number of the field before plus one (0: none): the field that followed it last time. Java writes the
   * fields of a class in one order, so that this guess is nearly always right; a wrong one only costs time.
   */
  readonly followers: Int8Array;

  /** `"x":` as one word for names of one letter, else 0. */
  readonly words: Int32Array;

  constructor(readonly row: HeaderRow) {
    super(row.fields.map((field) => field.name));
    this.words = Int32Array.from(
      this.names,
      (name) => name.length === 1 ? (0x22 << 24) | (name[0] << 16) | (0x22 << 8) | 0x3a : 0,
    );
    this.followers = new Int8Array(row.fields.length + 1).fill(-1);
  }
}

const lookups = new Map<HeaderRow, FieldLookup>();

/** The lookup of a row, made at its first use. */
export function lookupOf(row: HeaderRow): FieldLookup {
  let lookup = lookups.get(row);
  if (lookup === undefined) lookups.set(row, lookup = new FieldLookup(row));
  return lookup;
}
