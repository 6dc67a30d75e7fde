import { ClientError } from "./client_error.ts";

/** A span of time: milliseconds, or a number with its unit, `"500ms"`, `"10s"`, `"2h"`. */
export type Duration = number | `${number}${"ms" | "s" | "m" | "h" | "d"}`;

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of a duration. Throws ClientError `BAD_ARGUMENT`; `what` names it in the message. */
export function milliseconds(duration: Duration, what: string = "a duration"): number {
  if (typeof duration === "number" && duration >= 0) return duration;
  const match = typeof duration === "string" ? /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(duration.trim()) : null;
  if (match === null) {
    throw new ClientError("BAD_ARGUMENT", `${what} is neither milliseconds nor like "10s": ${String(duration)}`);
  }
  return Number(match[1]) * UNIT_MS[match[2]];
}
