import { Fields, type Header, Perm, RequestCode, ResponseCode, RETRY_PREFIX, TopicSysFlag } from "@rmq/protocol";
import type { Handler, RemotingConnection } from "@rmq/remoting";
import { SQL92 } from "../filters/filter_data.ts";
import { SqlError } from "../filters/sql_error.ts";
import { BadJson, JsonMembers } from "../json_members.ts";
import type { BrokerState } from "../state.ts";
import type { ClientInfo, ConsumerData } from "./consumer_group.ts";
import { isTagType, parseSubscription } from "./subscription.ts";

/** Heartbeats, good-byes and the check of an expression: 34, 35, 46 (`ClientManageProcessor`, remoting §12.3, §12.4). */
export function heartbeatHandlers(state: BrokerState): [code: number, handler: Handler][] {
  return [
    [RequestCode.HEART_BEAT, (header, connection) => heartbeat(state, header, connection)],
    [RequestCode.UNREGISTER_CLIENT, (header, connection) => unregister(state, header, connection)],
    [RequestCode.CHECK_CLIENT_CONFIG, (header, connection) => checkClient(state, header, connection)],
  ];
}

function heartbeat(state: BrokerState, header: Header, connection: RemotingConnection): void {
  const body = JsonMembers.parse(header.bytes.subarray(header.bodyStart, header.bodyEnd));
  if (body === null) throw new BadJson("a heartbeat needs a body");
  const client: ClientInfo = {
    clientId: body.text("clientID") ?? "",
    connection,
    language: header.language,
    version: header.version,
  };
  const fingerprint = body.int("heartbeatFingerprint", 0);
  const withoutSub = fingerprint !== 0 && body.bool("withoutSub", false);
  const consumers = body.objects("consumerDataSet").map((json) => readConsumer(json, withoutSub));
  const producers = body.objects("producerDataSet").map((json) => json.text("groupName"));
  let isSubChange = fingerprint === 0;
  for (const data of consumers) {
    if (state.clients.noteFingerprint(data.groupName, fingerprint)) isSubChange = true;
    // After a restart of ours the client must be asked for what it left out.
    if (withoutSub && state.clients.consumerGroup(data.groupName) === null) isSubChange = true;
    registerConsumer(state, data, client);
  }
  for (const group of producers) if (group !== null) state.clients.registerProducer(group, client);
  connection.answer(header.opaque, {
    code: ResponseCode.SUCCESS,
    fields: { IS_SUPPORT_HEART_BEAT_V2: true, IS_SUB_CHANGE: isSubChange },
  });
}

function readConsumer(json: JsonMembers, withoutSub: boolean): ConsumerData {
  const groupName = json.text("groupName");
  if (groupName === null) throw new BadJson("a consumer in the heartbeat has no groupName");
  return {
    groupName,
    consumeType: json.text("consumeType") ?? "CONSUME_PASSIVELY",
    messageModel: json.text("messageModel") === "BROADCASTING" ? "BROADCASTING" : "CLUSTERING",
    consumeFromWhere: json.text("consumeFromWhere") ?? "CONSUME_FROM_LAST_OFFSET",
    subscriptions: withoutSub ? null : json.objects("subscriptionDataSet").map(parseSubscription),
    unitMode: json.bool("unitMode", false),
  };
}

/** A group that does not exist and may not be made is left out without a word, as Apache does. */
function registerConsumer(state: BrokerState, data: ConsumerData, client: ClientInfo): void {
  const group = state.groups.ensure(data.groupName);
  if (group === null) return;
  const ordered = data.subscriptions?.some((one) => state.topics.get(one.topic)?.config.order === true) ?? null;
  state.topics.createOnSendBack(
    RETRY_PREFIX + data.groupName,
    group.config.retryQueueNums,
    Perm.READ | Perm.WRITE,
    data.unitMode ? TopicSysFlag.UNIT_SUB : 0,
    ordered,
  );
  state.clients.registerConsumer(data, client, group.config.notifyConsumerIdsChangedEnable);
  if (data.subscriptions !== null) state.filters.register(data.groupName, data.subscriptions);
}

function unregister(state: BrokerState, header: Header, connection: RemotingConnection): void {
  const F = Fields.UNREGISTER_CLIENT;
  const producer = header.text(F.producerGroup);
  const consumer = header.text(F.consumerGroup);
  if (producer !== null) state.clients.unregisterProducer(producer, connection);
  if (consumer !== null) state.clients.unregisterConsumer(consumer, connection);
  connection.answer(header.opaque, { code: ResponseCode.SUCCESS, fields: {} });
}

function checkClient(state: BrokerState, header: Header, connection: RemotingConnection): void {
  const hasBody = header.bodyEnd > header.bodyStart;
  const body = hasBody ? JsonMembers.parse(header.bytes.subarray(header.bodyStart, header.bodyEnd)) : null;
  const subscription = body?.object("subscriptionData") ?? null;
  const type = subscription?.text("expressionType") ?? null;
  if (subscription === null || isTagType(type)) {
    return connection.answer(header.opaque, { code: ResponseCode.SUCCESS });
  }
  if (!state.settings.enablePropertyFilter) {
    const remark = `The broker does not support consumer to filter message by ${type}`;
    return connection.answer(header.opaque, { code: ResponseCode.SYSTEM_ERROR, remark });
  }
  const filter = type === SQL92 ? state.filters.compile(subscription.text("subString") ?? "") : null;
  if (filter !== null && !(filter instanceof SqlError)) {
    return connection.answer(header.opaque, { code: ResponseCode.SUCCESS });
  }
  const remark = filter?.message ?? `the expression type ${type} is unknown, there are TAG and ${SQL92}`;
  connection.answer(header.opaque, { code: ResponseCode.SUBSCRIPTION_PARSE_FAILED, remark });
}
