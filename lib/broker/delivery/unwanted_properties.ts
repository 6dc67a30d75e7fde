import { KnownProperty, type Properties, ResponseCode } from "@rmq/protocol";
import { hasTimer } from "../timers/timer_rewriter.ts";
import { isTransactional } from "../transactions/half_message.ts";
import type { Refusal } from "./rewriters.ts";

const NO_TRANSACTIONS = "a batch can't be part of a transaction: send its messages one by one";
const NUL = "a property holds a NUL character, which no RocketMQ client can read back";

/** Remark for messages of topics with `queue.type=BatchCQ`. */
export const NO_INNER_BATCHES: string =
  "inner batches (INNER_NUM, sysFlag 0x80) need a topic with queue.type=BatchCQ, which this broker does not have; use an ordinary batch (320)";

/** A refusal with code 13. */
export function illegal(remark: string): Refusal {
  return { code: ResponseCode.MESSAGE_ILLEGAL, remark };
}

/** Why a message with these properties can't be stored as an ordinary one; null: it can. */
export function unwantedProperty(properties: Properties): string | null {
  // Recovery takes zeros in an entry for what a torn write left (storage sheet §7).
  if (properties.hasNul) return NUL;
  if (properties.has(KnownProperty.INNER_NUM)) return NO_INNER_BATCHES;
  return null;
}

/** Why a message inside a batch can't be stored; null: it can. */
export function unwantedInBatch(properties: Properties): string | null {
  return unwantedProperty(properties) ?? (isTransactional(properties) ? NO_TRANSACTIONS : null);
}

/** Why a batch with these properties of its own is refused; delays too are not for batches (remoting sheet §11.4). */
export function unwantedOfBatch(properties: Properties): Refusal | null {
  const unwanted = unwantedInBatch(properties);
  if (unwanted !== null) return illegal(unwanted);
  if (!properties.has(KnownProperty.DELAY) && !hasTimer(properties)) return null;
  return illegal("a batch can't be delayed: send its messages one by one");
}
