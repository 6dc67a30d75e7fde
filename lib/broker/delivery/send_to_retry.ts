import { type Header, KnownProperty, type MessageDraft, ResponseCode, RETRY_PREFIX } from "@rmq/protocol";
import type { BrokerState } from "../state.ts";
import { DEAD_LETTER_QUEUE, deadLetterTopic, maxReconsumeTimes } from "./dead_letters.ts";
import { faq } from "./remarks.ts";
import type { Refusal, Target } from "./rewriters.ts";

/**
 * What applies to a client's send to a `%RETRY%` topic (remoting §11.6 step 9, `handleRetryAndDLQ`): its group must
 * exist, and a message that was tried too often goes to the dead letters; so does one of a group that consumes in order,
 * because there a retry would overtake. `askedMax`: the header's maxReconsumeTimes, negative when it has none.
 */
export function retryRefusal(
  state: BrokerState,
  draft: MessageDraft,
  target: Target,
  header: Header,
  askedMax: number,
): Refusal | null {
  const name = groupOfRetryTopic(target.topic.name);
  const group = state.groups.ensure(name);
  if (group === null) {
    const remark = `subscription group not exist, ${name} ${faq}`;
    return { code: ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST, remark };
  }
  const max = maxReconsumeTimes(header.version, askedMax < 0 ? NaN : askedMax, group.config.retryMaxTimes);
  if (draft.reconsumeTimes <= max && !state.locks.anyLocked(name)) return null;
  const deadLetters = deadLetterTopic(state, name);
  if (deadLetters === null) {
    return { code: ResponseCode.SYSTEM_ERROR, remark: `topic[%DLQ%${name}] not exist` };
  }
  draft.properties.set(KnownProperty.DELAY, "-1");
  target.topic = deadLetters;
  target.queueId = DEAD_LETTER_QUEUE;
  return null;
}

/** `%RETRY%group`, or a pop consumer's `%RETRY%group+topic`. */
function groupOfRetryTopic(topic: string): string {
  return topic.slice(RETRY_PREFIX.length).split("+")[0];
}
