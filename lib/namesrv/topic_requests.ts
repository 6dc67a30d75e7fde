import { Fields, type Header, ResponseCode } from "@rmq/protocol";
import type { RemotingConnection } from "@rmq/remoting";
import { answerBody, answerError, answerOk, bodyOf, type Context, nowMs } from "./context.ts";
import { ORDER_TOPIC_CONFIG } from "./kv_requests.ts";
import { readQueueDatas } from "./registration_body.ts";
import { clusterBody, memberGroupBody, routeBody, topicListBody } from "./route_json.ts";
import type { TopicRoute } from "./route_types.ts";

const STRICT_JSON_SINCE = 401;
const UNIT = 1;
const UNIT_SUB = 2;
const FAQ = "\nSee https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details.";

/** 105 */
export function getRouteInfoByTopic(context: Context, header: Header, connection: RemotingConnection): void {
  const { settings, table, kv } = context;
  const { SYSTEM_ERROR, TOPIC_NOT_EXIST } = ResponseCode;
  if (settings.needWaitForService && nowMs(context) - context.startedMs < settings.waitSecondsForService * 1000) {
    return answerError(connection, header.opaque, SYSTEM_ERROR, "name server not ready");
  }
  const fields = Fields.GET_ROUTEINFO_BY_TOPIC;
  const topic = header.text(fields.topic);
  const found = topic === null ? null : table.route(topic);
  if (found === null) {
    const remark = `No topic route info in name server for the topic: ${topic}${FAQ}`;
    return answerError(connection, header.opaque, TOPIC_NOT_EXIST, remark);
  }
  const seen = { ...found, brokerDatas: context.sameHost.view(found.brokerDatas, connection) };
  const orderTopicConf = settings.orderMessageEnable ? kv.get(ORDER_TOPIC_CONFIG, found.topic) : null;
  const strict = header.version >= STRICT_JSON_SINCE || header.bool(fields.acceptStandardJsonOnly, false);
  answerBody(connection, header.opaque, routeBody(inZone(header, seen), orderTopicConf, strict));
}

/** Brokers of the client's zone, and those without a master, from which slaves are read (ZoneRouteRPCHook). */
function inZone(header: Header, route: TopicRoute): TopicRoute {
  if (header.ext("__ZONE_MODE")?.toLowerCase() !== "true") return route;
  const zone = header.ext("__ZONE_NAME")?.trim().toLowerCase();
  if (!zone) return route;
  const brokerDatas = route.brokerDatas.filter((broker) =>
    !broker.brokerAddrs.has(0) || broker.zoneName?.toLowerCase() === zone
  );
  const names = new Set(brokerDatas.map((broker) => broker.brokerName));
  const addrs = new Set(brokerDatas.flatMap((broker) => [...broker.brokerAddrs.values()]));
  return {
    ...route,
    brokerDatas,
    queueDatas: route.queueDatas.filter((queues) => names.has(queues.brokerName)),
    filterServers: new Map([...route.filterServers].filter(([addr]) => addrs.has(addr))),
  };
}

/** 106 */
export function getBrokerClusterInfo(context: Context, header: Header, connection: RemotingConnection): void {
  const { table, sameHost } = context;
  answerBody(connection, header.opaque, clusterBody(sameHost.view(table.brokers(), connection), table.clusters()));
}

/** 901. Apache leaves its default remark in this answer. */
export function getBrokerMemberGroup(context: Context, header: Header, connection: RemotingConnection): void {
  const fields = Fields.GET_BROKER_MEMBER_GROUP;
  const brokerName = header.text(fields.brokerName);
  const members = context.table.members(brokerName ?? "");
  connection.answer(header.opaque, {
    code: ResponseCode.SUCCESS,
    remark: "not set any response code",
    body: memberGroupBody(header.text(fields.clusterName), brokerName, members),
  });
}

/** 206 */
export function getAllTopicListFromNameserver(context: Context, header: Header, connection: RemotingConnection): void {
  answerList(context, header, connection, context.settings.enableAllTopicList, "206", () => true);
}

/** 224 */
export function getTopicsByCluster(context: Context, header: Header, connection: RemotingConnection): void {
  const cluster = header.text(Fields.GET_TOPICS_BY_CLUSTER.cluster) ?? "";
  const { settings, table } = context;
  const inCluster = (topic: string): boolean => table.inCluster(topic, cluster);
  answerList(context, header, connection, settings.enableTopicList, `224 ${cluster}`, inCluster);
}

/** 311 */
export function getUnitTopicList(context: Context, header: Header, connection: RemotingConnection): void {
  answerUnitList(context, header, connection, "311", (flag) => (flag & UNIT) !== 0);
}

/** 312 */
export function getHasUnitSubTopicList(context: Context, header: Header, connection: RemotingConnection): void {
  answerUnitList(context, header, connection, "312", (flag) => (flag & UNIT_SUB) !== 0);
}

/** 313 */
export function getHasUnitSubUnunitTopicList(context: Context, header: Header, connection: RemotingConnection): void {
  answerUnitList(context, header, connection, "313", (flag) => (flag & (UNIT | UNIT_SUB)) === UNIT_SUB);
}

function answerUnitList(
  context: Context,
  header: Header,
  connection: RemotingConnection,
  name: string,
  belongs: (sysFlag: number) => boolean,
): void {
  const { settings, table } = context;
  answerList(context, header, connection, settings.enableTopicList, name, (topic) => belongs(table.sysFlag(topic)));
}

function answerList(
  context: Context,
  header: Header,
  connection: RemotingConnection,
  enabled: boolean,
  name: string,
  belongs: (topic: string) => boolean,
): void {
  if (!enabled) return answerError(connection, header.opaque, ResponseCode.SYSTEM_ERROR, "disable");
  const later = connection.later(header);
  context.lists.get(name, belongs, (body) => later.answer({ code: ResponseCode.SUCCESS, body }));
}

/** 304: names of clusters and brokers, and the address of one broker. */
export function getSystemTopicListFromNs(context: Context, header: Header, connection: RemotingConnection): void {
  const { table, sameHost } = context;
  const names = new Set([...table.clusters()].flatMap(([cluster, brokers]) => [cluster, ...brokers]));
  const brokers = sameHost.view(table.brokers(), connection);
  const [brokerAddr = null] = brokers.flatMap((broker) => [...broker.brokerAddrs.values()]);
  answerBody(connection, header.opaque, topicListBody([...names], brokerAddr));
}

/** 216 */
export function deleteTopicInNamesrv(context: Context, header: Header, connection: RemotingConnection): void {
  const fields = Fields.DELETE_TOPIC_IN_NAMESRV;
  context.table.deleteTopic(header.text(fields.topic) ?? "", header.text(fields.clusterName) || null);
  answerOk(connection, header.opaque);
}

/** 217 */
export function registerTopicInNamesrv(context: Context, header: Header, connection: RemotingConnection): void {
  const topic = header.text(Fields.REGISTER_TOPIC_IN_NAMESRV.topic);
  const queueDatas = readQueueDatas(bodyOf(header));
  if (topic !== null && queueDatas.length > 0) context.table.registerTopic(topic, queueDatas);
  answerOk(connection, header.opaque);
}
