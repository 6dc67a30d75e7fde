import { objectKeys, toJson, VERSION, versionName } from "@rmq/protocol";
import type { Network } from "../network/network.ts";
import type { ProcessQueue } from "./process_queue.ts";
import type { PushConsumer } from "./push_consumer.ts";

/** What `consumerStatus` shows of a member (307), as JSON. (ConsumerRunningInfo, remoting.md §10) */
export function runningInfo(network: Network, consumer: PushConsumer): string {
  const { spec, table, startedMs } = consumer;
  const concurrency = Number.isFinite(spec.concurrency) ? spec.concurrency : -1;
  return toJson({
    jstack: null,
    mqPopTable: objectKeys([]),
    mqTable: objectKeys(table.queues.map((own) => {
      const { brokerName, queueId, topic } = own.queue;
      return [{ brokerName, queueId, topic }, queueInfo(network, own)] as const;
    })),
    properties: {
      PROP_NAMESERVER_ADDR: network.options.nameServers.map((address) => `${address};`).join(""),
      PROP_CONSUME_TYPE: "CONSUME_PASSIVELY",
      PROP_CONSUMEORDERLY: String(spec.ordered),
      PROP_THREADPOOL_CORE_SIZE: String(concurrency),
      PROP_CLIENT_VERSION: versionName(VERSION),
      PROP_CONSUMER_START_TIMESTAMP: String(startedMs),
      consumerGroup: spec.group,
      messageModel: spec.broadcast ? "BROADCASTING" : "CLUSTERING",
      allocateMessageQueueStrategy: spec.strategy.name,
      pullThresholdForQueue: String(spec.limits.queueMessages),
      pullBatchSize: String(spec.pullBatch),
      maxReconsumeTimes: String(spec.maxReconsumeTimes ?? -1),
    },
    statusTable: Object.fromEntries([...spec.subscriptions.keys()].map((topic) => [topic, NO_RATES])),
    subscriptionSet: [...spec.subscriptions.values()].map((each) => ({ ...each, classFilterMode: false })),
  });
}

/** Rates are not measured. (ConsumeStatus) */
const NO_RATES = { consumeFailedMsgs: 0, consumeFailedTPS: 0, consumeOKTPS: 0, consumeRT: 0, pullRT: 0, pullTPS: 0 };

/** (ProcessQueueInfo) */
function queueInfo(network: Network, queue: ProcessQueue): Record<string, number | boolean> {
  const { clock } = network.platform;
  const lockAgeMs = queue.lockedAtMs === null ? 0 : clock.monotonicUs() / 1000 - queue.lockedAtMs;
  return {
    cachedMsgCount: queue.count,
    cachedMsgMaxOffset: queue.last?.offset ?? 0,
    cachedMsgMinOffset: queue.first?.offset ?? 0,
    cachedMsgSizeInMiB: Math.floor(queue.bytes / (1024 * 1024)),
    commitOffset: queue.commitOffset,
    droped: queue.dropped,
    lastConsumeTimestamp: queue.lastConsumeMs,
    lastLockTimestamp: queue.lockedAtMs === null ? 0 : Math.round(clock.nowMs() - lockAgeMs),
    lastPullTimestamp: queue.lastPullMs,
    locked: queue.lockedAtMs !== null,
    transactionMsgCount: 0,
    transactionMsgMaxOffset: 0,
    transactionMsgMinOffset: 0,
    tryUnlockTimes: 0,
  };
}
