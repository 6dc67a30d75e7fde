import type { Clock } from "@rmq/platform";
import { KnownProperty, type MessageDraft, type Properties, ResponseCode, SysFlag, TIMER_TOPIC } from "@rmq/protocol";
import type { Refusal, Rewriter, Target } from "../delivery/rewriters.ts";
import type { TopicTable } from "../topics/topic_table.ts";
import { floorTo } from "./timer_intake.ts";

/** What the rewriter goes by. */
export interface TimerRewriterOptions {
  readonly clock: Clock;
  readonly topics: Pick<TopicTable, "get">;
  readonly settings: {
    readonly timerWheelEnable: boolean;
    readonly timerMaxDelaySec: number;
    readonly timerPrecisionMs: number;
  };
}

/**
 * Sends a message with a time of its own to the timer topic: TIMER_DELAY_SEC, TIMER_DELAY_MS, or TIMER_DELIVER_MS, in this
 * order (storage §11, `HookUtils.handleScheduleMessage`). One that is due already goes where it was sent to.
 */
export function timerRewriter(options: TimerRewriterOptions): Rewriter {
  return (draft, target) => {
    const { properties } = draft;
    if (!hasTimer(properties)) return null;
    return timerRewrite(draft, target, options);
  };
}

/** Whether a message has a property that asks for a time. */
export function hasTimer(properties: Properties): boolean {
  return properties.has(KnownProperty.TIMER_DELAY_SEC) || properties.has(KnownProperty.TIMER_DELAY_MS) ||
    properties.has(KnownProperty.TIMER_DELIVER_MS);
}

function timerRewrite(draft: MessageDraft, target: Target, options: TimerRewriterOptions): Refusal | null {
  const transaction = draft.sysFlag & SysFlag.TRANSACTION_MASK;
  if (transaction === SysFlag.TRANSACTION_PREPARED || transaction === SysFlag.TRANSACTION_ROLLBACK) return null;
  const { properties } = draft;
  if (target.topic.name === TIMER_TOPIC) return null;
  if (Number(properties.text(KnownProperty.DELAY) ?? "0") > 0) return dropTimes(properties);
  if (properties.has(KnownProperty.TIMER_OUT_MS)) return null;
  const { clock, topics, settings } = options;
  const timer = topics.get(TIMER_TOPIC);
  if (!settings.timerWheelEnable || timer === null) {
    const remark = `accurate timer message is not enabled, timerWheelEnable is ${settings.timerWheelEnable}`;
    return { code: ResponseCode.SYSTEM_ERROR, remark };
  }
  const nowMs = clock.nowMs();
  const deliverMs = deliverTime(properties, nowMs);
  const maxMs = settings.timerMaxDelaySec * 1000;
  const past = deliverMs <= nowMs;
  if (Number.isNaN(deliverMs) || deliverMs - nowMs > maxMs || past && properties.has(KnownProperty.TIMER_DEL_UNIQKEY)) {
    return { code: ResponseCode.MESSAGE_ILLEGAL, remark: illegalTime(maxMs) };
  }
  if (past) return null;
  // A slot is read when its tick is over: what is due with the tick's end belongs into it.
  properties.set(KnownProperty.TIMER_OUT_MS, String(floorTo(deliverMs - 1, settings.timerPrecisionMs)));
  properties.setBytes(KnownProperty.REAL_TOPIC, target.topic.nameBytes, 0, target.topic.nameBytes.length);
  properties.set(KnownProperty.REAL_QID, String(target.queueId));
  target.topic = timer;
  target.queueId = 0;
  return null;
}

/** With a delay level the times do not count. */
function dropTimes(properties: Properties): null {
  properties.delete(KnownProperty.TIMER_DELAY_SEC);
  properties.delete(KnownProperty.TIMER_DELAY_MS);
  properties.delete(KnownProperty.TIMER_DELIVER_MS);
  return null;
}

/** When the message is to be delivered, ms; NaN: what it says is no number. */
function deliverTime(properties: Properties, nowMs: number): number {
  const seconds = properties.text(KnownProperty.TIMER_DELAY_SEC);
  if (seconds !== null) return nowMs + long(seconds) * 1000;
  const delay = properties.text(KnownProperty.TIMER_DELAY_MS);
  if (delay !== null) return nowMs + long(delay);
  return long(properties.text(KnownProperty.TIMER_DELIVER_MS) ?? "");
}

/** As `Long.parseLong` takes it. */
function long(text: string): number {
  return /^[+-]?\d{1,19}$/.test(text) ? Number(text) : NaN;
}

function illegalTime(maxMs: number): string {
  return `timer message illegal, the delay time should not be bigger than the max delay ${maxMs}ms; ` +
    "or if set del msg, the delay time should be bigger than the current time";
}
