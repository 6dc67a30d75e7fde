import type { LocalTime } from "@rmq/platform";

/** Digits of an index file's name. */
const NAME = /^[0-9]{17}$/;
const LOW_DIGITS = 8;

/** True for the name of an index file: yyyyMMddHHmmssSSS. */
export function isIndexName(name: string): boolean {
  return NAME.test(name);
}

/** Name of an index file made at a local time; one above `last` when that is not above it, as names give the order. */
export function indexName(time: LocalTime, last: string): string {
  const digits = (value: number, count: number): string => value.toString().padStart(count, "0");
  const name = digits(time.year, 4) + digits(time.month, 2) + digits(time.day, 2) + digits(time.hour, 2) +
    digits(time.minute, 2) + digits(time.second, 2) + digits(time.millisecond, 3);
  return name > last ? name : nameAfter(last);
}

/** The next number; in two halves, as 17 digits are more than a number holds exactly. */
function nameAfter(name: string): string {
  const low = Number(name.slice(-LOW_DIGITS)) + 1;
  const high = Number(name.slice(0, -LOW_DIGITS)) + Math.floor(low / 10 ** LOW_DIGITS);
  return high.toString().padStart(name.length - LOW_DIGITS, "0") +
    (low % 10 ** LOW_DIGITS).toString().padStart(LOW_DIGITS, "0");
}
