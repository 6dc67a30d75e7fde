import { Fields, type Header, ResponseCode, RETRY_PREFIX, type StoredMessage } from "@rmq/protocol";
import { matchOfCodes, type TagsMatch, type TagsMatches } from "../filters/tags.ts";
import { SQL92 } from "../filters/filter_data.ts";
import { SqlError } from "../filters/sql_error.ts";
import type { Group } from "../groups/group_table.ts";
import type { BrokerState } from "../state.ts";
import type { Topic } from "../topics/topic_table.ts";
import { isTagType, type SubscriptionData } from "../clients/subscription.ts";
import { faq } from "./remarks.ts";

const F = Fields.PULL_MESSAGE;

/** Bit of a pull's sysFlag: the subscription stands in the header. */
const SUBSCRIPTION = 4;

/** Decides by a message itself whether a subscription wants it. */
export type MessageMatch = (message: StoredMessage) => boolean;

/** What a pull wants to see; both null: everything. */
export interface Subscription {
  readonly tags: TagsMatch | null;
  readonly matches: MessageMatch | null;
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
  if ((header.int(F.sysFlag, 0) & SUBSCRIPTION) !== 0) return fromHeader(state, matches, header, group, topic);
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
  if (!isTagType(data.expressionType)) return registeredFilter(state, header, group, topic, data);
  return { tags: data.classFilterMode || data.subString === "*" ? null : matchOfCodes(data.codeSet), matches: null };
}

/** The expression that the group's heartbeat brought. */
function registeredFilter(
  state: BrokerState,
  header: Header,
  group: Group,
  topic: Topic,
  data: SubscriptionData,
): Subscription | SubscriptionProblem {
  const registered = state.filters.get(topic.name, group.name);
  if (registered === null) {
    return {
      code: ResponseCode.FILTER_DATA_NOT_EXIST,
      remark: "The broker's consumer filter data is not exist!Your expression may be wrong!",
    };
  }
  if (registered.clientVersion < header.long(F.subVersion, 0)) {
    return { code: ResponseCode.FILTER_DATA_NOT_LATEST, remark: "the consumer's consumer filter data not latest" };
  }
  if (!state.settings.enablePropertyFilter) return noExpressions(data.expressionType);
  if (data.classFilterMode) return { tags: null, matches: null };
  return { tags: null, matches: onRetries(state, group, topic) ?? registered.filter.matches };
}

/** With `filterSupportRetry`, what comes again is judged by what the group wants of the topic that it came from. */
function onRetries(state: BrokerState, group: Group, topic: Topic): MessageMatch | null {
  if (!state.settings.filterSupportRetry || !topic.name.startsWith(RETRY_PREFIX)) return null;
  return (message) => {
    const registered = state.filters.get(message.property("RETRY_TOPIC") ?? "", group.name);
    return registered === null || registered.filter.matches(message);
  };
}

function fromHeader(
  state: BrokerState,
  matches: TagsMatches,
  header: Header,
  group: Group,
  topic: Topic,
): Subscription | SubscriptionProblem {
  if (header.has(F.expressionType)) {
    const type = header.text(F.expressionType);
    if (!isTagType(type)) return filterOfHeader(state, header, type, group, topic);
  }
  const start = header.start(F.subscription);
  const all = !header.has(F.subscription) ||
    (header.end(F.subscription) - start === 1 && header.valueBytes[start] === 0x2a);
  return { tags: all ? null : matches.of(header.text(F.subscription) ?? ""), matches: null };
}

/** Apache delivers everything when it can't compile the expression; here its sender is told. */
function filterOfHeader(
  state: BrokerState,
  header: Header,
  type: string | null,
  group: Group,
  topic: Topic,
): Subscription | SubscriptionProblem {
  const expression = header.text(F.subscription);
  if (expression === null || expression === "") return notParsed(null);
  if (!state.settings.enablePropertyFilter) return noExpressions(type);
  if (type !== SQL92) return notParsed(`the expression type ${type} is unknown, there are TAG and ${SQL92}`);
  const filter = state.filters.compile(expression);
  if (filter instanceof SqlError) return notParsed(filter.message);
  return { tags: null, matches: onRetries(state, group, topic) ?? filter.matches };
}

function notParsed(cause: string | null): SubscriptionProblem {
  const remark = "parse the consumer's subscription failed";
  return { code: ResponseCode.SUBSCRIPTION_PARSE_FAILED, remark: cause === null ? remark : `${remark}: ${cause}` };
}

/** Answer of a broker with `enablePropertyFilter=false`. */
function noExpressions(type: string | null): SubscriptionProblem {
  return {
    code: ResponseCode.SYSTEM_ERROR,
    remark: `The broker does not support consumer to filter message by ${type}`,
  };
}
