import type { Clock } from "@rmq/platform";
import type { ReceivedMessage } from "../consumer/received_message.ts";
import type { HookEnded } from "../hooks.ts";
import type { UniqueIds } from "../unique_id.ts";
import type { Tracer } from "./tracer.ts";

const FIELD = "\x01";
const END = "\x02";
/** Java's region when the broker names none. */
const REGION = "DefaultRegion";
/** Numbers of ConsumeReturnType. */
const SUCCESS = 0;
const EXCEPTION = 2;

/**
 * Traces that a message is being consumed; what it returns traces the end. (ConsumeMessageTraceHookImpl,
 * TraceDataEncoder) `topic` is that of the traces. Fields are ended by 0x01, the whole by 0x02:
 *
 * | SubBefore | time | region | group | request | id | retries | keys |
 * | SubAfter | request | id | cost | ok | keys | return type | time | group |
 */
export function consumeTrace(
  tracer: Tracer,
  uniqueIds: UniqueIds,
  clock: Clock,
  topic: string,
): (message: ReceivedMessage, group: string) => HookEnded | null {
  return (message, group) => {
    const { properties, messageId } = message;
    // Who reads the traces must not make more of them.
    if (message.topic === topic || properties.get("TRACE_ON") === "false") return null;
    const beganMs = clock.nowMs();
    const request = uniqueIds.next(beganMs);
    const keyText = message.keys.join(" ");
    const keys = [messageId, ...message.keys];
    const region = properties.get("MSG_REGION") ?? REGION;
    const before = ["SubBefore", beganMs, region, group, request, messageId, message.attempt - 1, keyText];
    tracer.add({ text: before.join(FIELD) + END, keys });
    return ({ error }) => {
      const costMs = clock.nowMs() - beganMs;
      const ok = error === undefined;
      const code = ok ? SUCCESS : EXCEPTION;
      const after = ["SubAfter", request, messageId, costMs, ok, keyText, code, clock.nowMs(), group];
      tracer.add({ text: after.join(FIELD) + END, keys });
    };
  };
}
