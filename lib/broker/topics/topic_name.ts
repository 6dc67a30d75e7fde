import {
  AUTO_CREATE_TOPIC,
  CHECK_MAX_TOPIC,
  DLQ_PREFIX,
  HALF_TOPIC,
  OP_TOPIC,
  RETRY_PREFIX,
  SCHEDULE_TOPIC,
} from "@rmq/protocol";

const LEGAL = /^[%|a-zA-Z0-9_-]*$/;
const LEGAL_TEXT = "^[%|a-zA-Z0-9_-]+$";
const TOPIC_MAX_LENGTH = 127;
const RETRY_OR_DLQ_MAX_LENGTH = 255;
const GROUP_MAX_LENGTH = 120;

/** System topics of every broker; its own names are added at boot (`TopicValidator`). */
export const systemTopics: readonly string[] = [
  AUTO_CREATE_TOPIC,
  SCHEDULE_TOPIC,
  "BenchmarkTest",
  HALF_TOPIC,
  "RMQ_SYS_TRACE_TOPIC",
  OP_TOPIC,
  CHECK_MAX_TOPIC,
  "SELF_TEST_TOPIC",
  "OFFSET_MOVED_EVENT",
  "CHECKPOINT_TOPIC",
  "RMQ_SYS_ROCKSDB_TRANS_HALF_TOPIC",
  "RMQ_SYS_ROCKSDB_TRANS_OP_HALF_TOPIC",
];

const noSends: ReadonlySet<string> = new Set([
  SCHEDULE_TOPIC,
  HALF_TOPIC,
  OP_TOPIC,
  CHECK_MAX_TOPIC,
  "SELF_TEST_TOPIC",
  "OFFSET_MOVED_EVENT",
  "RMQ_SYS_ROCKSDB_TRANS_HALF_TOPIC",
  "RMQ_SYS_ROCKSDB_TRANS_OP_HALF_TOPIC",
]);

/** Why a name can't be a topic's, as a remark for code 29; null: it can (`TopicValidator.validateTopic`). */
export function topicNameProblem(name: string): string | null {
  if (name.trim() === "") return "The specified topic is blank.";
  if (!LEGAL.test(name)) {
    return `The specified topic: ${name}, contains illegal characters, allowing only ${LEGAL_TEXT}`;
  }
  if (name.startsWith(RETRY_PREFIX) || name.startsWith(DLQ_PREFIX)) {
    if (name.length <= RETRY_OR_DLQ_MAX_LENGTH) return null;
    return `The specified topic is DLQ or Retry topic: ${name}, and it's longer than topic max length: ${RETRY_OR_DLQ_MAX_LENGTH}`;
  }
  if (name.length <= TOPIC_MAX_LENGTH) return null;
  return `The specified topic: ${name}, is longer than topic max length: ${TOPIC_MAX_LENGTH}`;
}

/** Why a name can't be a group's, as a remark for code 29; null: it can (`TopicValidator.validateGroup`). */
export function groupNameProblem(name: string): string | null {
  if (name.trim() === "") return "The specified group is blank.";
  if (!LEGAL.test(name)) {
    return `The specified group: ${name}, contains illegal characters, allowing only ${LEGAL_TEXT}`;
  }
  if (name.length <= GROUP_MAX_LENGTH) return null;
  return `The specified group: ${name}, is longer than group max length: ${GROUP_MAX_LENGTH}`;
}

/** Why clients may not send to a topic, as a remark for code 16; null: they may. */
export function sendRefusal(topic: string): string | null {
  return noSends.has(topic) ? `Sending message to topic[${topic}] is forbidden.` : null;
}
