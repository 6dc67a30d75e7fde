import { headerSpecs } from "./header_fields.ts";
import { requestCodes } from "./request_codes.ts";

/** Java type of a header field; all of them travel as text. */
export type FieldType = "str" | "int" | "long" | "bool" | "double";

/** One field of a header. */
export interface FieldRow {
  /** Name on the wire. */
  readonly name: string;
  /** Java type. */
  readonly type: FieldType;
  /** Marked `CFNotNull` by Apache, which 5.5.0 does not check (remoting sheet §2). */
  readonly required: boolean;
  /** A Java primitive: always on the wire when Java sends it. */
  readonly primitive: boolean;
  /** A long where a value beyond 2^53 means "for ever" and is clamped. */
  readonly clamped: boolean;
  /** Apache's default as text, or null. */
  readonly initial: string | null;
}

/** A header class. */
export interface HeaderRow {
  /** Java class name. */
  readonly name: string;
  /** Fields in order; the index is the field number. */
  readonly fields: readonly FieldRow[];
  /** A malformed number throws HeaderFieldError instead of counting as absent. */
  readonly fast: boolean;
}

/** Who answers a request. */
export type ServedBy = "broker" | "namesrv" | "client" | "controller" | "none";

/** The action that Apache's authorization asks for (annotation `RocketMQAction`); NONE where it names none. */
export type Permission = "PUB" | "SUB" | "CREATE" | "UPDATE" | "DELETE" | "GET" | "LIST" | "NONE";

/** A request code with all that is known about it. */
export interface RequestRow {
  /** Request code. */
  readonly code: number;
  /** Apache's name. */
  readonly name: RequestName;
  /** Header class; without fields when it has none. */
  readonly header: HeaderRow;
  /** Fields of `header`. */
  readonly fields: readonly FieldRow[];
  /** As in `header`. */
  readonly fast: boolean;
  /** Empty for codes that are declared only. */
  readonly servedBy: readonly ServedBy[];
  /** Also served on the port two below (VIP port). */
  readonly fastPort: boolean;
  /** What authorization asks for. */
  readonly permission: Permission;
  /** First version line that knows the code. */
  readonly since: "4.9" | "5.0" | "5.1" | "5.3" | "5.5";
}

/** Names of all request codes. */
export type RequestName = keyof typeof requestCodes;
/** Names of all header classes. */
export type HeaderName = keyof typeof headerSpecs;

/** Name of a field in its declaration. */
export type NameOf<W extends string> = W extends `${infer N}*:${string}` ? N
  : W extends `${infer N}:${string}` ? N
  : never;
/** Names in a list of declarations. */
export type NamesIn<S extends string> = S extends `${infer Head} ${infer Tail}` ? NameOf<Head> | NamesIn<Tail>
  : NameOf<S>;
/** Names that a header class inherits. */
export type Inherited<P extends string> = P extends `R${string}` ? "ns" | "nsd" | "bname" | "oway"
  : P extends `T${string}` ? "ns" | "nsd" | "bname" | "oway" | "lo"
  : never;

/** Field numbers of one header class by field name. */
export type FieldNumbers<H extends HeaderName> = {
  readonly [N in NamesIn<(typeof headerSpecs)[H][1]> | Inherited<(typeof headerSpecs)[H][0]>]: number;
};

const RPC = "ns:str nsd:bool bname:str oway:bool";
const INHERITED: Record<string, string> = { R: RPC, T: `${RPC} lo:bool` };

const SERVED_BY: Record<string, ServedBy> = { B: "broker", N: "namesrv", C: "client", K: "controller" };

/** PULL, LITE_PULL, POP, PEEK, NOTIFICATION and POLLING_INFO stay away from the fast port. */
const NOT_ON_FAST_PORT = new Set([11, 361, 200050, 200052, 200054, 200055]);

function parseField(word: string): FieldRow {
  const match = /^(\w+)(\*?):(\w+)(!?)(?:=(.+))?$/.exec(word);
  if (match === null) throw new Error(`field "${word}" is not declared as name:type`);
  const time = match[3] === "time";
  return {
    name: match[1],
    type: time ? "long" : match[3] as FieldType,
    required: match[2] === "*",
    primitive: match[4] === "!",
    clamped: time,
    initial: match[5] ?? null,
  };
}

function parseHeader(name: HeaderName): HeaderRow {
  const [parents, own] = headerSpecs[name] as readonly [string, string];
  const words = `${own} ${INHERITED[parents.charAt(0)] ?? ""}`.split(" ").filter((word) => word !== "");
  const fields = words.map(parseField);
  // Presence of fields is kept in the bits of one int32.
  if (fields.length > 31) throw new Error(`${name} has more than 31 fields`);
  return { name, fields, fast: parents.includes("F") };
}

const headers = new Map<string, HeaderRow>();

/** The row of a header class, read from its declaration at the first use: most processes need few of them. */
export function headerRow(name: HeaderName): HeaderRow {
  let row = headers.get(name);
  if (row === undefined) headers.set(name, row = parseHeader(name));
  return row;
}

function parseRequest(name: RequestName): RequestRow {
  const [code, header, served, permission, since] = requestCodes[name];
  const row = headerRow(header);
  return {
    code,
    name,
    header: row,
    fields: row.fields,
    fast: row.fast,
    servedBy: served === "-" ? [] : [...served].map((letter) => SERVED_BY[letter]),
    fastPort: !NOT_ON_FAST_PORT.has(code),
    permission,
    since,
  };
}

function numbersOf(row: HeaderRow): Record<string, number> {
  return Object.fromEntries(row.fields.map((field, number) => [field.name, number]));
}

const names = Object.keys(requestCodes) as RequestName[];

/** Rows by code, each read at its first use. */
class RequestTable extends Map<number, RequestRow> {
  readonly #names = new Map(names.map((name) => [requestCodes[name][0] as number, name]));

  override get(code: number): RequestRow | undefined {
    const known = super.get(code);
    const name = known === undefined ? this.#names.get(code) : undefined;
    if (name === undefined) return known;
    const row = parseRequest(name);
    this.set(code, row);
    return row;
  }

  override values(): MapIterator<RequestRow> {
    for (const code of this.#names.keys()) this.get(code);
    return super.values();
  }
}

/** Every request code of RocketMQ 4.9 to 5.5 (remoting sheet §8, §9). */
export const requestTable: Pick<ReadonlyMap<number, RequestRow>, "get" | "values"> = new RequestTable();

/** Request codes by name. */
export const RequestCode: { readonly [N in RequestName]: (typeof requestCodes)[N][0] } = Object.fromEntries(
  names.map((name) => [name, requestCodes[name][0]]),
) as { readonly [N in RequestName]: (typeof requestCodes)[N][0] };

/** Field numbers by request name (`Fields.SEND_MESSAGE_V2.b`) and by header class (`Fields.SendMessageResponseHeader.msgId`). */
export type FieldTable =
  & { readonly [N in RequestName]: FieldNumbers<(typeof requestCodes)[N][1]> }
  & { readonly [H in HeaderName]: FieldNumbers<H> };

/** See {@link FieldTable}. */
export const Fields: FieldTable = lazyFields();

/** Each member is made at its first use and then a plain one. */
function lazyFields(): FieldTable {
  const table = {};
  const define = (name: string, header: HeaderName): void => {
    const get = (): Record<string, number> => {
      const value = numbersOf(headerRow(header));
      Object.defineProperty(table, name, { value, enumerable: true });
      return value;
    };
    Object.defineProperty(table, name, { get, enumerable: true, configurable: true });
  };
  for (const header of Object.keys(headerSpecs) as HeaderName[]) define(header, header);
  for (const name of names) define(name, requestCodes[name][1]);
  return table as FieldTable;
}
