const HEX = /^([+-]?)0[xX](?:([0-9a-fA-F]+)\.?|([0-9a-fA-F]*)\.([0-9a-fA-F]+))[pP]([+-]?[0-9]+)[fFdD]?$/;
/** Hexadecimal digits that a double holds exactly, and those behind them that decide how it rounds. */
const EXACT = 12;
const ROUNDING = 2;

/** The value of Java's hexadecimal notation `0x1.8p3`; null: it is something else. */
export function javaHexDouble(text: string): number | null {
  const found = HEX.exec(text);
  if (found === null) return null;
  const fraction = found[4] ?? "";
  const digits = ((found[2] ?? found[3] ?? "") + fraction).replace(/^0+/, "");
  // Beyond this a result is 0 or Infinity whatever the digits are, as no text is long enough to make up for it.
  const exponent = Math.max(-1e6, Math.min(1e6, Number(found[5]))) - 4 * fraction.length;
  const value = scaled(digits, exponent);
  return found[1] === "-" ? -value : value;
}

function scaled(digits: string, exponent: number): number {
  const head = digits.slice(0, EXACT);
  const next = digits.slice(EXACT, EXACT + ROUNDING);
  const rest = digits.slice(EXACT + ROUNDING);
  let value = Number(`0x${head || "0"}`);
  if (next !== "") {
    const sticky = /[1-9a-fA-F]/.test(rest) ? 1 : 0;
    value = value * 16 ** next.length + (Number(`0x${next}`) | sticky);
  }
  return byPowerOfTwo(value, exponent + 4 * rest.length);
}

/** In steps, since 2 ** −1074 times something large is fine where 2 ** −1100 would be 0 at once. */
function byPowerOfTwo(value: number, exponent: number): number {
  if (value === 0) return 0;
  for (; exponent > 1000 && value !== Infinity; exponent -= 1000) value *= 2 ** 1000;
  for (; exponent < -1000 && value !== 0; exponent += 1000) value *= 2 ** -1000;
  return value * 2 ** Math.max(-1074, Math.min(1023, exponent));
}
