import { Fields, type Header, RequestCode } from "@rmq/protocol";
import type { Handler, RemotingConnection } from "@rmq/remoting";
import { answerRows, queueIds } from "../answer_rows.ts";
import { requiredText } from "../required_fields.ts";
import type { BrokerState } from "../state.ts";
import { messageQueueJson } from "./message_queue_json.ts";

/** How far a group is behind in each of its queues: 208 (`AdminBrokerProcessor.getConsumeStats`). */
export function consumeStatsHandlers(state: BrokerState): [code: number, handler: Handler][] {
  return [[RequestCode.GET_CONSUME_STATS, (header, connection) => consumeStats(state, header, connection)]];
}

function consumeStats(state: BrokerState, header: Header, connection: RemotingConnection): void {
  const F = Fields.GET_CONSUME_STATS;
  const group = requiredText(header, F.consumerGroup, "consumerGroup");
  const topics = topicsOf(state, group, header.text(F.topicList) ?? "", header.text(F.topic) ?? "");
  const row = ([topic, queueId]: [string, number]) => queueStats(state, group, topic, queueId);
  answerRows(state, connection.later(header), queuesOf(state, topics), row, '{"consumeTps":0.0,"offsetTable":{', "}}");
}

/** A list is taken as it is; else topics that the group's members don't subscribe to are left out. */
function topicsOf(state: BrokerState, group: string, list: string, one: string): string[] {
  const listed = list.split(";").filter((topic) => topic !== "");
  if (listed.length > 0) return [...new Set(listed)];
  const topics = one.trim() === "" ? state.offsets.topicsOf(group) : [one];
  const online = state.clients.consumerGroup(group);
  if (online === null || online.subscriptions.size === 0) return topics;
  return topics.filter((topic) => online.subscription(topic) !== null);
}

function* queuesOf(state: BrokerState, topics: readonly string[]): IterableIterator<[string, number]> {
  for (const topic of topics) {
    for (const queueId of queueIds(state.topics.get(topic)?.config.readQueueNums ?? 0)) yield [topic, queueId];
  }
}

async function queueStats(state: BrokerState, group: string, topic: string, queueId: number): Promise<string> {
  const { store, offsets, settings } = state;
  const queue = store.existingQueue(topic, queueId);
  const consumerOffset = Math.max(0, offsets.query(group, topic, queueId));
  const pullOffset = Math.max(consumerOffset, offsets.queryPull(group, topic, queueId));
  const brokerOffset = queue?.max ?? 0;
  let lastTimestamp = 0;
  if (queue !== null && consumerOffset > 0) {
    const found = await new Promise<number>((resolve) => store.storeTimeAt(queue, consumerOffset - 1, resolve));
    if (found > 0) lastTimestamp = found;
  }
  const wrapper = JSON.stringify({ brokerOffset, consumerOffset, lastTimestamp, pullOffset });
  return `${messageQueueJson(settings.brokerName, topic, queueId)}:${wrapper}`;
}
