import { KnownProperty, type Properties } from "@rmq/protocol";
import type { Target } from "./rewriters.ts";

const { TRAN_MSG, DELAY, TIMER_DELIVER_MS, TIMER_DELAY_SEC, TIMER_DELAY_MS, SHARDING_KEY, PRIORITY } = KnownProperty;
/** Kinds of message that a priority can't go with: what waits or is ordered has its queue already. */
const OTHER_KINDS = [DELAY, TIMER_DELIVER_MS, TIMER_DELAY_SEC, TIMER_DELAY_MS, SHARDING_KEY];

/**
 * Sends a message with a priority to the queue of that number, the last one at most; on a message that is delayed,
 * ordered or half, a priority is dropped instead (remoting sheet §17, `SendMessageProcessor.sendMessage`).
 */
export function byPriority(properties: Properties, target: Target): void {
  const text = properties.text(PRIORITY) ?? "";
  const priority = /^[+-]?\d{1,10}$/.test(text) ? Number(text) : -1;
  if (priority < 0 || priority > 0x7fffffff) return;
  if (OTHER_KINDS.some((kind) => properties.has(kind)) || properties.text(TRAN_MSG)?.toLowerCase() === "true") {
    properties.delete(PRIORITY);
    return;
  }
  target.queueId = Math.max(0, Math.min(priority, target.topic.config.writeQueueNums - 1));
}
