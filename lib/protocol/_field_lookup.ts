import { NameLookup } from "./_name_lookup.ts";
import type { HeaderRow } from "./request_table.ts";

/** Numbers of a header class's fields by name. */
export class FieldLookup extends NameLookup {
  constructor(readonly row: HeaderRow) {
    super(row.fields.map((field) => field.name));
  }
}

const lookups = new Map<HeaderRow, FieldLookup>();

/** The lookup of a row, made at its first use. */
export function lookupOf(row: HeaderRow): FieldLookup {
  let lookup = lookups.get(row);
  if (lookup === undefined) lookups.set(row, lookup = new FieldLookup(row));
  return lookup;
}
