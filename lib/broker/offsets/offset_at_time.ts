import type { Store } from "@rmq/store";

/** Offset of the first message that was stored at `timestampMs` or later; 0 in a queue that was never written. */
export function offsetAtTime(
  store: Pick<Store, "existingQueue" | "searchByTime">,
  topic: string,
  queueId: number,
  timestampMs: number,
): Promise<number> {
  const queue = store.existingQueue(topic, queueId);
  if (queue === null) return Promise.resolve(0);
  return new Promise((resolve) => store.searchByTime(queue, timestampMs, "lower", resolve));
}
