import { encodeProperty, Fields, type Header, MessageDraft, Perm, RequestCode, ResponseCode } from "@rmq/protocol";
import type { Handler, RemotingConnection } from "@rmq/remoting";
import { AppendStatus } from "@rmq/store";
import { answerSliced } from "../answer_sliced.ts";
import { stateOf } from "../delivery/connection_state.ts";
import type { Refusal } from "../delivery/rewriters.ts";
import type { BrokerState } from "../state.ts";
import type { Topic } from "../topics/topic_table.ts";
import { decodeRecallHandle, type RecallHandle } from "./recall_handle.ts";
import type { Timers } from "./timers.ts";

const RECALL_TAG = "_RECALL_TAG_";
const BODY = new TextEncoder().encode("0");

/** The requests about timers: recall (370), checkpoint and metrics (60, 61), and the choice of an engine (5001). */
export function timerHandlers(state: BrokerState, timers: Timers): [code: number, handler: Handler][] {
  return [
    [RequestCode.RECALL_MESSAGE, (header, connection) => recall(state, header, connection)],
    [RequestCode.GET_TIMER_CHECK_POINT, (header, connection) => {
      connection.answer(header.opaque, { code: ResponseCode.SUCCESS, body: timers.check.encoded() });
    }],
    [RequestCode.GET_TIMER_METRICS, (header, connection) => {
      answerSliced(state, connection.later(header), timers.metrics.text(), null);
    }],
    [RequestCode.SWITCH_TIMER_ENGINE, (header, connection) => {
      connection.answer(header.opaque, switchEngine(state, header));
    }],
  ];
}

/** The wheel is the only engine. */
function switchEngine(state: BrokerState, header: Header): Refusal {
  const refuse = (remark: string): Refusal => ({ code: ResponseCode.INVALID_PARAMETER, remark });
  if (!state.settings.timerWheelEnable) return refuse("broker timerWheelEnable is false");
  const engine = header.ext("E_T");
  if (engine === "F") return { code: ResponseCode.SUCCESS, remark: "switch timer engine success" };
  if (engine === "R") return refuse("timerRocksDBEnable must be configured true when broker start");
  return refuse("param error");
}

/** A mark in the slot of a message that is still to be delivered: it goes no further (`RecallMessageProcessor`). */
function recall(state: BrokerState, header: Header, connection: RemotingConnection): void {
  const fields = { MSG_REGION: state.settings.regionId };
  const found = recallable(state, header);
  if ("code" in found) return connection.answer(header.opaque, { ...found, fields });
  const { topic, handle } = found;
  const later = connection.later(header);
  const group = header.text(Fields.RECALL_MESSAGE.producerGroup);
  state.put.put(mark(state, handle, group, connection), topic, 0, true, (status) => {
    if (status === AppendStatus.OK) {
      const remark = "not set any response code";
      return later.answer({
        code: ResponseCode.SUCCESS,
        remark,
        fields: { msgId: handle.messageId, ...fields },
      });
    }
    later.answer({ code: ResponseCode.SYSTEM_ERROR, remark: "recall failed, execute error", fields });
  });
}

function recallable(state: BrokerState, header: Header): Refusal | { topic: Topic; handle: RecallHandle } {
  const { settings, topics, platform } = state;
  const refuse = (code: number, remark: string): Refusal => ({ code, remark });
  const notAvailable = "recall failed, broker service not available";
  if (!settings.recallMessageEnable) {
    return refuse(ResponseCode.NO_PERMISSION, "recall failed, operation is forbidden");
  }
  const nowMs = platform.clock.nowMs();
  const writable = (settings.brokerPermission & Perm.WRITE) !== 0 || settings.allowRecallWhenBrokerNotWriteable;
  if (nowMs < settings.startAcceptSendRequestTimeStamp || !writable) {
    return refuse(ResponseCode.SERVICE_NOT_AVAILABLE, notAvailable);
  }
  const name = header.text(Fields.RECALL_MESSAGE.topic);
  const topic = name === null ? null : topics.get(name);
  if (topic === null) {
    return refuse(ResponseCode.TOPIC_NOT_EXIST, `recall failed, the topic[${name}] not exist`);
  }
  const handle = decodeRecallHandle(header.text(Fields.RECALL_MESSAGE.recallHandle) ?? "");
  if (handle === null) return refuse(ResponseCode.ILLEGAL_OPERATION, "recall handle is invalid");
  if (handle.topic !== name) return refuse(ResponseCode.ILLEGAL_OPERATION, "recall failed, topic not match");
  if (handle.brokerName !== settings.brokerName) return refuse(ResponseCode.ILLEGAL_OPERATION, notAvailable);
  const left = (/^[+-]?\d{1,19}$/.test(handle.timestamp) ? Number(handle.timestamp) : -1) - nowMs;
  if (left <= 0 || left >= settings.timerMaxDelaySec * 1000) {
    return refuse(ResponseCode.ILLEGAL_OPERATION, "recall failed, timestamp invalid");
  }
  return { topic, handle };
}

function mark(
  state: BrokerState,
  handle: RecallHandle,
  group: string | null,
  connection: RemotingConnection,
): MessageDraft {
  const { settings, platform } = state;
  const nowMs = platform.clock.nowMs();
  const { bornHost, bornPort } = stateOf(connection);
  const draft = new MessageDraft();
  const key = settings.appendTopicForTimerDeleteKey ? `${handle.topic}+${handle.messageId}` : handle.messageId;
  const pairs = [
    encodeProperty("TAGS", RECALL_TAG),
    encodeProperty("TIMER_DEL_UNIQKEY", key),
    encodeProperty("UNIQ_KEY", handle.messageId),
    encodeProperty("TIMER_DELIVER_MS", handle.timestamp),
    encodeProperty("BORN_TIMESTAMP", String(nowMs)),
    ...(group === null || group === "" ? [] : [encodeProperty("PGROUP", group)]),
  ];
  for (const pair of pairs) draft.properties.appendEncoded(pair);
  draft.bornTimestamp = nowMs;
  draft.bornHost = bornHost;
  draft.bornPort = bornPort;
  draft.body = BODY;
  draft.bodyEnd = BODY.length;
  return draft;
}
