import { AUTO_CREATE_TOPIC, HALF_TOPIC, OP_TOPIC, Perm, SCHEDULE_TOPIC, TIMER_TOPIC } from "@rmq/protocol";
import type { BrokerSettings } from "../settings.ts";
import { newTopicConfig, type TopicConfig } from "./topic_config.ts";

/** What of the settings decides which topics there are at boot. */
export type BootSettings = Pick<
  BrokerSettings,
  | "autoCreateTopicEnable"
  | "brokerClusterName"
  | "brokerName"
  | "brokerTopicEnable"
  | "clusterTopicEnable"
  | "defaultTopicQueueNums"
  | "msgTraceTopicName"
  | "reviveQueueNum"
  | "timerWheelEnable"
  | "traceTopicEnable"
>;

/** The topics that a broker has from its first start on (storage §17, `TopicConfigManager.init`). */
export function bootTopics(settings: BootSettings): TopicConfig[] {
  const open = Perm.READ | Perm.WRITE;
  const inherit = open | Perm.INHERIT;
  const topic = (name: string, queues: number, perm: number = open) =>
    newTopicConfig(name, { readQueueNums: queues, writeQueueNums: queues, perm });
  const { brokerClusterName: cluster, brokerName: broker } = settings;
  return [
    topic("SELF_TEST_TOPIC", 1),
    ...(settings.autoCreateTopicEnable ? [topic(AUTO_CREATE_TOPIC, settings.defaultTopicQueueNums, inherit)] : []),
    topic("BenchmarkTest", 1024),
    topic(cluster, 16, settings.clusterTopicEnable ? inherit : Perm.INHERIT),
    topic(broker, 1, settings.brokerTopicEnable ? inherit : Perm.INHERIT),
    topic("OFFSET_MOVED_EVENT", 1),
    topic(SCHEDULE_TOPIC, 18),
    ...(settings.traceTopicEnable ? [topic(settings.msgTraceTopicName, 1)] : []),
    topic(`${cluster}_REPLY_TOPIC`, 1),
    topic(`rmq_sys_REVIVE_LOG_${cluster}`, settings.reviveQueueNum),
    topic(`rmq_sys_SYNC_BROKER_MEMBER_${broker}`, 1, Perm.INHERIT),
    topic(HALF_TOPIC, 1),
    topic(OP_TOPIC, 1),
    topic("RMQ_SYS_ROCKSDB_TRANS_HALF_TOPIC", 1),
    topic("RMQ_SYS_ROCKSDB_TRANS_OP_HALF_TOPIC", 1),
    ...(settings.timerWheelEnable ? [topic(TIMER_TOPIC, 1)] : []),
  ];
}
