import { Fields, type Header, ResponseCode } from "@rmq/protocol";
import { matchOfCodes, type TagsMatch, type TagsMatches } from "../filters/tags.ts";
import type { Group } from "../groups/group_table.ts";
import type { BrokerState } from "../state.ts";
import type { Topic } from "../topics/topic_table.ts";
import { faq } from "./remarks.ts";

const F = Fields.PULL_MESSAGE;

/** Bit of a pull's sysFlag: the subscription stands in the header. */
const SUBSCRIPTION = 4;

/** What a pull wants to see; null: everything. */
export interface Subscription {
  readonly tags: TagsMatch | null;
}

/** Why a pull's subscription is not accepted. */
export interface SubscriptionProblem {
  readonly code: number;
  readonly remark: string;
  readonly forbiddenType?: string;
}

/**
 * The subscription of a pull: from its header, or what its group registered by heartbeat, with Apache's checks in
 * Apache's order (remoting sheet §12.1).
 */
export function subscriptionFor(
  state: BrokerState,
  matches: TagsMatches,
  header: Header,
  group: Group,
  topic: Topic,
): Subscription | SubscriptionProblem {
  if ((header.int(F.sysFlag, 0) & SUBSCRIPTION) !== 0) return fromHeader(matches, header);
  const info = state.clients.consumerGroup(group.name);
  if (info === null) {
    return { code: ResponseCode.SUBSCRIPTION_NOT_EXIST, remark: `the consumer's group info not exist\n${faq}` };
  }
  if (!group.config.consumeBroadcastEnable && info.messageModel === "BROADCASTING") {
    return {
      code: ResponseCode.NO_PERMISSION,
      remark: `the consumer group[${group.name}] can not consume by broadcast way`,
      forbiddenType: "4",
    };
  }
  if ((state.groups.forbidden(group.name, topic.name) & 1) !== 0) {
    return {
      code: ResponseCode.NO_PERMISSION,
      remark: `the consumer group[${group.name}] is forbidden for topic[${topic.name}]`,
      forbiddenType: "5",
    };
  }
  const data = info.subscription(topic.name);
  if (data === null) {
    return {
      code: ResponseCode.SUBSCRIPTION_NOT_EXIST,
      remark: `the consumer's subscription not exist\n${faq}`,
    };
  }
  if (data.subVersion < header.long(F.subVersion, 0)) {
    return { code: ResponseCode.SUBSCRIPTION_NOT_LATEST, remark: "the consumer's subscription not latest" };
  }
  if (!isTagType(data.expressionType)) return noExpressions(data.expressionType);
  return { tags: data.classFilterMode || data.subString === "*" ? null : matchOfCodes(data.codeSet) };
}

function fromHeader(matches: TagsMatches, header: Header): Subscription | SubscriptionProblem {
  if (header.has(F.expressionType)) {
    const type = header.text(F.expressionType);
    if (!isTagType(type)) {
      if (!header.has(F.subscription) || header.end(F.subscription) === header.start(F.subscription)) {
        return { code: ResponseCode.SUBSCRIPTION_PARSE_FAILED, remark: "parse the consumer's subscription failed" };
      }
      return noExpressions(type);
    }
  }
  const start = header.start(F.subscription);
  const all = !header.has(F.subscription) ||
    (header.end(F.subscription) - start === 1 && header.valueBytes[start] === 0x2a);
  return { tags: all ? null : matches.of(header.text(F.subscription) ?? "") };
}

function isTagType(type: string | null | undefined): boolean {
  return type === null || type === undefined || type === "" || type === "TAG";
}

/** Answer of a broker with `enablePropertyFilter=false`; expressions are not built yet. */
function noExpressions(type: string | null): SubscriptionProblem {
  return {
    code: ResponseCode.SYSTEM_ERROR,
    remark: `The broker does not support consumer to filter message by ${type}`,
  };
}
