const COMMA = 0x2c;
const encoder = new TextEncoder();

/** The tag of op messages: these half messages have ended (`TransactionalMessageUtil.REMOVE_TAG`). */
export const REMOVE_TAG = "d";

/** The body of an op message: half offsets, each followed by a comma. */
export function opBody(offsets: readonly number[]): Uint8Array {
  return encoder.encode(offsets.join(",") + ",");
}

/** Calls `each` for the half offsets in an op body; 4.x wrote one without a comma. What is no number is passed over. */
export function readOpBody(bytes: Uint8Array, start: number, end: number, each: (offset: number) => void): void {
  let value = 0;
  let digits = 0;
  for (let at = start; at <= end; at++) {
    const byte = at < end ? bytes[at] : COMMA;
    if (byte === COMMA) {
      if (digits > 0 && Number.isSafeInteger(value)) each(value);
      value = digits = 0;
    } else if (byte >= 0x30 && byte <= 0x39 && digits >= 0) {
      value = value * 10 + byte - 0x30;
      digits++;
    } else {
      digits = -Infinity;
    }
  }
}
