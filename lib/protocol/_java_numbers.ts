import { decodeUtf8 } from "./_bytes.ts";

const MAX_LONG = "9223372036854775807";
const MIN_LONG = "9223372036854775808";

/** Digits with an optional sign as a double, NaN for anything else. */
function parseDigits(bytes: Uint8Array, start: number, end: number): number {
  let p = start;
  const sign = bytes[p];
  if (sign === 0x2d || sign === 0x2b) p++;
  if (p >= end) return NaN;
  let value = 0;
  for (; p < end; p++) {
    const digit = bytes[p] - 0x30;
    if (digit < 0 || digit > 9) return NaN;
    value = value * 10 + digit;
  }
  return sign === 0x2d ? -value : value;
}

/** `Integer.parseInt` over ASCII; NaN where it throws. */
export function parseJavaInt(bytes: Uint8Array, start: number, end: number): number {
  const value = start < end ? parseDigits(bytes, start, end) : NaN;
  return value >= -2147483648 && value <= 2147483647 ? value + 0 : NaN;
}

/** `Long.parseLong` over ASCII; NaN where it throws. Beyond 2^53 the nearest double. */
export function parseJavaLong(bytes: Uint8Array, start: number, end: number): number {
  const value = start < end ? parseDigits(bytes, start, end) : NaN;
  if (Math.abs(value) < 9e18) return value + 0;
  if (!(Math.abs(value) < 1e19)) return NaN;
  const digits = decodeUtf8(bytes, start, end).replace(/^[-+]?0*/, "");
  const limit = value < 0 ? MIN_LONG : MAX_LONG;
  return digits.length < limit.length || digits <= limit ? value : NaN;
}

/** `Boolean.parseBoolean`: "true" in any case. */
export function isJavaTrue(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start === 4 && (bytes[start] | 0x20) === 0x74 && (bytes[start + 1] | 0x20) === 0x72 &&
    (bytes[start + 2] | 0x20) === 0x75 && (bytes[start + 3] | 0x20) === 0x65;
}
