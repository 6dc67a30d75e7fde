import { type Header, RequestCode, ResponseCode } from "@rmq/protocol";
import type { Handler } from "@rmq/remoting";
import { BadJson, JsonMembers } from "../json_members.ts";
import type { BrokerState } from "../state.ts";
import type { MessageQueue } from "./queue_locks.ts";

const encoder = new TextEncoder();

/** Locks of orderly consumers: 41, 42 (`AdminBrokerProcessor`, remoting §12.7). */
export function lockHandlers(state: BrokerState): [code: number, handler: Handler][] {
  return [
    [RequestCode.LOCK_BATCH_MQ, (header, connection) => {
      const { group, clientId, queues } = readBody(header);
      const held = state.locks.lock(group, clientId, queues).map(queueJson);
      const body = encoder.encode(`{"lockOKMQSet":[${held.join(",")}]}`);
      connection.answer(header.opaque, { code: ResponseCode.SUCCESS, body });
    }],
    [RequestCode.UNLOCK_BATCH_MQ, (header, connection) => {
      const { group, clientId, queues } = readBody(header);
      state.locks.unlock(group, clientId, queues);
      connection.answer(header.opaque, { code: ResponseCode.SUCCESS });
    }],
  ];
}

function readBody(header: Header): { group: string; clientId: string; queues: MessageQueue[] } {
  const body = JsonMembers.parse(header.bytes.subarray(header.bodyStart, header.bodyEnd));
  const group = body?.text("consumerGroup") ?? null;
  const clientId = body?.text("clientId") ?? null;
  if (body === null || group === null || clientId === null) {
    throw new BadJson("the body needs a consumerGroup and a clientId");
  }
  const queues = body.objects("mqSet").map((json) => ({
    topic: json.text("topic") ?? "",
    brokerName: json.text("brokerName") ?? "",
    queueId: json.int("queueId", 0),
  }));
  return { group, clientId, queues };
}

function queueJson(queue: MessageQueue): string {
  return `{"brokerName":${JSON.stringify(queue.brokerName)},"queueId":${queue.queueId},` +
    `"topic":${JSON.stringify(queue.topic)}}`;
}
