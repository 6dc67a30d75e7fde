import { Fields, type Header, languageNames, RequestCode, ResponseCode } from "@rmq/protocol";
import type { Handler, RemotingConnection } from "@rmq/remoting";
import { answerSliced } from "../answer_sliced.ts";
import { requiredText } from "../required_fields.ts";
import type { BrokerState } from "../state.ts";
import type { ClientInfo, ConsumerGroupInfo } from "./consumer_group.ts";
import { subscriptionJson } from "./subscription.ts";

const encoder = new TextEncoder();

/** Who is online: 38, 203, 204 (`ConsumerManageProcessor`, `AdminBrokerProcessor`). */
export function onlineHandlers(state: BrokerState): [code: number, handler: Handler][] {
  return [
    [RequestCode.GET_CONSUMER_LIST_BY_GROUP, (header, connection) => getMembers(state, header, connection)],
    [RequestCode.GET_CONSUMER_CONNECTION_LIST, (header, connection) => getConsumers(state, header, connection)],
    [RequestCode.GET_PRODUCER_CONNECTION_LIST, (header, connection) => getProducers(state, header, connection)],
  ];
}

function getMembers(state: BrokerState, header: Header, connection: RemotingConnection): void {
  const name = requiredText(header, Fields.GET_CONSUMER_LIST_BY_GROUP.consumerGroup, "consumerGroup");
  const group = state.clients.consumerGroup(name);
  if (group === null) {
    const remark = `no consumer for this group, ${name}`;
    return connection.answer(header.opaque, { code: ResponseCode.SYSTEM_ERROR, remark, fields: {} });
  }
  const consumerIdList = [...group.members.values()].map((client) => client.clientId);
  const body = encoder.encode(JSON.stringify({ consumerIdList }));
  connection.answer(header.opaque, { code: ResponseCode.SUCCESS, fields: {}, body });
}

function getConsumers(state: BrokerState, header: Header, connection: RemotingConnection): void {
  const name = requiredText(header, Fields.GET_CONSUMER_CONNECTION_LIST.consumerGroup, "consumerGroup");
  const group = state.clients.consumerGroup(name);
  if (group === null) {
    const remark = `the consumer group[${name}] not online`;
    return connection.answer(header.opaque, { code: ResponseCode.CONSUMER_NOT_ONLINE, remark });
  }
  answerSliced(state, connection.later(header), consumersJson(group), null);
}

function* consumersJson(group: ConsumerGroupInfo): IterableIterator<string> {
  yield `{"connectionSet":[`;
  yield* connectionsJson(group.members.values());
  yield `],"consumeFromWhere":${JSON.stringify(group.consumeFromWhere)},` +
    `"consumeType":${JSON.stringify(group.consumeType)},"messageModel":"${group.messageModel}","subscriptionTable":{`;
  let comma = "";
  for (const [topic, data] of group.subscriptions) {
    yield `${comma}${JSON.stringify(topic)}:${subscriptionJson(data)}`;
    comma = ",";
  }
  yield "}}";
}

function getProducers(state: BrokerState, header: Header, connection: RemotingConnection): void {
  const name = requiredText(header, Fields.GET_PRODUCER_CONNECTION_LIST.producerGroup, "producerGroup");
  const clients = state.clients.producers(name);
  if (clients === null) {
    const remark = `the producer group[${name}] not exist`;
    return connection.answer(header.opaque, { code: ResponseCode.SYSTEM_ERROR, remark });
  }
  answerSliced(state, connection.later(header), producersJson(clients.values()), null);
}

function* producersJson(clients: Iterable<ClientInfo>): IterableIterator<string> {
  yield `{"connectionSet":[`;
  yield* connectionsJson(clients);
  yield "]}";
}

function* connectionsJson(clients: Iterable<ClientInfo>): IterableIterator<string> {
  let comma = "";
  for (const client of clients) {
    yield comma + JSON.stringify({
      clientAddr: client.connection.peerText,
      clientId: client.clientId,
      language: languageNames[client.language] ?? "OTHER",
      version: client.version,
    });
    comma = ",";
  }
}
