import { type Answer, Fields, type Header, languageNames, RequestCode, ResponseCode } from "@rmq/protocol";
import type { Handler, RemotingConnection } from "@rmq/remoting";
import { queueIds } from "../answer_rows.ts";
import { inSlices } from "../in_slices.ts";
import { requiredText } from "../required_fields.ts";
import type { BrokerState } from "../state.ts";
import { offsetAtTime } from "./offset_at_time.ts";
import { pushReset } from "./push_reset.ts";
import { resetBody, type ResetRequest } from "./reset_request.ts";

/** Moves a group in a topic, whether its members are online or not: 222 (remoting §12.9). */
export function resetHandlers(state: BrokerState): [code: number, handler: Handler][] {
  return [
    [RequestCode.INVOKE_BROKER_TO_RESET_OFFSET, (header, connection) => reset(state, header, connection)],
  ];
}

function reset(state: BrokerState, header: Header, connection: RemotingConnection): void {
  const F = Fields.INVOKE_BROKER_TO_RESET_OFFSET;
  const request: ResetRequest = {
    topic: requiredText(header, F.topic, "topic"),
    group: requiredText(header, F.group, "group"),
    queueId: header.int(F.queueId, -1),
    timestampMs: header.long(F.timestamp, 0),
    offset: header.long(F.offset, -1),
    isForce: header.bool(F.isForce, false),
    forC: languageNames[header.language] === "CPP",
  };
  const later = connection.later(header);
  const { topic, group, queueId, timestampMs, offset } = request;
  state.logger.info("reset of offsets", { topic, group, queueId, timestampMs, offset, from: connection.peerText });
  const made = state.settings.useServerSideResetOffset ? keepReset(state, request) : pushReset(state, request);
  made.then(
    (answer) => later.answer(answer),
    (error) => later.answer({ code: ResponseCode.SYSTEM_ERROR, remark: String(error) }),
  );
}

/**
 * Keeps where the next pull of each queue shall begin, and answers when the group stands there on disk too, so that an
 * offline group begins there after any crash (`AdminBrokerProcessor.resetOffsetInner`).
 */
async function keepReset(state: BrokerState, request: ResetRequest): Promise<Answer> {
  const { topic, group, queueId } = request;
  const refused = refusal(state, request);
  if (refused !== null) return refused;
  const table = new Map<number, number>();
  if (queueId >= 0) {
    const wrong = request.offset === -1 ? null : outOfRange(state, request);
    if (wrong !== null) return wrong;
    table.set(queueId, request.offset === -1 ? await found(state, request, queueId) : request.offset);
  } else {
    await inSlices(state.platform.clock, queueIds(state.topics.get(topic)?.config.readQueueNums ?? 0), async (one) => {
      table.set(one, await found(state, request, one));
    });
  }
  if (table.size === 0) return { code: ResponseCode.SYSTEM_ERROR, remark: "No queues to reset." };
  // Either may have been deleted while the queues were searched.
  const gone = refusal(state, request);
  if (gone !== null) return gone;
  for (const [one, offset] of table) state.offsets.reset(group, topic, one, offset);
  await new Promise<void>((resolve) => state.offsets.flush(resolve));
  return { code: ResponseCode.SUCCESS, body: resetBody(state.settings.brokerName, topic, table) };
}

function refusal(state: BrokerState, { topic, group }: ResetRequest): Answer | null {
  if (state.settings.brokerRole === "SLAVE") {
    return { code: ResponseCode.SYSTEM_ERROR, remark: "Can not reset offset in slave broker" };
  }
  if (state.topics.get(topic) === null) {
    return { code: ResponseCode.TOPIC_NOT_EXIST, remark: `Topic ${topic} does not exist` };
  }
  if (state.groups.get(group) === null) {
    return { code: ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST, remark: `Group ${group} does not exist` };
  }
  return null;
}

function outOfRange(state: BrokerState, { topic, queueId, offset }: ResetRequest): Answer | null {
  const queue = state.store.existingQueue(topic, queueId);
  const min = queue?.min ?? 0;
  const max = queue?.max ?? 0;
  if (offset >= min && offset <= max + 1) return null;
  const remark = `Target offset ${offset} not in consume queue range [${min}-${max}]`;
  return { code: ResponseCode.SYSTEM_ERROR, remark };
}

function found(state: BrokerState, { topic, timestampMs }: ResetRequest, queueId: number): Promise<number> {
  if (timestampMs < 0) return Promise.resolve(state.store.existingQueue(topic, queueId)?.max ?? 0);
  return offsetAtTime(state.store, topic, queueId, timestampMs);
}
