import type { UsedKey } from "./key.ts";

/** A parsed value. */
export type Value = string | number | boolean;

const LIMITS = {
  int: { text: "a whole number", max: 2147483647 },
  long: { text: "a whole number", max: Number.MAX_SAFE_INTEGER },
  double: { text: "a number", max: Number.MAX_VALUE },
};

/** Parses the text of a key. Blanks around it don't count, as for Apache's texts. Null: not allowed. */
export function parseValue(key: UsedKey, text: string): Value | null {
  const value = text.trim();
  if (key.values !== undefined) return key.values.includes(value) ? value : null;
  if (key.kind === "text") return key.pattern === undefined || new RegExp(key.pattern[0]).test(value) ? value : null;
  if (key.kind === "bool") {
    const lower = value.toLowerCase();
    return lower === "true" ? true : lower === "false" ? false : null;
  }
  const pattern = key.kind === "double" ? /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i : /^[+-]?\d+$/;
  const parsed = pattern.test(value) ? Number(value) : NaN;
  return parsed >= (key.min ?? 0) && parsed <= (key.max ?? LIMITS[key.kind].max) ? parsed : null;
}

/** What `parseValue` allows, for a message. */
export function allowedValues(key: UsedKey): string {
  if (key.values !== undefined) return key.values.join(", ");
  if (key.kind === "text") return key.pattern?.[1] ?? "any text";
  if (key.kind === "bool") return "true or false";
  return `${LIMITS[key.kind].text} from ${key.min ?? 0} to ${key.max ?? LIMITS[key.kind].max}`;
}
