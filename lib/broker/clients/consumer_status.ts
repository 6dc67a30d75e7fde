import { Fields, type Header, RequestCode, ResponseCode, versionName } from "@rmq/protocol";
import type { Handler, RemotingConnection, Response } from "@rmq/remoting";
import { JsonMembers } from "../json_members.ts";
import { offsetsByQueueJson } from "../offsets/message_queue_json.ts";
import { requiredText } from "../required_fields.ts";
import type { BrokerState } from "../state.ts";
import type { ClientInfo } from "./consumer_group.ts";

/** MQVersion ordinal of V3_0_7_SNAPSHOT: older consumers know neither 220 nor 221. */
export const FIRST_RESETTABLE_VERSION = 28;

/** How long each member may take to say where it is, ms (`Broker2Client.getConsumeStatus`). */
const STATUS_TIMEOUT_MS = 5000;
/** Bytes of JSON that one member may answer with: some ten thousand queues. */
const MAX_STATUS_BYTES = 4 * 1024 * 1024;

const encoder = new TextEncoder();

/** Where the members of a group are, asked of each of them: 223, by way of 221 (`Broker2Client.getConsumeStatus`). */
export function consumerStatusHandlers(state: BrokerState): [code: number, handler: Handler][] {
  return [
    [
      RequestCode.INVOKE_BROKER_TO_GET_CONSUMER_STATUS,
      (header, connection) => consumerStatus(state, header, connection),
    ],
  ];
}

function consumerStatus(state: BrokerState, header: Header, connection: RemotingConnection): void {
  const F = Fields.INVOKE_BROKER_TO_GET_CONSUMER_STATUS;
  const topic = requiredText(header, F.topic, "topic");
  const group = requiredText(header, F.group, "group");
  const wanted = header.text(F.clientAddr)?.trim() ?? "";
  const fail = (remark: string) => connection.answer(header.opaque, { code: ResponseCode.SYSTEM_ERROR, remark });
  const members = [...state.clients.consumerGroup(group)?.members.values() ?? []];
  if (members.length === 0) return fail(`No Any Consumer online in the consumer group: [${group}]`);
  const old = members.find((member) => member.version < FIRST_RESETTABLE_VERSION);
  if (old !== undefined) return fail(unsupported(old));
  const asked = members.filter((member) => wanted === "" || member.clientId === wanted);
  const later = connection.later(header);
  Promise.all(asked.map((member) => statusOf(state, member, topic, group))).then((tables) => {
    const consumerTable = tables.filter((table) => table !== null).join(",");
    const body = encoder.encode(`{"consumerTable":{${consumerTable}},"messageQueueTable":{}}`);
    // Apache sets its code without touching the remark that every answer begins with.
    later.answer({ code: ResponseCode.SUCCESS, remark: "not set any response code", body });
  });
}

/** What is said of a consumer that is too old for 220 and 221. */
export function unsupported(member: ClientInfo): string {
  return `the client does not support this feature. version=${versionName(member.version)}`;
}

/** A member of consumerTable; null when the client gave no answer, as it is left out then. */
async function statusOf(state: BrokerState, member: ClientInfo, topic: string, group: string): Promise<string | null> {
  const request = { code: RequestCode.GET_CONSUMER_STATUS_FROM_CLIENT, fields: { topic, group } };
  const { response, failure } = await state.asks.ask(member.connection, request, STATUS_TIMEOUT_MS);
  try {
    if (response === null) throw failure;
    const table = tableOf(response);
    return table === null ? null : `${JSON.stringify(member.clientId)}:${table}`;
  } catch (error) {
    state.logger.warn("a consumer did not say where it is", { group, client: member.clientId, error: String(error) });
    return null;
  }
}

function tableOf({ code, body }: Response): string | null {
  if (code !== ResponseCode.SUCCESS || body === null) return null;
  return offsetsByQueueJson(JsonMembers.parse(body, MAX_STATUS_BYTES)?.raw("messageQueueTable"));
}
