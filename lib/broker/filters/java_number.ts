import { javaHexDouble } from "./java_hex_double.ts";

const BILLION = 1_000_000_000;
const INT_MAX = 2_147_483_647;
/** Long.MAX_VALUE in billions, and the rest. */
const LONG_MAX_HIGH = 9_223_372_036;
const LONG_MAX_LOW = 854_775_807;

/**
 * A number of an expression: Integer, Long or Double of Java. A whole number is `high` × 10⁹ + `low`, both with its sign,
 * so that 64 bits compare exactly; `value` is the nearest double.
 */
export interface JavaNumber {
  readonly type: "int" | "long" | "double";
  readonly high: number;
  readonly low: number;
  readonly value: number;
}

/** Where the readers below leave what they read. */
export interface NumberRead {
  high: number;
  low: number;
  value: number;
}

/** The constant that decimal digits make; null: beyond 64 bits. */
export function wholeNumber(digits: string): JavaNumber | null {
  const bytes = encoder.encode(digits);
  const read: NumberRead = { high: 0, low: 0, value: 0 };
  if (!readLong(bytes, 0, bytes.length, read)) return null;
  return whole(read.high, read.low);
}

/** A Double. */
export function doubleNumber(value: number): JavaNumber {
  return { type: "double", high: 0, low: 0, value };
}

/** The number with the other sign, of the same type. */
export function negated(number: JavaNumber): JavaNumber {
  return { type: number.type, high: 0 - number.high, low: 0 - number.low, value: 0 - number.value };
}

function whole(high: number, low: number): JavaNumber {
  const value = Number(`${high === 0 ? "" : high}${high === 0 ? low : String(Math.abs(low)).padStart(9, "0")}`);
  return { type: Math.abs(value) <= INT_MAX ? "int" : "long", high, low, value };
}

/** Order of two numbers as `Comparable.compareTo` gives it after Java's widening. */
export function compareNumbers(a: JavaNumber, b: JavaNumber): number {
  if (a.type === "double" || b.type === "double") return compareDoubles(a.value, b.value);
  return compareWhole(a.high, a.low, b.high, b.low);
}

/** Order of two whole numbers in billions and rest. */
export function compareWhole(highA: number, lowA: number, highB: number, lowB: number): number {
  if (highA !== highB) return highA < highB ? -1 : 1;
  return lowA === lowB ? 0 : lowA < lowB ? -1 : 1;
}

/** `Double.compare`: NaN is above everything, −0 below 0. */
export function compareDoubles(a: number, b: number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  if (a === b) return a !== 0 ? 0 : Object.is(a, b) ? 0 : Object.is(a, -0) ? -1 : 1;
  return a !== a ? (b !== b ? 0 : 1) : -1;
}

/** `Integer.valueOf` of the text bytes[start, end), into `low`; false: no int. */
export function readInt(bytes: Uint8Array, start: number, end: number, into: NumberRead): boolean {
  if (!readLong(bytes, start, end, into)) return false;
  const value = into.high * BILLION + into.low;
  if (value > INT_MAX || value < -INT_MAX - 1) return false;
  return true;
}

/** `Long.valueOf` of the text bytes[start, end), into `high` and `low`; false: no long. */
export function readLong(bytes: Uint8Array, start: number, end: number, into: NumberRead): boolean {
  let p = start;
  const sign = p < end ? bytes[p] : 0;
  if (sign === 0x2d || sign === 0x2b) p++;
  if (p >= end) return false;
  while (p < end - 1 && bytes[p] === 0x30) p++;
  const digits = end - p;
  // The last nine digits are the rest, those before the billions; further ones can't be in a long.
  const lowStart = digits > 9 ? end - 9 : p;
  let high = 0;
  let low = 0;
  for (let i = p; i < end; i++) {
    const digit = bytes[i] - 0x30;
    if (digit < 0 || digit > 9) return bytes[i] >= 0x80 && readForeignLong(bytes, start, end, into);
    if (i >= lowStart) low = low * 10 + digit;
    else if (high <= LONG_MAX_HIGH) high = high * 10 + digit;
  }
  const negative = sign === 0x2d;
  if (high > LONG_MAX_HIGH || (high === LONG_MAX_HIGH && low > LONG_MAX_LOW + (negative ? 1 : 0))) return false;
  into.high = negative ? -high : high;
  into.low = negative ? -low : low;
  return true;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Java takes the digits of every script. */
function readForeignLong(bytes: Uint8Array, start: number, end: number, into: NumberRead): boolean {
  const text = decoder.decode(bytes.subarray(start, end));
  const plain = text.replace(/[\p{Nd}]/gu, (digit) => digit.length > 1 ? digit : String(digitValue(digit)));
  if (!/^[+-]?[0-9]+$/.test(plain)) return false;
  const ascii = encoder.encode(plain);
  return readLong(ascii, 0, ascii.length, into);
}

/** Digits of one script lie in a row that begins with its zero. */
function digitValue(digit: string): number {
  let zero = digit.charCodeAt(0);
  while (/\p{Nd}/u.test(String.fromCharCode(zero - 1))) zero--;
  return (digit.charCodeAt(0) - zero) % 10;
}

/** Powers of ten that a double holds exactly. */
const POWERS = Array.from({ length: 16 }, (_, exponent) => Number(`1e${exponent}`));
const EXACT_DIGITS = 15;

/** `Double.valueOf` of the text bytes[start, end), into `value`; false: no number. */
export function readDouble(bytes: Uint8Array, start: number, end: number, into: NumberRead): boolean {
  let p = start;
  const negative = p < end && bytes[p] === 0x2d;
  if (negative) p++;
  let value = 0;
  let decimals = -1;
  let digits = 0;
  for (; p < end; p++) {
    const byte = bytes[p];
    if (byte === 0x2e && decimals < 0) decimals = 0;
    else if (byte >= 0x30 && byte <= 0x39 && digits < EXACT_DIGITS) {
      value = value * 10 + byte - 0x30;
      digits++;
      if (decimals >= 0) decimals++;
    } else return readAnyDouble(bytes, start, end, into);
  }
  if (digits === 0) return false;
  // Both are exact, so that the division rounds once, to the nearest.
  if (decimals > 0) value /= POWERS[decimals];
  into.value = negative ? -value : value;
  return true;
}

/** Digits behind a point only, so that no text can be divided in more than one way: a property may have 32 KB of them. */
const DECIMAL = /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[fFdD]?$/;

function readAnyDouble(bytes: Uint8Array, start: number, end: number, into: NumberRead): boolean {
  while (start < end && bytes[start] <= 0x20) start++;
  while (start < end && bytes[end - 1] <= 0x20) end--;
  const text = decoder.decode(bytes.subarray(start, end));
  const special = /^([+-]?)(NaN|Infinity)$/.exec(text);
  const value = special !== null
    ? (special[1] === "-" ? -1 : 1) * Number(special[2])
    : DECIMAL.test(text)
    ? Number(text.replace(/[fFdD]$/, ""))
    : javaHexDouble(text);
  if (value === null) return false;
  into.value = value;
  return true;
}
