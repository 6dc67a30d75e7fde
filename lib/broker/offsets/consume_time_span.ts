import { Fields, type Header, RequestCode, ResponseCode } from "@rmq/protocol";
import type { Handler, RemotingConnection } from "@rmq/remoting";
import { answerRows, queueIds } from "../answer_rows.ts";
import { requiredText } from "../required_fields.ts";
import type { BrokerState } from "../state.ts";
import { messageQueueJson } from "./message_queue_json.ts";

/** Store times of the oldest, the newest and the last consumed message of each queue: 303 (`AdminBrokerProcessor`). */
export function consumeTimeSpanHandlers(state: BrokerState): [code: number, handler: Handler][] {
  return [[RequestCode.QUERY_CONSUME_TIME_SPAN, (header, connection) => consumeTimeSpan(state, header, connection)]];
}

function consumeTimeSpan(state: BrokerState, header: Header, connection: RemotingConnection): void {
  const F = Fields.QUERY_CONSUME_TIME_SPAN;
  const topic = requiredText(header, F.topic, "topic");
  const group = requiredText(header, F.group, "group");
  const config = state.topics.get(topic)?.config;
  if (config === undefined) {
    const remark = `topic[${topic}] not exist`;
    return connection.answer(header.opaque, { code: ResponseCode.TOPIC_NOT_EXIST, remark });
  }
  const row = (queueId: number) => queueSpan(state, group, topic, queueId);
  const ids = queueIds(config.writeQueueNums);
  answerRows(state, connection.later(header), ids, row, '{"consumeTimeSpanSet":[', "]}");
}

async function queueSpan(state: BrokerState, group: string, topic: string, queueId: number): Promise<string> {
  const { store, offsets, settings, platform: { clock } } = state;
  const queue = store.existingQueue(topic, queueId);
  const timeAt = (offset: number) =>
    queue === null ? -1 : new Promise<number>((resolve) => store.storeTimeAt(queue, offset, resolve));
  const max = queue?.max ?? 0;
  const consumed = offsets.query(group, topic, queueId);
  const minTime = await timeAt(queue?.min ?? 0);
  const maxTime = await timeAt(max - 1);
  const consumeTime = consumed > 0 ? await timeAt(consumed - 1) : minTime;
  const delayTime = consumed < max ? clock.nowMs() - await timeAt(consumed) : 0;
  const time = (name: string, ms: number) => `"${name}":${ms},"${name}Str":"${localTimeText(state, ms)}"`;
  return `{${time("consumeTimeStamp", consumeTime)},"delayTime":${delayTime},${time("maxTimeStamp", maxTime)},` +
    `"messageQueue":${messageQueueJson(settings.brokerName, topic, queueId)},${time("minTimeStamp", minTime)}}`;
}

/** `yyyy-MM-dd#HH:mm:ss:SSS` in the machine's zone (`UtilAll.formatDate`). */
function localTimeText(state: BrokerState, ms: number): string {
  const { year, month, day, hour, minute, second, millisecond } = state.platform.clock.localTime(ms);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${String(year).padStart(4, "0")}-${two(month)}-${two(day)}#` +
    `${two(hour)}:${two(minute)}:${two(second)}:${String(millisecond).padStart(3, "0")}`;
}
