import { type JsonObject, type JsonValue, parseJson, Perm } from "@rmq/protocol";
import { ClientError } from "../client_error.ts";
import type { MessageQueue, RouteBroker, TopicRoute } from "./route.ts";

/** No topic has more queues on one broker; an answer that says so is not believed. */
const MOST_QUEUES = 65_536;

/** One broker's queues of a topic, as a route has them. */
interface QueueData {
  readonly brokerName: string;
  readonly perm: number;
  readonly readQueueNums: number;
  readonly writeQueueNums: number;
}

/**
 * Reads the answer to 105 (`TopicRouteData`, remoting.md §10). Throws ClientError `BAD_ANSWER`.
 * (MQClientInstance.topicRouteData2TopicPublishInfo, topicRouteData2TopicSubscribeInfo)
 */
export function readRoute(topic: string, body: Uint8Array): TopicRoute {
  const data = objectOf(parsed(body));
  const brokers = new Map<string, RouteBroker>();
  for (const each of listOf(data.brokerDatas)) {
    const broker = readBroker(objectOf(each));
    brokers.set(broker.brokerName, broker);
  }
  const queues = listOf(data.queueDatas).map((each) => readQueues(objectOf(each))).sort(byBrokerName);
  const orderConf = typeof data.orderTopicConf === "string" && data.orderTopicConf !== "" ? data.orderTopicConf : null;
  return {
    topic,
    writeQueues: orderConf === null ? writeQueuesOf(topic, queues, brokers) : orderedQueues(topic, orderConf),
    readQueues: queues.filter((each) => (each.perm & Perm.READ) !== 0)
      .flatMap((each) => numbered(topic, each.brokerName, each.readQueueNums)),
    brokers,
    orderConf,
    assumed: false,
  };
}

/** The route that a topic will have once a broker makes it from the default topic, whose route this is. */
export function assumedRoute(topic: string, ofDefault: TopicRoute, mostQueues: number): TopicRoute {
  const writeQueues = ofDefault.writeQueues.filter((queue) => queue.queueId < mostQueues)
    .map(({ brokerName, queueId }) => ({ topic, brokerName, queueId }));
  return { topic, writeQueues, readQueues: [], brokers: ofDefault.brokers, orderConf: null, assumed: true };
}

function writeQueuesOf(
  topic: string,
  queues: readonly QueueData[],
  brokers: ReadonlyMap<string, RouteBroker>,
): MessageQueue[] {
  return queues
    .filter(({ brokerName, perm }) => (perm & Perm.WRITE) !== 0 && brokers.get(brokerName)?.addresses.has(0) === true)
    .flatMap(({ brokerName, writeQueueNums }) => numbered(topic, brokerName, writeQueueNums));
}

/** `broker:queues;…` */
function orderedQueues(topic: string, orderConf: string): MessageQueue[] {
  return orderConf.split(";").flatMap((each) => {
    const [brokerName, count] = each.split(":");
    return numbered(topic, brokerName, queueCount(Number(count)));
  });
}

function numbered(topic: string, brokerName: string, count: number): MessageQueue[] {
  return Array.from({ length: count }, (_, queueId) => ({ topic, brokerName, queueId }));
}

function readBroker(data: JsonObject): RouteBroker {
  const addresses = new Map<number, string>();
  for (const [id, address] of Object.entries(objectOf(data.brokerAddrs ?? {}))) {
    if (typeof address === "string") addresses.set(Number(id), address);
  }
  return { brokerName: textOf(data.brokerName), cluster: textOf(data.cluster ?? ""), addresses };
}

function readQueues(data: JsonObject): QueueData {
  return {
    brokerName: textOf(data.brokerName),
    perm: Number(data.perm),
    readQueueNums: queueCount(Number(data.readQueueNums)),
    writeQueueNums: queueCount(Number(data.writeQueueNums)),
  };
}

function queueCount(count: number): number {
  if (Number.isInteger(count) && count >= 0 && count <= MOST_QUEUES) return count;
  throw new ClientError("BAD_ANSWER", `a route with ${count} queues`);
}

function byBrokerName(a: QueueData, b: QueueData): number {
  return a.brokerName < b.brokerName ? -1 : a.brokerName > b.brokerName ? 1 : 0;
}

function parsed(body: Uint8Array): JsonValue {
  try {
    return parseJson(body);
  } catch (cause) {
    throw new ClientError("BAD_ANSWER", "a route that is no JSON", { cause });
  }
}

function objectOf(value: JsonValue | undefined): JsonObject {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new ClientError("BAD_ANSWER", "a route without the members that it must have");
}

function listOf(value: JsonValue | undefined): JsonValue[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: JsonValue | undefined): string {
  if (typeof value === "string") return value;
  throw new ClientError("BAD_ANSWER", "a route without the names that it must have");
}
