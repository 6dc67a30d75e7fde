const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A `messageDelayLevel` that can't be read; the message says which part. */
export class DelayLevelError extends Error {
  override readonly name = "DelayLevelError";
}

/** The delays of `messageDelayLevel` in ms, level 1 first (`ScheduleMessageService.parseDelayLevel`). Throws DelayLevelError. */
export function parseDelayTimes(levels: string): number[] {
  return levels.trim().split(/\s+/).map((part) => {
    const unit = UNITS[part.slice(-1)];
    const count = Number(part.slice(0, -1));
    if (unit === undefined || !/^\d+$/.test(part.slice(0, -1)) || !Number.isSafeInteger(count * unit)) {
      throw new DelayLevelError(`messageDelayLevel: "${part}" is not a number with s, m, h or d behind it`);
    }
    return count * unit;
  });
}
