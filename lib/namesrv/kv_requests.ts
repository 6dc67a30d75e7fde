import { Fields, type Header, ResponseCode } from "@rmq/protocol";
import type { RemotingConnection } from "@rmq/remoting";
import { answerBody, answerError, bodyOf, type Context } from "./context.ts";
import { kvTableBody } from "./route_json.ts";
import { namesFixedKey, parseProperties, settingsText, withProperties } from "./settings.ts";

/** Namespace of the order of queues of ordered topics, `broker:queues;…` by topic. */
export const ORDER_TOPIC_CONFIG = "ORDER_TOPIC_CONFIG";

/** 100 */
export function putKvConfig(context: Context, header: Header, connection: RemotingConnection): void {
  const fields = Fields.PUT_KV_CONFIG;
  const namespace = header.text(fields.namespace);
  const key = header.text(fields.key);
  if (namespace === null || key === null) {
    return answerError(connection, header.opaque, ResponseCode.SYSTEM_ERROR, "namespace or key is null");
  }
  context.kv.put(namespace, key, header.text(fields.value) ?? "", answerWhenSaved(header, connection));
}

/** 101 */
export function getKvConfig(context: Context, header: Header, connection: RemotingConnection): void {
  const fields = Fields.GET_KV_CONFIG;
  const namespace = header.text(fields.namespace);
  const key = header.text(fields.key);
  const value = context.kv.get(namespace ?? "", key ?? "");
  const { SUCCESS, QUERY_NOT_FOUND } = ResponseCode;
  if (value !== null) return connection.answer(header.opaque, { code: SUCCESS, fields: { value } });
  const remark = `No config item, Namespace: ${namespace} Key: ${key}`;
  connection.answer(header.opaque, { code: QUERY_NOT_FOUND, remark, fields: {} });
}

/** 102 */
export function deleteKvConfig(context: Context, header: Header, connection: RemotingConnection): void {
  const fields = Fields.DELETE_KV_CONFIG;
  const done = answerWhenSaved(header, connection);
  context.kv.delete(header.text(fields.namespace) ?? "", header.text(fields.key) ?? "", done);
}

/** 219 */
export function getKvListByNamespace(context: Context, header: Header, connection: RemotingConnection): void {
  const namespace = header.text(Fields.GET_KVLIST_BY_NAMESPACE.namespace);
  const table = context.kv.table(namespace ?? "");
  if (table !== null) return answerBody(connection, header.opaque, kvTableBody(table));
  const remark = `No config item, Namespace: ${namespace}`;
  answerError(connection, header.opaque, ResponseCode.QUERY_NOT_FOUND, remark);
}

/** 318. Only from this host, as long as nobody can say who they are. */
export function updateNamesrvConfig(context: Context, header: Header, connection: RemotingConnection): void {
  const { NO_PERMISSION, SUCCESS } = ResponseCode;
  if (!context.sameHost.isLocal(connection)) {
    const remark = "the config can be changed from this host only, as there is no authentication";
    return answerError(connection, header.opaque, NO_PERMISSION, remark);
  }
  const properties = parseProperties(new TextDecoder().decode(bodyOf(header)));
  if (namesFixedKey(context.settings, properties)) {
    return answerError(connection, header.opaque, NO_PERMISSION, "Can not update config in black list.");
  }
  context.settings = withProperties(context.settings, properties);
  context.table.settings = context.settings;
  if (context.settingsFile === null) return connection.answer(header.opaque, { code: SUCCESS });
  const saved = answerWhenSaved(header, connection);
  context.settingsFile.save(() => new TextEncoder().encode(settingsText(context.settings)), saved);
}

/** 319 */
export function getNamesrvConfig(context: Context, header: Header, connection: RemotingConnection): void {
  answerBody(connection, header.opaque, new TextEncoder().encode(settingsText(context.settings)));
}

/** Answers when the change is on disk, or says why it is not. */
function answerWhenSaved(header: Header, connection: RemotingConnection): (error: Error | null) => void {
  const later = connection.later(header);
  return (error) => {
    if (error === null) later.answer({ code: ResponseCode.SUCCESS });
    else later.answer({ code: ResponseCode.SYSTEM_ERROR, remark: `the change could not be saved: ${error.message}` });
  };
}
