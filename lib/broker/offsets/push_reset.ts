import { type Answer, RequestCode, ResponseCode } from "@rmq/protocol";
import { queueIds } from "../answer_rows.ts";
import { FIRST_RESETTABLE_VERSION, unsupported } from "../clients/consumer_status.ts";
import { inSlices } from "../in_slices.ts";
import type { BrokerState } from "../state.ts";
import { offsetAtTime } from "./offset_at_time.ts";
import { resetBody, resetListBody, type ResetRequest } from "./reset_request.ts";

/**
 * Tells the members of a group that are online where to go on (220, one-way), with
 * `useServerSideResetOffset=false`; nothing is kept here (`Broker2Client.resetOffset`).
 */
export async function pushReset(state: BrokerState, request: ResetRequest): Promise<Answer> {
  const { topic, group, timestampMs } = request;
  const found = state.topics.get(topic);
  if (found === null) {
    const remark = `[reset-offset] reset offset failed, no topic in this broker. topic=${topic}`;
    return { code: ResponseCode.TOPIC_NOT_EXIST, remark };
  }
  const table = await targets(state, request, found.config.writeQueueNums);
  if (table === null) {
    return { code: ResponseCode.SYSTEM_ERROR, remark: `THe consumer group <${group}> not exist` };
  }
  const members = [...state.clients.consumerGroup(group)?.members.values() ?? []];
  if (members.length === 0) {
    const remark = `Consumer not online, so can not reset offset, Group: ${group} Topic: ${topic} ` +
      `Timestamp: ${timestampMs}`;
    return { code: ResponseCode.CONSUMER_NOT_ONLINE, remark };
  }
  const old = members.find((member) => member.version < FIRST_RESETTABLE_VERSION);
  if (old !== undefined) return { code: ResponseCode.SYSTEM_ERROR, remark: unsupported(old) };
  const fields = { topic, group, queueId: -1, timestamp: timestampMs, isForce: false };
  const { brokerName } = state.settings;
  const answered = resetBody(brokerName, topic, table);
  const body = request.forC ? resetListBody(brokerName, topic, table) : answered;
  for (const member of members) {
    member.connection.oneway({ code: RequestCode.RESET_CONSUMER_CLIENT_OFFSET, fields, body });
  }
  return { code: ResponseCode.SUCCESS, body: answered };
}

/** Where each queue goes; null: the group has no offset in one of them. Without isForce no queue goes forward. */
async function targets(state: BrokerState, request: ResetRequest, queues: number): Promise<Map<number, number> | null> {
  const { topic, group, timestampMs, isForce } = request;
  const table = new Map<number, number>();
  for (const queueId of queueIds(queues)) {
    if (state.offsets.query(group, topic, queueId) < 0) return null;
    table.set(queueId, 0);
  }
  await inSlices(state.platform.clock, [...table.keys()], async (queueId) => {
    const consumed = state.offsets.query(group, topic, queueId);
    const found = timestampMs === -1
      ? state.store.existingQueue(topic, queueId)?.max ?? 0
      : await offsetAtTime(state.store, topic, queueId, timestampMs);
    table.set(queueId, isForce || found < consumed ? Math.max(0, found) : consumed);
  });
  return table;
}
