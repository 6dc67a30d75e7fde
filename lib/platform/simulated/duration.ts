const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of `250`, `"250ms"`, `"10s"`, `"5m"`, `"2h"`, `"3d"`, `"1h 30m"`. Throws RangeError for anything else. */
export function durationMs(duration: number | string): number {
  if (typeof duration === "number") return duration;
  const parts = duration.trim().split(/\s+/);
  return parts.reduce((sum, part) => {
    const [, count, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(part) ?? [];
    if (unit === undefined) throw new RangeError(`"${duration}" is no duration; "2h" or "90s" would be one`);
    return sum + Number(count) * UNITS[unit];
  }, 0);
}
