import {
  Fields,
  type Header,
  KnownProperty,
  MessageDraft,
  offsetMessageId,
  Perm,
  type Properties,
  RequestCode,
  ResponseCode,
  RETRY_PREFIX,
  StoredMessage,
  TopicSysFlag,
} from "@rmq/protocol";
import type { Handler, Later, RemotingConnection } from "@rmq/remoting";
import { AppendStatus } from "@rmq/store";
import { parseDelayTimes } from "../delay/delay_times.ts";
import type { GroupConfig } from "../groups/group_config.ts";
import { levelFor, policyDelayMs } from "../groups/retry_policy.ts";
import { MissingField, requiredInt, requiredLong, requiredText } from "../required_fields.ts";
import type { BrokerSettings } from "../settings.ts";
import type { BrokerState } from "../state.ts";
import type { Topic } from "../topics/topic_table.ts";
import { DEAD_LETTER_QUEUE, deadLetterTopic, maxReconsumeTimes } from "./dead_letters.ts";
import { draftOfStored } from "./draft_of_stored.ts";
import { faq } from "./remarks.ts";

/** The level that a message tried for the first time comes back with (10 s). */
const FIRST_LEVEL = 3;

/** A policy that wants no delay must not make a loop of a message that always fails. */
const SHORTEST_MS = 1000;
const OLD_TIMES = [
  KnownProperty.DELAY,
  KnownProperty.TIMER_DELAY_SEC,
  KnownProperty.TIMER_DELIVER_MS,
  KnownProperty.TIMER_OUT_MS,
  KnownProperty.TIMER_DEL_UNIQKEY,
  KnownProperty.TIMER_ROLL_TIMES,
];

/** What a consumer asks for with 36, copied out of its request. */
interface SendBack {
  readonly group: string;
  readonly config: GroupConfig;
  /** Physical offset of the message. */
  readonly offset: number;
  readonly delayLevel: number;
  readonly maxTimes: number;
  readonly hasOriginTopic: boolean;
}

/** Messages that consumers failed to consume: 36 (`AbstractSendMessageProcessor.consumerSendMsgBack`, remoting §12.5). */
export function sendBackHandlers(state: BrokerState): [code: number, handler: Handler][] {
  const scratch: Scratch = {
    draft: new MessageDraft(),
    message: new StoredMessage(),
    delayTimesMs: parseDelayTimes(state.settings.messageDelayLevel),
  };
  return [[
    RequestCode.CONSUMER_SEND_MSG_BACK,
    (header, connection) => sendBack(state, scratch, header, connection),
  ]];
}

/** What one send back after the other uses. */
interface Scratch {
  readonly draft: MessageDraft;
  readonly message: StoredMessage;
  /** Of each level, the first one first. */
  readonly delayTimesMs: readonly number[];
}

function sendBack(state: BrokerState, scratch: Scratch, header: Header, connection: RemotingConnection): void {
  const F = Fields.CONSUMER_SEND_MSG_BACK;
  const refuse = (code: number, remark: string | null) => connection.answer(header.opaque, { code, remark });
  const name = requiredText(header, F.group, "group");
  const group = state.groups.ensure(name);
  if (group === null) {
    return refuse(ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST, `subscription group not exist, ${name} ${faq}`);
  }
  const { config } = group;
  if ((state.settings.brokerPermission & Perm.WRITE) === 0) {
    return refuse(ResponseCode.NO_PERMISSION, `the broker[${state.settings.brokerIP1}] sending message is forbidden`);
  }
  if (config.retryQueueNums <= 0) return refuse(ResponseCode.SUCCESS, null);
  const retryName = RETRY_PREFIX + name;
  const sysFlag = header.bool(F.unitMode, false) ? TopicSysFlag.UNIT_SUB : 0;
  const retry = state.topics.createOnSendBack(retryName, config.retryQueueNums, Perm.READ | Perm.WRITE, sysFlag);
  if (retry === null) return refuse(ResponseCode.SYSTEM_ERROR, `topic[${retryName}] not exist`);
  if ((retry.config.perm & Perm.WRITE) === 0) {
    return refuse(ResponseCode.NO_PERMISSION, `the topic[${retryName}] sending message is forbidden`);
  }
  const request: SendBack = {
    group: name,
    config,
    offset: requiredLong(header, F.offset, "offset"),
    delayLevel: requiredInt(header, F.delayLevel, "delayLevel"),
    maxTimes: maxReconsumeTimes(header.version, header.int(F.maxReconsumeTimes, NaN), config.retryMaxTimes),
    hasOriginTopic: header.has(F.originTopic),
  };
  const later = connection.later(header);
  state.topics.whenDurable(retry, () => lookUp(state, scratch, retry, request, later));
}

/** Finds the message and puts it back. */
function lookUp(state: BrokerState, scratch: Scratch, retry: Topic, request: SendBack, later: Later): void {
  state.store.entryAt(request.offset, 0, (bytes, start, end) => {
    if (bytes === null || scratch.message.parse(bytes, start, end, false) <= 0) {
      const remark = `look message by offset failed, ${request.offset}`;
      return later.answer({ code: ResponseCode.SYSTEM_ERROR, remark });
    }
    putBack(state, scratch, retry, request, later);
  });
}

function putBack(state: BrokerState, scratch: Scratch, retry: Topic, request: SendBack, later: Later): void {
  const { draft, message } = scratch;
  const { properties } = draft;
  draftOfStored(message, draft);
  if (!properties.has(KnownProperty.RETRY_TOPIC)) {
    properties.setBytes(KnownProperty.RETRY_TOPIC, message.bytes, message.topicStart, message.topicEnd);
  }
  properties.set(KnownProperty.WAIT, "false");
  if ((properties.text(KnownProperty.ORIGIN_MESSAGE_ID) ?? "").trim() === "") {
    const host = message.bytes.slice(message.storeHostStart, message.storeHostEnd);
    const id = offsetMessageId(host, message.storePort, message.physicalOffset);
    properties.set(KnownProperty.ORIGIN_MESSAGE_ID, id);
  }
  draft.reconsumeTimes = message.reconsumeTimes + 1;

  let topic = retry;
  let queueId = state.platform.random.below(request.config.retryQueueNums);
  if (request.delayLevel < 0 || message.reconsumeTimes >= request.maxTimes) {
    const refusal = deadLetterProblem(request);
    const deadLetters = refusal === null ? deadLetterTopic(state, request.group) : null;
    if (deadLetters === null) {
      const remark = refusal ?? `topic[%DLQ%${request.group}] not exist`;
      return later.answer({ code: ResponseCode.SYSTEM_ERROR, remark });
    }
    if (!deadLetters.durable) {
      // The message's bytes are gone by then, so it is looked up again.
      return state.topics.whenDurable(deadLetters, () => lookUp(state, scratch, retry, request, later));
    }
    topic = deadLetters;
    queueId = DEAD_LETTER_QUEUE;
    properties.set(KnownProperty.DELAY, "0");
  } else {
    delay(properties, request, message.reconsumeTimes, scratch.delayTimesMs, state.settings);
  }
  state.put.put(draft, topic, queueId, true, (status) => later.answer(answerOf(state, status)));
}

/**
 * Says in a message's properties when it comes back: by the level that the client asks for; when it leaves that to the
 * broker, by the group's policy, or by one level more each time.
 */
function delay(
  properties: Properties,
  request: SendBack,
  reconsumeTimes: number,
  delayTimesMs: readonly number[],
  settings: Pick<BrokerSettings, "timerWheelEnable" | "timerMaxDelaySec">,
): void {
  const policyMs = request.delayLevel > 0 ? null : policyDelayMs(request.config.groupRetryPolicy, reconsumeTimes);
  if (policyMs === null) {
    const level = request.delayLevel > 0 ? request.delayLevel : FIRST_LEVEL + reconsumeTimes;
    return properties.set(KnownProperty.DELAY, String(level));
  }
  const delayMs = Math.min(Math.max(policyMs, SHORTEST_MS), settings.timerMaxDelaySec * 1000);
  if (!settings.timerWheelEnable || delayTimesMs.includes(delayMs)) {
    return properties.set(KnownProperty.DELAY, String(levelFor(delayMs, delayTimesMs)));
  }
  // What an earlier timer left would be taken for this one.
  for (const old of OLD_TIMES) properties.delete(old);
  properties.set(KnownProperty.TIMER_DELAY_MS, String(delayMs));
}

/** Apache can't send to the dead letters without knowing the original topic, because its statistics need it. */
function deadLetterProblem(request: SendBack): string | null {
  return request.hasOriginTopic ? null : new MissingField("the request has no originTopic").toString();
}

function answerOf(state: BrokerState, status: number): { code: number; remark: string | null } {
  if (status === AppendStatus.OK) return { code: ResponseCode.SUCCESS, remark: null };
  const name = Object.keys(AppendStatus)[status];
  const remark = status === AppendStatus.SERVICE_NOT_AVAILABLE ? `${name}: ${state.store.refusal}` : name;
  return { code: ResponseCode.SYSTEM_ERROR, remark };
}
