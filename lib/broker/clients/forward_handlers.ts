import {
  Fields,
  type Header,
  type HeaderFields,
  parseOffsetMessageId,
  RequestCode,
  ResponseCode,
  versionName,
} from "@rmq/protocol";
import type { Handler, Later, RemotingConnection } from "@rmq/remoting";
import { requiredText } from "../required_fields.ts";
import type { BrokerState } from "../state.ts";
import { FORWARD_TIMEOUT_MS } from "./ask.ts";
import type { ClientInfo } from "./consumer_group.ts";

/** MQVersion ordinal of V3_1_8_SNAPSHOT: older consumers know neither request. */
const FIRST_VERSION = 62;

/** Fields of who asks the broker; the consumer has no use for them. */
const CREDENTIALS = ["AccessKey", "Signature", "SecurityToken"];

/** What an operator asks of one consumer by way of its broker: 307, 309 (`AdminBrokerProcessor.callConsumer`). */
export function forwardHandlers(state: BrokerState): [code: number, handler: Handler][] {
  return [
    [RequestCode.GET_CONSUMER_RUNNING_INFO, (header, connection) => runningInfo(state, header, connection)],
    [RequestCode.CONSUME_MESSAGE_DIRECTLY, (header, connection) => consumeDirectly(state, header, connection)],
  ];
}

function runningInfo(state: BrokerState, header: Header, connection: RemotingConnection): void {
  const F = Fields.GET_CONSUMER_RUNNING_INFO;
  const group = requiredText(header, F.consumerGroup, "consumerGroup");
  const clientId = header.text(F.clientId);
  const { code } = header;
  forward(state, connection.later(header), group, clientId, code, forwarded(header), null);
}

/** The consumer gets the stored message itself, so that it consumes what the log holds whatever its offset is. */
function consumeDirectly(state: BrokerState, header: Header, connection: RemotingConnection): void {
  const F = Fields.CONSUME_MESSAGE_DIRECTLY;
  const group = requiredText(header, F.consumerGroup, "consumerGroup");
  const { offset } = parseOffsetMessageId(requiredText(header, F.msgId, "msgId"));
  const clientId = header.text(F.clientId);
  const topic = header.text(F.topic);
  const { code } = header;
  const fields = forwarded(header);
  fields.brokerName = state.settings.brokerName;
  fields.topicSysFlag = (topic === null ? null : state.topics.get(topic)?.config.topicSysFlag) ?? fields.topicSysFlag;
  fields.groupSysFlag = state.groups.get(group)?.config.groupSysFlag ?? fields.groupSysFlag;
  const later = connection.later(header);
  state.store.entryAt(offset, 0, (bytes, start, end) => {
    if (bytes === null) {
      return later.answer({
        code: ResponseCode.SYSTEM_ERROR,
        remark: `can not find message by the offset, ${offset}`,
      });
    }
    forward(state, later, group, clientId, code, fields, bytes.slice(start, end));
  });
}

function forwarded(header: Header): HeaderFields {
  const fields: HeaderFields = Object.fromEntries(header.extEntries());
  for (const name of CREDENTIALS) delete fields[name];
  return fields;
}

function forward(
  state: BrokerState,
  later: Later,
  group: string,
  clientId: string | null,
  code: number,
  fields: HeaderFields,
  body: Uint8Array | null,
): void {
  const fail = (code: number, remark: string) => later.answer({ code, remark });
  const member = memberOf(state, group, clientId);
  if (member === null) return fail(ResponseCode.SYSTEM_ERROR, `The Consumer <${group}> <${clientId}> not online`);
  if (member.version < FIRST_VERSION) {
    const version = versionName(member.version);
    const remark = `The Consumer <${clientId}> Version <${version}> too low to finish, ` +
      "please upgrade it to V3_1_8_SNAPSHOT";
    return fail(ResponseCode.SYSTEM_ERROR, remark);
  }
  state.asks.ask(member.connection, { code, fields, body }, FORWARD_TIMEOUT_MS).then(({ response, failure }) => {
    if (response !== null) {
      const { code, remark, body } = response;
      return later.answer({ code, remark, fields: response.fields.size === 0 ? null : entries(response.fields), body });
    }
    const who = `<${group}> <${clientId}>`;
    if (failure.code === "TIMEOUT") {
      fail(ResponseCode.CONSUME_MSG_TIMEOUT, `consumer ${who} Timeout: ${failure.message}`);
    } else {
      fail(ResponseCode.SYSTEM_ERROR, `invoke consumer ${who} Exception: ${failure.message}`);
    }
  });
}

function entries(fields: ReadonlyMap<string, string | null>): HeaderFields {
  return Object.fromEntries(fields);
}

function memberOf(state: BrokerState, group: string, clientId: string | null): ClientInfo | null {
  for (const member of state.clients.consumerGroup(group)?.members.values() ?? []) {
    if (member.clientId === clientId) return member;
  }
  return null;
}
