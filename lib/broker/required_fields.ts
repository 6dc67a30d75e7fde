import type { Header } from "@rmq/protocol";

/** A request without a field that its handler can't do without; becomes code 1, where Apache has a NullPointerException. */
export class MissingField extends Error {
  override readonly name = "MissingField";
}

/** A text field that must be there. */
export function requiredText(header: Header, field: number, name: string): string {
  const value = header.text(field);
  if (value === null) throw new MissingField(`the request has no ${name}`);
  return value;
}

/** A 32-bit integer field that must be there. */
export function requiredInt(header: Header, field: number, name: string): number {
  return present(header.int(field, NaN), name);
}

/** A 64-bit integer field that must be there. */
export function requiredLong(header: Header, field: number, name: string): number {
  return present(header.long(field, NaN), name);
}

function present(value: number, name: string): number {
  if (Number.isNaN(value)) throw new MissingField(`the request has no ${name}, or it is not a number`);
  return value;
}
