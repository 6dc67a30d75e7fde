import { Fields, type Header, RequestCode, ResponseCode } from "@rmq/protocol";
import type { Handler, RemotingConnection } from "@rmq/remoting";
import { answerRows, queueIds } from "../answer_rows.ts";
import { messageQueueJson } from "../offsets/message_queue_json.ts";
import { requiredText } from "../required_fields.ts";
import type { BrokerState } from "../state.ts";

/** Where each queue of a topic begins and ends: 202 (`AdminBrokerProcessor.getTopicStatsInfo`). */
export function topicStatsHandlers(state: BrokerState): [code: number, handler: Handler][] {
  return [[RequestCode.GET_TOPIC_STATS_INFO, (header, connection) => topicStats(state, header, connection)]];
}

function topicStats(state: BrokerState, header: Header, connection: RemotingConnection): void {
  const topic = requiredText(header, Fields.GET_TOPIC_STATS_INFO.topic, "topic");
  const config = state.topics.get(topic)?.config;
  if (config === undefined) {
    const remark = `topic[${topic}] not exist`;
    return connection.answer(header.opaque, { code: ResponseCode.TOPIC_NOT_EXIST, remark });
  }
  const row = (queueId: number) => queueStats(state, topic, queueId);
  const ids = queueIds(Math.max(config.readQueueNums, config.writeQueueNums));
  answerRows(state, connection.later(header), ids, row, '{"offsetTable":{', '},"topicPutTps":0.0}');
}

async function queueStats(state: BrokerState, topic: string, queueId: number): Promise<string> {
  const queue = state.store.existingQueue(topic, queueId);
  const maxOffset = queue?.max ?? 0;
  const lastUpdateTimestamp = queue === null || maxOffset === 0
    ? 0
    : await new Promise<number>((resolve) => state.store.storeTimeAt(queue, maxOffset - 1, resolve));
  const stats = JSON.stringify({ lastUpdateTimestamp, maxOffset, minOffset: queue?.min ?? 0 });
  return `${messageQueueJson(state.settings.brokerName, topic, queueId)}:${stats}`;
}
