import type { Handler, Handlers } from "@rmq/remoting";
import { consumerStatusHandlers } from "./clients/consumer_status.ts";
import { forwardHandlers } from "./clients/forward_handlers.ts";
import { heartbeatHandlers } from "./clients/heartbeat.ts";
import { lockHandlers } from "./clients/lock_handlers.ts";
import { onlineHandlers } from "./clients/online_handlers.ts";
import { configHandlers } from "./config_handlers.ts";
import { queryHandlers } from "./delivery/queries.ts";
import { replyHandlers } from "./delivery/reply.ts";
import { sendBackHandlers } from "./delivery/send_back.ts";
import { groupHandlers } from "./groups/group_handlers.ts";
import { whoConsumesHandlers } from "./groups/who_consumes.ts";
import { compareGroupsHandlers } from "./offsets/compare_groups.ts";
import { consumeTimeSpanHandlers } from "./offsets/consume_time_span.ts";
import { topicStatsHandlers } from "./topics/topic_stats.ts";
import { consumeStatsHandlers } from "./offsets/consume_stats.ts";
import { offsetHandlers } from "./offsets/offset_handlers.ts";
import { resetHandlers } from "./offsets/reset_handlers.ts";
import type { BrokerState } from "./state.ts";
import { topicHandlers } from "./topics/topic_handlers.ts";

/** Every request that the broker serves, by code; `own` are those that need more than the state. */
export function handlersOf(state: BrokerState, own: readonly [number, Handler][]): Handlers {
  const handlers = new Map<number, Handler>(own);
  const parts = [
    topicHandlers,
    groupHandlers,
    offsetHandlers,
    resetHandlers,
    consumeStatsHandlers,
    consumeTimeSpanHandlers,
    compareGroupsHandlers,
    topicStatsHandlers,
    whoConsumesHandlers,
    heartbeatHandlers,
    onlineHandlers,
    forwardHandlers,
    consumerStatusHandlers,
    lockHandlers,
    sendBackHandlers,
    replyHandlers,
    queryHandlers,
    configHandlers,
  ];
  for (const part of parts) {
    for (const [code, handler] of part(state)) {
      if (handlers.has(code)) throw new Error(`two handlers for request code ${code}`);
      handlers.set(code, handler);
    }
  }
  return handlers;
}
