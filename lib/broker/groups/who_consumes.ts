import { Fields, type Header, RequestCode, ResponseCode } from "@rmq/protocol";
import type { Handler, RemotingConnection } from "@rmq/remoting";
import { subscriptionJson } from "../clients/subscription.ts";
import { answerSliced } from "../answer_sliced.ts";
import { requiredText } from "../required_fields.ts";
import type { BrokerState } from "../state.ts";

const encoder = new TextEncoder();

/** Which groups read a topic and which topics a group reads: 300, 343, 345 (`AdminBrokerProcessor`). */
export function whoConsumesHandlers(state: BrokerState): [code: number, handler: Handler][] {
  return [
    [RequestCode.QUERY_TOPIC_CONSUME_BY_WHO, (header, connection) => groupsOfTopic(state, header, connection)],
    [RequestCode.QUERY_TOPICS_BY_CONSUMER, (header, connection) => topicsOfGroup(state, header, connection)],
    [
      RequestCode.QUERY_SUBSCRIPTION_BY_CONSUMER,
      (header, connection) => subscriptionOfGroup(state, header, connection),
    ],
  ];
}

/** Groups that are online and subscribe to it, and those that have an offset in it. */
function groupsOfTopic(state: BrokerState, header: Header, connection: RemotingConnection): void {
  const topic = requiredText(header, Fields.QUERY_TOPIC_CONSUME_BY_WHO.topic, "topic");
  answerSliced(state, connection.later(header), groupsJson(state, topic), null);
}

function* groupsJson(state: BrokerState, topic: string): IterableIterator<string> {
  yield `{"groupList":[`;
  const withOffsets = state.offsets.groupsOf(topic);
  const listed = new Set(withOffsets);
  yield withOffsets.map((group) => JSON.stringify(group)).join(",");
  for (const { group, subscriptions } of state.clients.consumerGroups()) {
    const isNew = subscriptions.has(topic) && !listed.has(group);
    yield isNew ? `${listed.size === 0 ? "" : ","}${JSON.stringify(group)}` : "";
    if (isNew) listed.add(group);
  }
  yield "]}";
}

function topicsOfGroup(state: BrokerState, header: Header, connection: RemotingConnection): void {
  const group = requiredText(header, Fields.QUERY_TOPICS_BY_CONSUMER.group, "group");
  const brokerAddr = state.registration.address;
  answer(header, connection, JSON.stringify({ brokerAddr, topicList: state.offsets.topicsOf(group) }));
}

function subscriptionOfGroup(state: BrokerState, header: Header, connection: RemotingConnection): void {
  const F = Fields.QUERY_SUBSCRIPTION_BY_CONSUMER;
  const group = requiredText(header, F.group, "group");
  const topic = header.text(F.topic);
  const data = topic === null ? null : state.clients.consumerGroup(group)?.subscription(topic) ?? null;
  const members = [`"group":${JSON.stringify(group)}`];
  if (data !== null) members.push(`"subscriptionData":${subscriptionJson(data)}`);
  if (topic !== null) members.push(`"topic":${JSON.stringify(topic)}`);
  answer(header, connection, `{${members.join(",")}}`);
}

function answer(header: Header, connection: RemotingConnection, json: string): void {
  connection.answer(header.opaque, { code: ResponseCode.SUCCESS, body: encoder.encode(json) });
}
