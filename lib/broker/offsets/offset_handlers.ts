import { Fields, type Header, RequestCode, ResponseCode } from "@rmq/protocol";
import type { Handler, RemotingConnection } from "@rmq/remoting";
import { answerSliced } from "../answer_sliced.ts";
import { requiredInt, requiredText } from "../required_fields.ts";
import type { BrokerState } from "../state.ts";

/** Requests about consumer offsets: 14, 15, 43 (`ConsumerManageProcessor`, remoting §12.2). */
export function offsetHandlers(state: BrokerState): [code: number, handler: Handler][] {
  return [
    [RequestCode.QUERY_CONSUMER_OFFSET, (header, connection) => queryOffset(state, header, connection)],
    [RequestCode.UPDATE_CONSUMER_OFFSET, (header, connection) => updateOffset(state, header, connection)],
    [RequestCode.GET_ALL_CONSUMER_OFFSET, (header, connection) => {
      answerSliced(state, connection.later(header), state.offsets.snapshotJson(), null);
    }],
  ];
}

function queryOffset(state: BrokerState, header: Header, connection: RemotingConnection): void {
  const F = Fields.QUERY_CONSUMER_OFFSET;
  const group = requiredText(header, F.consumerGroup, "consumerGroup");
  const topic = requiredText(header, F.topic, "topic");
  const queueId = requiredInt(header, F.queueId, "queueId");
  const known = state.offsets.query(group, topic, queueId);
  if (known >= 0) return answerOffset(header, connection, known);
  if (!header.bool(F.setZeroIfNotFound, true)) {
    const remark = "Not found, do not set to zero, maybe this group boot first";
    return connection.answer(header.opaque, { code: ResponseCode.QUERY_NOT_FOUND, remark, fields: {} });
  }
  const queue = state.store.existingQueue(topic, queueId);
  if (queue === null || queue.min > 0 || queue.max === 0) return notFound(header, connection);
  // A new group begins at 0 only while that is still in memory: old data shouldn't be read by somebody just started.
  const later = connection.later(header);
  firstIsInMemory(state, queue, (inMemory) => {
    later.answer(
      inMemory ? { code: ResponseCode.SUCCESS, fields: { offset: 0 } } : {
        code: ResponseCode.QUERY_NOT_FOUND,
        remark: BOOT_FIRST,
        fields: {},
      },
    );
  });
}

const BOOT_FIRST = "Not found, V3_0_6_SNAPSHOT maybe this group consumer boot first";

function notFound(header: Header, connection: RemotingConnection): void {
  connection.answer(header.opaque, { code: ResponseCode.QUERY_NOT_FOUND, remark: BOOT_FIRST, fields: {} });
}

function answerOffset(header: Header, connection: RemotingConnection, offset: number): void {
  connection.answer(header.opaque, { code: ResponseCode.SUCCESS, fields: { offset } });
}

function firstIsInMemory(
  state: BrokerState,
  queue: ReturnType<BrokerState["store"]["queue"]>,
  done: (inMemory: boolean) => void,
): void {
  state.store.get(
    { queue, offset: 0, maxCount: 1, maxBytes: 1, tags: null, matches: null },
    (result) => done(result.count > 0 && !result.fromDisk),
  );
}

function updateOffset(state: BrokerState, header: Header, connection: RemotingConnection): void {
  const F = Fields.UPDATE_CONSUMER_OFFSET;
  const group = header.text(F.consumerGroup);
  const topic = header.text(F.topic);
  const refuse = (code: number, remark: string) => connection.answer(header.opaque, { code, remark, fields: {} });
  if (group === null || state.groups.get(group) === null) {
    return refuse(ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST, `Group ${group} not exist!`);
  }
  if (topic === null || state.topics.get(topic) === null) {
    return refuse(ResponseCode.TOPIC_NOT_EXIST, `Topic ${topic} not exist!`);
  }
  const queueId = header.int(F.queueId, NaN);
  if (Number.isNaN(queueId)) return refuse(ResponseCode.INVALID_PARAMETER, `QueueId is null, topic is ${topic}`);
  const offset = header.long(F.commitOffset, NaN);
  if (Number.isNaN(offset)) return refuse(ResponseCode.INVALID_PARAMETER, `Offset is null, topic is ${topic}`);
  if (state.offsets.hasReset(group, topic, queueId)) {
    return refuse(ResponseCode.SUCCESS, "Offset has been previously reset");
  }
  state.offsets.commit(group, topic, queueId, offset);
  connection.answer(header.opaque, { code: ResponseCode.SUCCESS, fields: {} });
}
