import { isStoredAt, StoredMessage } from "@rmq/protocol";
import type { ConsumeQueue } from "./consume_queue.ts";
import { readUnits } from "./consume_queue_files.ts";
import { UNIT_BYTES, unitPhysical, unitSize } from "./consume_queue_layout.ts";
import type { LogReader } from "./log_reader.ts";

/** Which of several offsets a search by time is for: the first at or after it, or the last at or before it. */
export type TimeBoundary = "lower" | "upper";

/** Store time of the message at a queue offset, milliseconds; -1: there is none, or it can't be read. */
export function storeTimeAt(
  log: LogReader,
  queue: ConsumeQueue,
  offset: number,
  done: (timestampMs: number) => void,
): void {
  if (!(offset >= queue.min && offset < queue.max)) return done(-1);
  readUnits(queue, offset, offset + 1, (error, units, at, count) => {
    if (error !== null || count === 0) return done(-1);
    const physical = unitPhysical(units, at);
    const size = unitSize(units, at);
    if (size <= 0 || physical < log.minOffset || physical + size > log.visible) return done(-1);
    log.read(physical, size, (error, bytes, start) => {
      if (error !== null) return done(-1);
      const message = new StoredMessage();
      const isThere = isStoredAt(bytes, start, size, physical) &&
        message.parse(bytes, start, start + size, false) === size;
      done(isThere ? message.storeTimestamp : -1);
    });
  });
}

/**
 * Queue offset by store time (storage sheet §4; Apache: `getOffsetInQueueByTime`). `lower`: the first message stored at
 * or after it, the end of the queue when all are older. `upper`: the last one stored at or before it, 0 when all are newer.
 */
export function searchByTime(
  log: LogReader,
  queue: ConsumeQueue,
  timestampMs: number,
  boundary: TimeBoundary,
  done: (offset: number) => void,
): void {
  const { min, max } = queue;
  if (max === 0) return done(0);
  if (min >= max) return done(boundary === "lower" ? max : max - 1);
  // Invariant: what is below `low` is before the boundary, what is at or above `high` is not.
  let low = min;
  let high = max;
  const isBefore = (time: number): boolean => boundary === "lower" ? time < timestampMs : time <= timestampMs;
  const finish = (): void => {
    if (boundary === "upper") return done(low > min ? low - 1 : 0);
    if (low > min) return done(low);
    storeTimeAt(log, queue, min, (time) => done(time > timestampMs ? firstOfFile(queue, min) : min));
  };
  // Reads that answer at once are taken in a loop, so that a search never recurses.
  const run = (): void => {
    let answeredAtOnce = true;
    while (answeredAtOnce) {
      if (low >= high) return finish();
      const middle = Math.floor((low + high) / 2);
      let inCall = true;
      answeredAtOnce = false;
      storeTimeAt(log, queue, middle, (time) => {
        // A message that is gone is older than all that are there.
        if (time < 0 || isBefore(time)) low = middle + 1;
        else high = middle;
        if (inCall) answeredAtOnce = true;
        else run();
      });
      inCall = false;
    }
  };
  run();
}

/** All newer: Apache answers the first unit of the file that it looked in, even when that message is gone already. */
function firstOfFile(queue: ConsumeQueue, offset: number): number {
  const fileUnits = queue.disk.fileBytes / UNIT_BYTES;
  return Math.max(queue.first, offset - (offset % fileUnits));
}
