import type { BrokerValues, Settings } from "@rmq/config";
import type { Process } from "@rmq/platform";
import { serverLimits, tlsSettings } from "@rmq/remoting";
import { defaultStoreOptions, type StoreOptions } from "@rmq/store";
import type { BrokerOptions } from "./broker.ts";
import type { BrokerSettings } from "./settings.ts";

/** A broker as a configuration has it. */
export function brokerOptions(
  settings: Settings<BrokerValues>,
  process: Pick<Process, "pid" | "memoryBytes">,
): BrokerOptions {
  return {
    broker: brokerSettings(settings),
    store: storeOptions(settings, process),
    limits: serverLimits(settings),
    tls: tlsSettings(settings),
  };
}

/** What the broker reads, with what Apache derives from other keys filled in. */
export function brokerSettings(settings: Settings<BrokerValues>): BrokerSettings {
  const slice = settings.slice(BROKER_KEYS);
  const master = slice.brokerRole !== "SLAVE";
  return {
    ...slice,
    brokerId: master ? 0 : slice.brokerId,
    brokerIP1: withoutBrackets(slice.brokerIP1),
    brokerIP2: withoutBrackets(slice.brokerIP2),
    haListenPort: slice.haListenPort > 0 ? slice.haListenPort : slice.listenPort + 1,
  };
}

/** What the store reads; the broker adds its address and delay levels. Ratios are kept within Apache's bounds (`MessageStoreConfig`). */
export function storeOptions(
  settings: Settings<BrokerValues>,
  { pid, memoryBytes }: Pick<Process, "pid" | "memoryBytes">,
): StoreOptions {
  const { storePathRootDir, storePathCommitLog, minFreeBytes, ...rest } = settings.slice(STORE_KEYS);
  return {
    ...defaultStoreOptions(storePathRootDir),
    ...rest,
    ...(storePathCommitLog === "" ? {} : { commitLogPath: storePathCommitLog }),
    ...(minFreeBytes === 0 ? {} : { minFreeBytes }),
    segmentBytes: settings.get("mappedFileSizeCommitLog"),
    consumeQueueFileBytes: settings.get("mappedFileSizeConsumeQueue"),
    diskMaxUsedSpaceRatio: within(rest.diskMaxUsedSpaceRatio, 10, 95),
    diskSpaceCleanForciblyRatio: within(rest.diskSpaceCleanForciblyRatio, 30, 85) / 100,
    diskSpaceWarningLevelRatio: within(rest.diskSpaceWarningLevelRatio, 35, 90) / 100,
    diskDistanceBytes: memoryBytes / 100 * settings.get("accessMessageInMemoryMaxRatio"),
    processId: pid,
  };
}

function within(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}

function withoutBrackets(host: string): string {
  return host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
}

const STORE_KEYS = [
  "storePathRootDir",
  "storePathCommitLog",
  "maxHashSlotNum",
  "maxIndexNum",
  "messageIndexEnable",
  "flushDiskType",
  "flushIntervalCommitLog",
  "flushCommitLogThoroughInterval",
  "maxMessageSize",
  "fileReservedTime",
  "deleteWhen",
  "diskMaxUsedSpaceRatio",
  "diskSpaceCleanForciblyRatio",
  "diskSpaceWarningLevelRatio",
  "cleanFileForciblyEnable",
  "minFreeBytes",
  "tailBytes",
  "blockCacheBytes",
  "maxTransferCountOnMessageInDisk",
  "maxTransferBytesOnMessageInDisk",
  "undurableBytes",
  "checkpointBytes",
  "checkpointIntervalMs",
  "openFiles",
  "queueMemoryBytes",
] as const;

const BROKER_KEYS = [
  "brokerName",
  "brokerClusterName",
  "brokerId",
  "brokerRole",
  "namesrvAddr",
  "brokerIP1",
  "brokerIP2",
  "advertisedPort",
  "bindAddress",
  "listenPort",
  "haListenPort",
  "brokerPermission",
  "defaultTopicQueueNums",
  "autoCreateTopicEnable",
  "autoCreateSubscriptionGroup",
  "enableCreateSysGroup",
  "clusterTopicEnable",
  "brokerTopicEnable",
  "traceTopicEnable",
  "msgTraceTopicName",
  "traceOn",
  "regionId",
  "storeReplyMessageEnable",
  "rejectTransactionMessage",
  "transactionTimeOut",
  "transactionCheckMax",
  "transactionCheckInterval",
  "transactionOpMsgMaxSize",
  "transactionMetricFlushInterval",
  "fileReservedTime",
  "startAcceptSendRequestTimeStamp",
  "maxMessageSize",
  "messageDelayLevel",
  "flushDiskType",
  "syncFlushTimeout",
  "waitTimeMillsInSendQueue",
  "longPollingEnable",
  "shortPollingTimeMills",
  "litePullMessageEnable",
  "enablePropertyFilter",
  "filterSupportRetry",
  "filterDataCleanTimeSpan",
  "maxErrorRateOfBloomFilter",
  "expectConsumerNumUseFilter",
  "slaveReadEnable",
  "notifyConsumerIdsChangedEnable",
  "channelExpiredTimeout",
  "flushConsumerOffsetInterval",
  "flushDelayOffsetInterval",
  "registerNameServerPeriod",
  "registerBrokerTimeoutMills",
  "forceRegister",
  "defaultQueryMaxNum",
  "maxMsgsNumBatch",
  "maxTransferCountOnMessageInMemory",
  "maxTransferBytesOnMessageInMemory",
  "reviveQueueNum",
  "timerWheelEnable",
  "timerPrecisionMs",
  "timerMaxDelaySec",
  "timerRollWindowSlot",
  "mappedFileSizeTimerLog",
  "timerFlushIntervalMs",
  "appendTopicForTimerDeleteKey",
  "recallMessageEnable",
  "allowRecallWhenBrokerNotWriteable",
  "serverChannelMaxIdleTimeSeconds",
  "storePathRootDir",
  "parkedBytesPerConnection",
  "parkedBytes",
  "maxParkedPulls",
  "maxClientAsks",
  "useServerSideResetOffset",
  "maxFilterLength",
  "maxFilterDepth",
  "maxFilterTerms",
  "maxFilters",
  "maxTopics",
  "maxGroups",
] as const;
