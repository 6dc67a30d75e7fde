import { KnownProperty, type MessageDraft, ResponseCode, SCHEDULE_TOPIC, SysFlag } from "@rmq/protocol";
import type { Refusal, Rewriter, Target } from "../delivery/rewriters.ts";
import type { TopicTable } from "../topics/topic_table.ts";

/**
 * Sends a message with a delay level to the schedule topic's queue of that level; its own topic and queue are kept in
 * REAL_TOPIC and REAL_QID (storage §10, `HookUtils.handleScheduleMessage`). `levels`: how many there are.
 */
export function scheduleRewriter(topics: Pick<TopicTable, "get">, levels: number): Rewriter {
  return (draft, target) => {
    if (!draft.properties.has(KnownProperty.DELAY)) return null;
    return scheduleRewrite(draft, target, topics, levels);
  };
}

function scheduleRewrite(
  draft: MessageDraft,
  target: Target,
  topics: Pick<TopicTable, "get">,
  levels: number,
): Refusal | null {
  const transaction = draft.sysFlag & SysFlag.TRANSACTION_MASK;
  if (transaction === SysFlag.TRANSACTION_PREPARED || transaction === SysFlag.TRANSACTION_ROLLBACK) return null;
  const { properties } = draft;
  const text = properties.text(KnownProperty.DELAY) ?? "";
  if (!/^[+-]?\d{1,10}$/.test(text)) {
    return { code: ResponseCode.SYSTEM_ERROR, remark: `the property DELAY is "${text}", not a level` };
  }
  let level = Number(text);
  if (level <= 0) return null;
  const schedule = topics.get(SCHEDULE_TOPIC);
  if (schedule === null) return null;
  if (level > levels) {
    level = levels;
    properties.set(KnownProperty.DELAY, String(level));
  }
  properties.setBytes(KnownProperty.REAL_TOPIC, target.topic.nameBytes, 0, target.topic.nameBytes.length);
  properties.set(KnownProperty.REAL_QID, String(target.queueId));
  target.topic = schedule;
  target.queueId = level - 1;
  return null;
}
