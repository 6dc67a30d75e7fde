import { Fields, type Header, RequestCode, ResponseCode } from "@rmq/protocol";
import type { Handler, RemotingConnection } from "@rmq/remoting";
import { requiredInt, requiredLong, requiredText } from "../required_fields.ts";
import type { BrokerState } from "../state.ts";
import { type FoundMessages, readMessages } from "./found_messages.ts";

/** Questions about queues and single messages: 12, 29, 30, 31, 32, 33 (`AdminBrokerProcessor`, `QueryMessageProcessor`). */
export function queryHandlers(state: BrokerState): [code: number, handler: Handler][] {
  return [
    [RequestCode.QUERY_MESSAGE, (header, connection) => queryMessage(state, header, connection)],
    [RequestCode.SEARCH_OFFSET_BY_TIMESTAMP, (header, connection) => searchOffset(state, header, connection)],
    [RequestCode.GET_MAX_OFFSET, (header, connection) => {
      const queue = queueOf(state, header, Fields.GET_MAX_OFFSET);
      connection.answer(header.opaque, { code: ResponseCode.SUCCESS, fields: { offset: queue?.max ?? 0 } });
    }],
    [RequestCode.GET_MIN_OFFSET, (header, connection) => {
      const queue = queueOf(state, header, Fields.GET_MIN_OFFSET);
      connection.answer(header.opaque, { code: ResponseCode.SUCCESS, remark: "", fields: { offset: queue?.min ?? 0 } });
    }],
    [RequestCode.GET_EARLIEST_MSG_STORETIME, (header, connection) => earliestStoreTime(state, header, connection)],
    [RequestCode.VIEW_MESSAGE_BY_ID, (header, connection) => viewMessage(state, header, connection)],
  ];
}

function queueOf(state: BrokerState, header: Header, fields: { readonly topic: number; readonly queueId: number }) {
  const topic = requiredText(header, fields.topic, "topic");
  return state.store.existingQueue(topic, requiredInt(header, fields.queueId, "queueId"));
}

function searchOffset(state: BrokerState, header: Header, connection: RemotingConnection): void {
  const F = Fields.SEARCH_OFFSET_BY_TIMESTAMP;
  const queue = queueOf(state, header, F);
  const timestampMs = requiredLong(header, F.timestamp, "timestamp");
  if (queue === null) return connection.answer(header.opaque, { code: ResponseCode.SUCCESS, fields: { offset: 0 } });
  const boundary = header.text(F.boundaryType)?.toLowerCase() === "upper" ? "upper" : "lower";
  const later = connection.later(header);
  state.store.searchByTime(queue, timestampMs, boundary, (offset) => {
    later.answer({ code: ResponseCode.SUCCESS, fields: { offset } });
  });
}

function earliestStoreTime(state: BrokerState, header: Header, connection: RemotingConnection): void {
  const queue = queueOf(state, header, Fields.GET_EARLIEST_MSG_STORETIME);
  if (queue === null) {
    return connection.answer(header.opaque, { code: ResponseCode.SUCCESS, fields: { timestamp: -1 } });
  }
  const later = connection.later(header);
  state.store.storeTimeAt(queue, queue.min, (timestamp) => {
    later.answer({ code: ResponseCode.SUCCESS, fields: { timestamp } });
  });
}

function viewMessage(state: BrokerState, header: Header, connection: RemotingConnection): void {
  const offset = requiredLong(header, Fields.VIEW_MESSAGE_BY_ID.offset, "offset");
  const later = connection.later(header);
  state.store.entryAt(offset, 0, (bytes, start, end) => {
    if (bytes === null) {
      const remark = `can not find message by the offset, ${offset}`;
      return later.answer({ code: ResponseCode.SYSTEM_ERROR, remark });
    }
    later.answer({ code: ResponseCode.SUCCESS, body: bytes.slice(start, end) });
  });
}

function queryMessage(state: BrokerState, header: Header, connection: RemotingConnection): void {
  const F = Fields.QUERY_MESSAGE;
  const { settings, store } = state;
  const topic = requiredText(header, F.topic, "topic");
  const key = requiredText(header, F.key, "key");
  const wanted = requiredInt(header, F.maxNum, "maxNum");
  const beginMs = requiredLong(header, F.beginTimestamp, "beginTimestamp");
  const endMs = requiredLong(header, F.endTimestamp, "endTimestamp");
  const unique = header.ext("_UNIQUE_KEY_QUERY")?.toLowerCase() === "true";
  const maxNum = Math.min(unique ? settings.defaultQueryMaxNum : wanted, settings.maxMsgsNumBatch);
  const indexType = unique ? "U" : header.text(F.indexType);
  const later = connection.later(header);
  store.query(topic, key, indexType, maxNum, beginMs, endMs, (offsets, lastTimestamp, lastOffset) => {
    // The newest ones are found, and handed over in the order in which they were stored.
    offsets.sort((a, b) => a - b);
    readMessages(store, offsets, (found: FoundMessages) => {
      if (found.count === 0) {
        return later.answer({
          code: ResponseCode.QUERY_NOT_FOUND,
          remark: "can not find message, maybe time range not correct",
          fields: { indexLastUpdateTimestamp: 0, indexLastUpdatePhyoffset: 0 },
        });
      }
      later.answer({
        code: ResponseCode.SUCCESS,
        fields: { indexLastUpdateTimestamp: lastTimestamp, indexLastUpdatePhyoffset: lastOffset },
        body: found.body,
      });
    });
  });
}
