import { Fields, type Header, RequestCode, ResponseCode } from "@rmq/protocol";
import type { Handler, RemotingConnection } from "@rmq/remoting";
import { requiredText } from "../required_fields.ts";
import type { BrokerState } from "../state.ts";

const encoder = new TextEncoder();

/** Java's `Long.MAX_VALUE`: the compared group is behind all others in this queue. */
const NO_CORRECTION = "9223372036854775807";

/** One group's offsets for another, and beside those of others: 314, 308 (`AdminBrokerProcessor`). */
export function compareGroupsHandlers(state: BrokerState): [code: number, handler: Handler][] {
  return [
    [RequestCode.CLONE_GROUP_OFFSET, (header, connection) => cloneOffsets(state, header, connection)],
    [RequestCode.QUERY_CORRECTION_OFFSET, (header, connection) => correctionOffsets(state, header, connection)],
  ];
}

/** The target stands in each queue of the topics where the source stands, when that is on disk. */
function cloneOffsets(state: BrokerState, header: Header, connection: RemotingConnection): void {
  const F = Fields.CLONE_GROUP_OFFSET;
  const source = requiredText(header, F.srcGroup, "srcGroup");
  const target = requiredText(header, F.destGroup, "destGroup");
  const one = header.text(F.topic)?.trim() ?? "";
  const online = header.bool(F.offline, false) ? null : state.clients.consumerGroup(source);
  for (const topic of one === "" ? state.offsets.topicsOf(source) : [one]) {
    if (state.topics.get(topic) === null) continue;
    if (online !== null && online.subscriptions.size > 0 && online.subscription(topic) === null) continue;
    state.offsets.clone(source, target, topic);
  }
  const later = connection.later(header);
  state.offsets.flush(() => later.answer({ code: ResponseCode.SUCCESS }));
}

/** Lowest offset of the other groups in each queue; Apache also forgets the offsets of `filterGroups`, which is a slip. */
function correctionOffsets(state: BrokerState, header: Header, connection: RemotingConnection): void {
  const F = Fields.QUERY_CORRECTION_OFFSET;
  const topic = requiredText(header, F.topic, "topic");
  const compared = requiredText(header, F.compareGroup, "compareGroup");
  const filtered = new Set((header.text(F.filterGroups) ?? "").split(","));
  const lowest = new Map<number, number>();
  for (const group of state.offsets.groupsOf(topic)) {
    if (filtered.has(group)) continue;
    for (const [queueId, offset] of state.offsets.queuesOf(group, topic)) {
      if (offset < (state.store.existingQueue(topic, queueId)?.min ?? 0)) continue;
      lowest.set(queueId, Math.min(offset, lowest.get(queueId) ?? offset));
    }
  }
  const own = new Map(state.offsets.queuesOf(compared, topic));
  const members = [...lowest].sort(([a], [b]) => a - b).map(([queueId, offset]) =>
    `${queueId}:${offset > (own.get(queueId) ?? Infinity) ? NO_CORRECTION : offset}`
  );
  const body = encoder.encode(`{"correctionOffsets":{${members.join(",")}}}`);
  connection.answer(header.opaque, { code: ResponseCode.SUCCESS, body });
}
