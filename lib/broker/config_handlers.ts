import { type Header, RequestCode, ResponseCode } from "@rmq/protocol";
import type { Handler, RemotingConnection } from "@rmq/remoting";
import { firstVersion, versionJson } from "./data_version.ts";
import type { BrokerState } from "./state.ts";

const encoder = new TextEncoder();

/** The broker's configuration over the wire: 25, 26 (`AdminBrokerProcessor`). */
export function configHandlers(state: BrokerState): [code: number, handler: Handler][] {
  const version = versionJson(firstVersion(state.platform.clock));
  return [
    [RequestCode.UPDATE_BROKER_CONFIG, updateConfig],
    [RequestCode.GET_BROKER_CONFIG, (header, connection) => {
      const body = encoder.encode(propertiesText({ ...state.settings }));
      connection.answer(header.opaque, { code: ResponseCode.SUCCESS, fields: { version }, body });
    }],
  ];
}

/** Nobody has shown who they are yet, so nothing changes by the wire. An empty body asks for nothing and gets it. */
function updateConfig(header: Header, connection: RemotingConnection): void {
  if (header.bodyStart === header.bodyEnd) return connection.answer(header.opaque, { code: ResponseCode.SUCCESS });
  const remark = isLoopback(connection.remote.host)
    ? "the configuration can't be changed while the broker runs; change its file and start it again"
    : "the configuration can't be changed from another host as long as there is no authentication";
  connection.answer(header.opaque, { code: ResponseCode.NO_PERMISSION, remark });
}

/** Whether an IP literal is this machine's own. */
function isLoopback(host: string): boolean {
  return host === "::1" || /^(::ffff:)?127\./i.test(host);
}

/** Lines of `key=value`, keys in order. */
function propertiesText(values: Readonly<Record<string, string | number | boolean>>): string {
  return Object.keys(values).sort().map((key) => `${key}=${values[key]}\n`).join("");
}
