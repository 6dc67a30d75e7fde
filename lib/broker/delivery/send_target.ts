import { type Header, ResponseCode, RETRY_PREFIX } from "@rmq/protocol";
import type { RemotingConnection } from "@rmq/remoting";
import type { BrokerState } from "../state.ts";
import { sendRefusal, topicNameProblem } from "../topics/topic_name.ts";
import type { Topic } from "../topics/topic_table.ts";
import type { Refusal, Target } from "./rewriters.ts";
import type { SendFields } from "./send_fields.ts";
import { illegal, NO_INNER_BATCHES } from "./unwanted_properties.ts";

const PERM_WRITE = 2;
/** An inner batch (BatchCQ topics): its entry takes several queue offsets. */
const INNER_BATCH = 0x80;

/**
 * Checks what stands in the header of a send and sets `target` to its topic, made when it is new, and its queue
 * (remoting sheet §11.6, steps 1 to 7). null: the message may be stored there.
 */
export function findTarget(state: BrokerState, header: Header, fields: SendFields, target: Target): Refusal | null {
  const { settings, topics, platform } = state;
  if (settings.startAcceptSendRequestTimeStamp > platform.clock.nowMs()) {
    return {
      code: ResponseCode.SYSTEM_ERROR,
      remark: `broker unable to service, until ${settings.startAcceptSendRequestTimeStamp} ms since 1970`,
    };
  }
  const topic = header.escaped(fields.topic)
    ? topics.get(header.text(fields.topic) ?? "")
    : topics.find(header.valueBytes, header.start(fields.topic), header.end(fields.topic));
  if (topic === null) {
    const refusal = createTopic(state, header, fields, target);
    if (refusal !== null) return refusal;
  } else {
    target.topic = topic;
  }
  if ((settings.brokerPermission & PERM_WRITE) === 0 && target.topic.config.order) {
    return {
      code: ResponseCode.NO_PERMISSION,
      remark: `the broker[${settings.brokerIP1}] sending message is forbidden`,
    };
  }
  if ((header.int(fields.sysFlag, 0) & INNER_BATCH) !== 0) return illegal(NO_INNER_BATCHES);
  return pickQueue(state, header.int(fields.queueId, 0), target);
}

/**
 * For a topic that was just made: nothing is appended to it before it stands on disk itself, so the frame waits and is
 * served again then.
 */
export function parkUntilDurable(
  state: BrokerState,
  header: Header,
  connection: RemotingConnection,
  topic: Topic,
): void {
  connection.park(header);
  state.topics.whenDurable(topic, () => state.server?.release());
}

function createTopic(state: BrokerState, header: Header, fields: SendFields, target: Target): Refusal | null {
  const { topics } = state;
  const name = header.text(fields.topic);
  if (name === null) return { code: ResponseCode.SYSTEM_ERROR, remark: "the header has no topic" };
  const problem = topicNameProblem(name);
  if (problem !== null) return { code: ResponseCode.INVALID_PARAMETER, remark: problem };
  const sysFlag = header.bool(fields.unitMode, false) ? 1 : 0;
  const created = name.startsWith(RETRY_PREFIX)
    ? topics.createOnSendBack(name, 1, 6, sysFlag === 1 ? 2 : 0)
    : topics.createOnSend(
      name,
      header.text(fields.defaultTopic) ?? "",
      header.int(fields.defaultTopicQueueNums, 4),
      sysFlag,
      "",
    );
  if (created === null) {
    return {
      code: ResponseCode.TOPIC_NOT_EXIST,
      remark:
        `topic[${name}] not exist, apply first please!\nSee https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details.`,
    };
  }
  target.topic = created;
  return null;
}

function pickQueue(state: BrokerState, queueId: number, target: Target): Refusal | null {
  const { topic } = target;
  const { config } = topic;
  const forbidden = topic.system ? sendRefusal(topic.name) : null;
  if (forbidden !== null) return { code: ResponseCode.NO_PERMISSION, remark: forbidden };
  if (queueId >= Math.max(config.writeQueueNums, config.readQueueNums)) {
    return {
      code: ResponseCode.INVALID_PARAMETER,
      remark:
        `request queueId[${queueId}] is illegal, topic[${topic.name}] has ${config.readQueueNums} read and ${config.writeQueueNums} write queues`,
    };
  }
  target.queueId = queueId >= 0 ? queueId : state.platform.random.below(Math.max(1, config.writeQueueNums));
  return null;
}
