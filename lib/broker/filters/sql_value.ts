import {
  compareNumbers,
  doubleNumber,
  type JavaNumber,
  type NumberRead,
  readDouble,
  readInt,
  readLong,
} from "./java_number.ts";

/** What a value is in Java: a String, a Boolean, an Integer, Long or Double. */
export type Value = string | boolean | JavaNumber;

/** What `compareValues` answers when Java throws: the message does not match, whatever else the expression says. */
export const NOT_COMPARABLE = 2;

const encoder = new TextEncoder();
const read: NumberRead = { high: 0, low: 0, value: 0 };

/**
 * Order of two values of any types (`ComparisonExpression.__compare`): -1, 0, 1, or NOT_COMPARABLE. For what is rare;
 * a property with a number or a string is compared on its bytes.
 */
export function compareValues(left: Value, right: Value): number {
  if (typeof left === "string") return compareString(left, right);
  if (typeof left === "boolean") {
    if (typeof right === "boolean") return Number(left) - Number(right);
    return typeof right === "string" ? NOT_COMPARABLE : -1;
  }
  if (typeof right === "boolean") return -1;
  if (typeof right !== "string") return compareNumbers(left, right);
  const number = numberOf(right, left.type);
  return number === null ? NOT_COMPARABLE : compareNumbers(left, number);
}

/** Order of two strings where `=` does not ask: only as doubles. */
export function compareAsDoubles(left: string, right: string): number {
  const a = numberOf(left, "double");
  const b = a === null ? null : numberOf(right, "double");
  return a === null || b === null ? NOT_COMPARABLE : compareNumbers(a, b);
}

function compareString(left: string, right: Value): number {
  if (typeof right === "string") return left === right ? 0 : left < right ? -1 : 1;
  if (typeof right === "boolean") return Number(left.toLowerCase() === "true") - Number(right);
  const number = numberOf(left, right.type);
  return number === null ? NOT_COMPARABLE : compareNumbers(number, right);
}

/** `Integer.valueOf`, `Long.valueOf` or `Double.valueOf`; null: no such number. */
function numberOf(text: string, type: JavaNumber["type"]): JavaNumber | null {
  const bytes = encoder.encode(text);
  if (type === "double") return readDouble(bytes, 0, bytes.length, read) ? doubleNumber(read.value) : null;
  const fits = (type === "int" ? readInt : readLong)(bytes, 0, bytes.length, read);
  return fits ? { type, high: read.high, low: read.low, value: read.high * 1e9 + read.low } : null;
}
