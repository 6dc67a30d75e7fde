import { RETRY_PREFIX } from "@rmq/protocol";
import { ClientError } from "../client_error.ts";
import type { ConsumerData, Network } from "../network/network.ts";
import type { MessageQueue } from "../network/route.ts";
import { maxOffset, offsetAt } from "./queue_offsets.ts";

/** Where a group without offsets begins: with the first message, behind the last one, or at a time (ms since 1970, or a Date). */
export type StartFrom = "first" | "last" | number | { getTime(): number };

/** How heartbeats name it. */
export function startName(from: StartFrom): ConsumerData["consumeFromWhere"] {
  if (from === "first") return "CONSUME_FROM_FIRST_OFFSET";
  return from === "last" ? "CONSUME_FROM_LAST_OFFSET" : "CONSUME_FROM_TIMESTAMP";
}

/** ms since 1970, of a start at a time. Throws ClientError `BAD_ARGUMENT`. */
export function checkStart(from: StartFrom): StartFrom {
  if (from === "first" || from === "last") return from;
  const timestamp = typeof from === "number" ? from : from.getTime();
  if (Number.isSafeInteger(timestamp) && timestamp >= 0) return timestamp;
  throw new ClientError("BAD_ARGUMENT", `from is neither "first" nor "last" nor a time: ${String(from)}`);
}

/**
 * Where a queue is begun: `committed` when there is one, else as `from` says. Retries never begin behind the last one but
 * for a start at a time. (RebalancePushImpl.computePullFromWhere)
 */
export async function startOffset(
  network: Network,
  queue: MessageQueue,
  committed: number | null,
  from: StartFrom,
): Promise<number> {
  if (committed !== null) return committed;
  const isRetry = queue.topic.startsWith(RETRY_PREFIX);
  if (from === "first") return 0;
  if (from === "last") return isRetry ? 0 : await maxOffset(network, queue);
  const timestamp = typeof from === "number" ? from : from.getTime();
  return isRetry ? await maxOffset(network, queue) : await offsetAt(network, queue, timestamp);
}
