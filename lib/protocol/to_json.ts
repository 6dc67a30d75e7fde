/**
 * What the writer takes: plain values, and maps as fastjson prints them. A `Map` keeps its order; objects are
 * printed with their keys in alphabetical order. Null and undefined members are left out.
 */
export type Jsonable =
  | null
  | undefined
  | boolean
  | number
  | string
  | readonly Jsonable[]
  | ReadonlyMap<string, Jsonable>
  | Double
  | KeyedMap
  | { readonly [name: string]: Jsonable };

/** A Java `double`: printed with a fraction (`0.0`). */
export class Double {
  /** Wraps a double. */
  constructor(readonly value: number) {}
}

/** A map whose keys are printed without quotes: integers, or objects. */
export class KeyedMap {
  /** Pairs of key and value, in the order of printing. */
  constructor(readonly entries: readonly (readonly [number | Jsonable, Jsonable])[]) {}
}

/** A number that Java holds as a double. */
export function double(value: number): Double {
  return new Double(value);
}

/** A map with integer keys, `{0:"a"}`: a Map, pairs, or an object whose names are integers. */
export function integerKeys(
  map: Iterable<readonly [number, Jsonable]> | { readonly [name: string]: Jsonable },
): KeyedMap {
  if (Symbol.iterator in map) return new KeyedMap([...map as Iterable<readonly [number, Jsonable]>]);
  return new KeyedMap(Object.entries(map).map(([name, value]) => [Number(name), value]));
}

/** A map with objects as keys, `{{"queueId":0}:1}`. */
export function objectKeys(entries: Iterable<readonly [Jsonable, Jsonable]>): KeyedMap {
  return new KeyedMap([...entries]);
}

/** How to print. */
export interface JsonOptions {
  /** Integer and object keys in quotes, all keys sorted, non-ASCII escaped: 105 for clients from 4.9.4 on. */
  strict?: boolean;
  /** Tabs and line ends, as in Apache's files under `config/`. */
  pretty?: boolean;
}

/** Prints as fastjson does for 5.5.0 (remoting sheet §10). */
export function toJson(value: Jsonable, options: JsonOptions = {}): string {
  return print(value, options.strict ?? false, options.pretty ?? false, "\n");
}

/** Prints as Apache's persisted files: tab indent, no blank after the colon. */
export function pretty(value: Jsonable): string {
  return print(value, false, true, "\n");
}

/** `line` is a line end with the indent of the enclosing level. */
function print(value: Jsonable, strict: boolean, pretty: boolean, line: string): string {
  switch (typeof value) {
    case "string":
      return quote(value, strict);
    case "number":
    case "boolean":
      return String(value);
    case "undefined":
      return "null";
  }
  if (value === null) return "null";
  if (value instanceof Double) return doubleText(value.value);
  const inner = pretty ? line + "\t" : "";
  const outer = pretty ? line : "";
  if (Array.isArray(value)) {
    if (value.length === 0) return "[]";
    return `[${inner}${value.map((item) => print(item, strict, pretty, inner)).join("," + inner)}${outer}]`;
  }
  const members: string[] = [];
  for (const [key, member] of membersOf(value as MapLike, strict)) {
    if (member === null || member === undefined) continue;
    members.push(`${key}:${print(member, strict, pretty, inner)}`);
  }
  return members.length === 0 ? "{}" : `{${inner}${members.join("," + inner)}${outer}}`;
}

type MapLike = ReadonlyMap<string, Jsonable> | KeyedMap | { readonly [name: string]: Jsonable };

/** Members with their printed keys. */
function membersOf(value: MapLike, strict: boolean): (readonly [string, Jsonable])[] {
  if (value instanceof KeyedMap) {
    const keyed = value.entries.map(([key, member]) => [print(key, strict, false, ""), member] as const);
    return strict ? keyed.map(([key, member]) => [quote(key, strict), member] as const).sort(byKey) : keyed;
  }
  const named = value instanceof Map
    ? [...value as ReadonlyMap<string, Jsonable>]
    : Object.entries(value as { readonly [name: string]: Jsonable });
  if (strict || !(value instanceof Map)) named.sort(byKey);
  return named.map(([name, member]) => [quote(name, strict), member] as const);
}

function byKey(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  return a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0;
}

/** As Java's Double.toString for the magnitudes that rates and times have. */
function doubleText(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e7 ? value.toFixed(1) : String(value);
}

function quote(text: string, ascii: boolean): string {
  const quoted = JSON.stringify(text);
  return ascii ? quoted.replace(/[\u0080-\uffff]/g, (c) => "\\u" + hex4(c.charCodeAt(0))) : quoted;
}

function hex4(unit: number): string {
  return unit.toString(16).toUpperCase().padStart(4, "0");
}
