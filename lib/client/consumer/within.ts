import type { Clock } from "@rmq/platform";
import { sleep } from "../waiting.ts";

/** Resolves when `ended` has, or `ms` are over, whichever is first; never rejects. */
export async function within(clock: Clock, ms: number, ended: Promise<unknown>): Promise<void> {
  const over = new AbortController();
  const late = sleep(clock, ms, over.signal).catch(() => {});
  await Promise.race([ended.catch(() => {}), late]);
  over.abort();
}
