import type { Clock } from "@rmq/platform";

/** A turn's share of long work, microseconds. */
const SLICE_US = 2000;

/** Does `each` for every item, one after the other, and lets the loop turn when it takes long. */
export async function inSlices<T>(
  clock: Clock,
  items: Iterable<T>,
  each: (item: T) => Promise<void> | void,
): Promise<void> {
  let until = clock.monotonicUs() + SLICE_US;
  for (const item of items) {
    await each(item);
    if (clock.monotonicUs() < until) continue;
    await new Promise<void>((resolve) => clock.setTimer(0, resolve));
    until = clock.monotonicUs() + SLICE_US;
  }
}
