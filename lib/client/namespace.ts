import {
  AUTO_CREATE_TOPIC,
  CHECK_MAX_TOPIC,
  DLQ_PREFIX,
  RETRY_PREFIX,
  SCHEDULE_TOPIC,
  SYSTEM_TOPIC_PREFIX,
} from "@rmq/protocol";

const SYSTEM_TOPICS: ReadonlySet<string> = new Set([
  AUTO_CREATE_TOPIC,
  SCHEDULE_TOPIC,
  "BenchmarkTest",
  "SELF_TEST_TOPIC",
  "OFFSET_MOVED_EVENT",
  CHECK_MAX_TOPIC,
]);
const SYSTEM_GROUPS: ReadonlySet<string> = new Set([
  "DEFAULT_PRODUCER",
  "DEFAULT_CONSUMER",
  "TOOLS_CONSUMER",
  "SCHEDULE_CONSUMER",
  "FILTERSRV_CONSUMER",
  "__MONITOR_CONSUMER",
  "CLIENT_INNER_PRODUCER",
  "SELF_TEST_P_GROUP",
  "SELF_TEST_C_GROUP",
  "CID_ONS-HTTP-PROXY",
  "CID_ONSAPI_PERMISSION",
  "CID_ONSAPI_OWNER",
  "CID_ONSAPI_PULL",
  "CID_RMQ_SYS_TRANS",
]);

/** A topic or a group as it is on the wire: `namespace%name`, behind `%RETRY%` or `%DLQ%`. (NamespaceUtil.wrapNamespace) */
export function withNamespace(namespace: string, name: string): string {
  if (namespace === "" || isSystemName(name)) return name;
  const prefix = prefixOf(name);
  const own = name.slice(prefix.length);
  return own.startsWith(`${namespace}%`) ? name : `${prefix}${namespace}%${own}`;
}

/** The reverse. (NamespaceUtil.withoutNamespace) */
export function withoutNamespace(namespace: string, name: string): string {
  if (namespace === "") return name;
  const prefix = prefixOf(name);
  const own = name.slice(prefix.length);
  return own.startsWith(`${namespace}%`) ? prefix + own.slice(namespace.length + 1) : name;
}

/** Whether RocketMQ itself uses the topic or the group. (TopicValidator, MixAll) */
export function isSystemName(name: string): boolean {
  return name.startsWith(SYSTEM_TOPIC_PREFIX) || name.startsWith("RMQ_SYS_") || name.startsWith("CID_RMQ_SYS_") ||
    name.endsWith("_REPLY_TOPIC") || SYSTEM_TOPICS.has(name) || SYSTEM_GROUPS.has(name);
}

function prefixOf(name: string): string {
  return name.startsWith(RETRY_PREFIX) ? RETRY_PREFIX : name.startsWith(DLQ_PREFIX) ? DLQ_PREFIX : "";
}
