const RETRY = "%RETRY%";
const DLQ = "%DLQ%";
const SYSTEM_TOPICS: ReadonlySet<string> = new Set([
  "TBW102",
  "SCHEDULE_TOPIC_XXXX",
  "BenchmarkTest",
  "SELF_TEST_TOPIC",
  "OFFSET_MOVED_EVENT",
  "TRANS_CHECK_MAX_TIME_TOPIC",
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
  const prefix = name.startsWith(RETRY) ? RETRY : name.startsWith(DLQ) ? DLQ : "";
  const own = name.slice(prefix.length);
  return own.startsWith(`${namespace}%`) ? name : `${prefix}${namespace}%${own}`;
}

/** The reverse. (NamespaceUtil.withoutNamespace) */
export function withoutNamespace(namespace: string, name: string): string {
  if (namespace === "") return name;
  const prefix = name.startsWith(RETRY) ? RETRY : name.startsWith(DLQ) ? DLQ : "";
  const own = name.slice(prefix.length);
  return own.startsWith(`${namespace}%`) ? prefix + own.slice(namespace.length + 1) : name;
}

/** Whether RocketMQ itself uses the topic or the group. (TopicValidator, MixAll) */
export function isSystemName(name: string): boolean {
  return name.startsWith("rmq_sys_") || name.startsWith("RMQ_SYS_") || name.startsWith("CID_RMQ_SYS_") ||
    name.endsWith("_REPLY_TOPIC") || SYSTEM_TOPICS.has(name) || SYSTEM_GROUPS.has(name);
}
