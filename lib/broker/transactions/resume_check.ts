import {
  CHECK_MAX_TOPIC,
  Fields,
  FormatError,
  HALF_TOPIC,
  KnownProperty,
  MessageDraft,
  parseOffsetMessageId,
  RequestCode,
  ResponseCode,
  StoredMessage,
} from "@rmq/protocol";
import type { Handler } from "@rmq/remoting";
import { AppendStatus } from "@rmq/store";
import { draftOfStored } from "../delivery/draft_of_stored.ts";
import { requiredText } from "../required_fields.ts";
import type { BrokerState } from "../state.ts";
import { TRANSACTION_QUEUE } from "./half_message.ts";
import type { TransactionCounts } from "./transaction_counts.ts";

const FAILED = {
  code: ResponseCode.SYSTEM_ERROR,
  remark: `Put message back to ${HALF_TOPIC} failed.`,
};
const THROWN = {
  code: ResponseCode.SYSTEM_ERROR,
  remark: `Exception was thrown when putting message back to ${HALF_TOPIC}.`,
};

/** Takes up a transaction that was given up: 323 (`AdminBrokerProcessor.resumeCheckHalfMessage`). */
export function resumeCheckHandler(state: BrokerState, counts: TransactionCounts): [code: number, handler: Handler] {
  const draft = new MessageDraft();
  const message = new StoredMessage();
  return [RequestCode.RESUME_CHECK_HALF_MESSAGE, (header, connection) => {
    const id = requiredText(header, Fields.RESUME_CHECK_HALF_MESSAGE.msgId, "msgId");
    const offset = offsetOf(id);
    if (offset < 0) return connection.answer(header.opaque, THROWN);
    const later = connection.later(header);
    state.store.entryAt(offset, 0, (bytes, start, end) => {
      const half = state.topics.get(HALF_TOPIC);
      if (half === null || bytes === null || message.parse(bytes, start, end, false) <= 0) return later.answer(THROWN);
      const from = message.topicText();
      if (from !== CHECK_MAX_TOPIC && from !== HALF_TOPIC) return later.answer(FAILED);
      draftOfStored(message, draft);
      draft.properties.set(KnownProperty.TRANSACTION_CHECK_TIMES, "0");
      draft.properties.delete(KnownProperty.TRAN_PREPARED_QUEUE_OFFSET);
      const topic = draft.properties.text(KnownProperty.REAL_TOPIC) ?? "";
      state.put.put(draft, half, TRANSACTION_QUEUE, false, (status) => {
        if (status !== AppendStatus.OK) return later.answer(FAILED);
        counts.add(topic, 1);
        later.answer({ code: ResponseCode.SUCCESS, remark: null });
      });
    });
  }];
}

/** The physical offset in a message id; −1: it is none. */
function offsetOf(id: string): number {
  try {
    return parseOffsetMessageId(id).offset;
  } catch (error) {
    if (error instanceof FormatError) return -1;
    throw error;
  }
}
