import type { Settings } from "./settings.ts";
import { keyGroups, type ServerKind } from "./table.ts";

/** What Apache marks as important (`@ImportantField`), shown by `-m`. */
const IMPORTANT: ReadonlySet<string> = new Set([
  "namesrvAddr",
  "listenPort",
  "brokerName",
  "brokerClusterName",
  "brokerId",
  "brokerIP1",
  "recoverConcurrently",
  "autoCreateTopicEnable",
  "autoCreateSubscriptionGroup",
  "msgTraceTopicName",
  "traceTopicEnable",
  "rejectTransactionMessage",
  "fetchNameSrvAddrByDnsLookup",
  "fetchNamesrvAddrByAddressServer",
  "transactionTimeOut",
  "transactionCheckMax",
  "transactionCheckInterval",
  "aclEnable",
  "storePathRootDir",
  "storePathCommitLog",
  "flushDiskType",
  "brokerRole",
  "fileReservedTime",
  "deleteWhen",
  "haListenPort",
]);

/** All properties as lines `key=value`, sorted within each component, as `mqbroker -p` and `-m` print them. */
export function listProperties<T>(kind: ServerKind, settings: Settings<T>, importantOnly: boolean): string[] {
  return keyGroups(kind).flatMap((group) =>
    [...Object.keys(group.used), ...Object.keys(group.accepted)]
      .filter((name) => !importantOnly || IMPORTANT.has(name))
      .sort()
      .flatMap((name) => {
        const text = settings.text(name);
        return text === null ? [] : [`${name}=${text}`];
      })
  );
}
