import { Fields, type Header, RequestCode, ResponseCode } from "@rmq/protocol";
import type { Handler, RemotingConnection } from "@rmq/remoting";
import { inSlices } from "../in_slices.ts";
import { requiredText } from "../required_fields.ts";
import type { BrokerState } from "../state.ts";
import { messageQueueJson } from "./message_queue_json.ts";

const encoder = new TextEncoder();

/** How far a group is behind in each of its queues: 208 (`AdminBrokerProcessor.getConsumeStats`). */
export function consumeStatsHandlers(state: BrokerState): [code: number, handler: Handler][] {
  return [[RequestCode.GET_CONSUME_STATS, (header, connection) => consumeStats(state, header, connection)]];
}

function consumeStats(state: BrokerState, header: Header, connection: RemotingConnection): void {
  const F = Fields.GET_CONSUME_STATS;
  const group = requiredText(header, F.consumerGroup, "consumerGroup");
  const topics = topicsOf(state, group, header.text(F.topicList) ?? "", header.text(F.topic) ?? "");
  const later = connection.later(header);
  const rows: string[] = [];
  inSlices(state.platform.clock, queuesOf(state, topics), async ([topic, queueId]) => {
    rows.push(await queueStats(state, group, topic, queueId));
  }).then(
    () => {
      const body = encoder.encode(`{"consumeTps":0.0,"offsetTable":{${rows.join(",")}}}`);
      later.answer({ code: ResponseCode.SUCCESS, body });
    },
    (error) => later.answer({ code: ResponseCode.SYSTEM_ERROR, remark: String(error) }),
  );
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
    const queues = state.topics.get(topic)?.config.readQueueNums ?? 0;
    for (let queueId = 0; queueId < queues; queueId++) yield [topic, queueId];
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
