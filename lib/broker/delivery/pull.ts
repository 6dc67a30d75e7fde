import { Fields, type Header, PullAnswer, RequestCode, ResponseCode } from "@rmq/protocol";
import type { Handler, RemotingConnection } from "@rmq/remoting";
import { type GetRequest, type GetResult, GetStatus, getStatusNames, type QueueState } from "@rmq/store";
import { TagsMatches } from "../filters/tags.ts";
import type { BrokerState } from "../state.ts";
import type { Topic } from "../topics/topic_table.ts";
import { type ParkedPull, ParkedPulls } from "./parked_pulls.ts";
import { faq } from "./remarks.ts";
import { type Subscription, subscriptionFor } from "./subscription_of_pull.ts";

const F = Fields.PULL_MESSAGE;

/** Bits of a pull's sysFlag (PullSysFlag). */
const COMMIT_OFFSET = 1;
const SUSPEND = 2;

const PERM_READ = 4;

/** No client waits longer for an answer (30 s), whatever its header says. */
const LONGEST_SUSPEND_MS = 10 * 60_000;

/** Everything that a checked pull needs to be run, now or later. */
interface Checked {
  readonly group: string;
  readonly groupSysFlag: number;
  readonly topic: Topic;
  readonly queue: QueueState;
  readonly subscription: Subscription;
}

/** Serves 11 and 361 (remoting sheet §12.1). */
export class Pull {
  private readonly answers = new PullAnswer();
  private readonly matches = new TagsMatches();
  private readonly parked: ParkedPulls;
  private stopping = false;

  constructor(private readonly state: BrokerState) {
    const { store, platform, settings } = state;
    this.parked = new ParkedPulls(store, platform.clock, settings.maxParkedPulls, (pull) => this.again(pull));
    state.offsets.onReset((group, topic, queueId) => {
      const found = state.topics.get(topic);
      if (found !== null && queueId < found.config.readQueueNums) this.parked.wakeGroup(found.queue(queueId), group);
    });
  }

  /** The handlers by code. */
  handlers(): [number, Handler][] {
    return [
      [RequestCode.PULL_MESSAGE, (header, connection) => this.pull(header, connection)],
      [RequestCode.LITE_PULL_MESSAGE, (header, connection) => {
        if (this.state.settings.litePullMessageEnable) return this.pull(header, connection);
        refuse(connection, header.opaque, ResponseCode.NO_PERMISSION, "the broker refuses lite pulls", "1");
      }],
    ];
  }

  /** Pulls that wait for messages now. */
  get parkedCount(): number {
    return this.parked.size;
  }

  /** Forgets what a closed connection waits for. */
  drop(connection: RemotingConnection): void {
    this.parked.drop(connection);
  }

  /** Answers everything that is parked. A pull that would wait gets no answer from now on: its connection ends soon. */
  stop(): void {
    this.stopping = true;
    this.parked.stop();
  }

  private pull(header: Header, connection: RemotingConnection): void {
    const checked = this.check(header, connection);
    if (checked === null) return;
    const sysFlag = header.int(F.sysFlag, 0);
    const offset = header.long(F.queueOffset, 0);
    const { group, topic, queue, subscription } = checked;
    const { settings, offsets } = this.state;
    const queueId = queue.queueId;
    if ((sysFlag & COMMIT_OFFSET) !== 0) {
      const commit = header.long(F.commitOffset, -1);
      if (commit >= 0) offsets.commit(group, topic.name, queueId, commit);
    }
    const opaque = header.opaque;
    const maxCount = Math.min(header.int(F.maxMsgNums, 32), settings.maxTransferCountOnMessageInMemory);
    const suspendMs = (sysFlag & SUSPEND) !== 0 ? header.long(F.suspendTimeoutMillis, 0) : 0;
    const request: GetRequest = {
      queue,
      offset,
      maxCount,
      maxBytes: settings.maxTransferBytesOnMessageInMemory,
      tags: subscription.tags,
      matches: subscription.matches,
    };
    const reset = offsets.takeReset(group, topic.name, queueId);
    if (reset >= 0) return this.moved(connection, opaque, topic, queue, checked.groupSysFlag, reset);
    this.state.store.get(request, (result) => {
      const park = suspendMs > 0 && codeOf(result.status, offset) === ResponseCode.PULL_NOT_FOUND &&
        this.park(connection, opaque, checked, request, suspendMs);
      if (!park) this.answer(connection, opaque, offset, group, topic, queueId, checked.groupSysFlag, result);
    });
  }

  private park(
    connection: RemotingConnection,
    opaque: number,
    checked: Checked,
    request: GetRequest,
    suspendMs: number,
  ): boolean {
    const { settings, platform } = this.state;
    const waitMs = settings.longPollingEnable
      ? Math.min(suspendMs, LONGEST_SUSPEND_MS)
      : settings.shortPollingTimeMills;
    if (connection.closed) return false;
    // Its consumer would ask again at once, as often as it is answered.
    if (this.stopping) return true;
    return this.parked.park({
      connection,
      opaque,
      group: checked.group,
      queue: request.queue,
      offset: request.offset,
      maxCount: request.maxCount,
      maxBytes: request.maxBytes,
      topicSysFlag: checked.topic.config.topicSysFlag,
      groupSysFlag: checked.groupSysFlag,
      tags: request.tags,
      matches: request.matches,
      deadlineUs: platform.clock.monotonicUs() + waitMs * 1000,
      done: false,
      bucket: 0,
    });
  }

  private again(pull: ParkedPull): void {
    const topic = this.state.topics.get(pull.queue.topic);
    if (topic === null) {
      return refuse(pull.connection, pull.opaque, ResponseCode.TOPIC_NOT_EXIST, noTopic(pull.queue.topic));
    }
    const { connection, opaque, group, queue, groupSysFlag } = pull;
    const reset = this.state.offsets.takeReset(group, topic.name, queue.queueId);
    if (reset >= 0) return this.moved(connection, opaque, topic, queue, groupSysFlag, reset);
    this.state.store.get(pull, (result) => {
      this.answer(connection, opaque, pull.offset, group, topic, queue.queueId, groupSysFlag, result);
    });
  }

  private answer(
    connection: RemotingConnection,
    opaque: number,
    offset: number,
    group: string,
    topic: Topic,
    queueId: number,
    groupSysFlag: number,
    result: GetResult,
  ): void {
    if (connection.closed) return;
    // What was read while its topic was deleted leaves no trace of it.
    if (!topic.deleted) this.state.offsets.notePull(group, topic.name, queueId, result.nextBeginOffset);
    const { out } = connection;
    const found = result.status === GetStatus.FOUND;
    this.answers.write(
      out,
      opaque,
      codeOf(result.status, offset),
      getStatusNames[result.status],
      0,
      result.nextBeginOffset,
      result.minOffset,
      result.maxOffset,
      topic.config.topicSysFlag,
      groupSysFlag,
      found ? result.bytes : 0,
    );
    if (found) {
      for (let i = 0; i < result.pieces; i++) out.raw(result.buffers[i], result.starts[i], result.ends[i]);
      topic.getCount += result.count;
      topic.getBytes += result.bytes;
    }
    connection.touch();
  }

  /** The offset of this group was reset at the broker: the consumer is told where to go on, once. */
  private moved(
    connection: RemotingConnection,
    opaque: number,
    topic: Topic,
    queue: QueueState,
    groupSysFlag: number,
    to: number,
  ): void {
    const { min, max } = queue;
    this.answers.write(
      connection.out,
      opaque,
      ResponseCode.PULL_OFFSET_MOVED,
      "OFFSET_RESET",
      0,
      to,
      min,
      max,
      topic.config.topicSysFlag,
      groupSysFlag,
      0,
    );
    connection.touch();
  }

  /** The checks in Apache's order; null: already answered. */
  private check(header: Header, connection: RemotingConnection): Checked | null {
    const { settings, groups, topics } = this.state;
    const fail = (code: number, remark: string, forbiddenType?: string): null => {
      refuse(connection, header.opaque, code, remark, forbiddenType);
      return null;
    };
    if ((settings.brokerPermission & PERM_READ) === 0) {
      return fail(ResponseCode.NO_PERMISSION, `the broker[${settings.brokerIP1}] pulling message is forbidden`, "1");
    }
    if (!header.has(F.topic) || !header.has(F.consumerGroup)) {
      return fail(ResponseCode.SYSTEM_ERROR, "the header has no topic or no consumerGroup");
    }
    const group = groups.find(header.valueBytes, header.start(F.consumerGroup), header.end(F.consumerGroup)) ??
      groups.ensure(header.text(F.consumerGroup) ?? "");
    if (group === null) {
      const name = header.text(F.consumerGroup);
      return fail(
        ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST,
        `subscription group [${name}] does not exist, \n${faq}`,
      );
    }
    if (!group.config.consumeEnable) {
      return fail(ResponseCode.NO_PERMISSION, `subscription group no permission, ${group.name}`, "2");
    }
    const topic = topics.find(header.valueBytes, header.start(F.topic), header.end(F.topic)) ??
      topics.get(header.text(F.topic) ?? "");
    if (topic === null) return fail(ResponseCode.TOPIC_NOT_EXIST, noTopic(header.text(F.topic)));
    if ((topic.config.perm & PERM_READ) === 0) {
      return fail(ResponseCode.NO_PERMISSION, `the topic[${topic.name}] pulling message is forbidden`, "3");
    }
    const queueId = header.int(F.queueId, 0);
    if (queueId < 0 || queueId >= topic.config.readQueueNums) {
      return fail(
        ResponseCode.INVALID_PARAMETER,
        `queueId[${queueId}] is illegal, topic:[${topic.name}] topicConfig.readQueueNums:[${topic.config.readQueueNums}] consumer:[/${connection.peerText}]`,
      );
    }
    const subscription = subscriptionFor(this.state, this.matches, header, group, topic);
    if ("code" in subscription) return fail(subscription.code, subscription.remark, subscription.forbiddenType);
    return {
      group: group.name,
      groupSysFlag: group.config.groupSysFlag,
      topic,
      queue: topic.queue(queueId),
      subscription,
    };
  }
}

/** Response code of a read (remoting sheet §12.1, table of GetMessageStatus). */
function codeOf(status: number, offset: number): number {
  switch (status) {
    case GetStatus.FOUND:
      return ResponseCode.SUCCESS;
    case GetStatus.MESSAGE_WAS_REMOVING:
    case GetStatus.NO_MATCHED_MESSAGE:
      return ResponseCode.PULL_RETRY_IMMEDIATELY;
    case GetStatus.NO_MATCHED_LOGIC_QUEUE:
    case GetStatus.NO_MESSAGE_IN_QUEUE:
      return offset === 0 ? ResponseCode.PULL_NOT_FOUND : ResponseCode.PULL_OFFSET_MOVED;
    case GetStatus.OFFSET_FOUND_NULL:
    case GetStatus.OFFSET_OVERFLOW_ONE:
      return ResponseCode.PULL_NOT_FOUND;
    default:
      return ResponseCode.PULL_OFFSET_MOVED;
  }
}

function noTopic(name: string | null): string {
  return `topic[${name}] not exist, apply first please! \n${faq}`;
}

function refuse(connection: RemotingConnection, opaque: number, code: number, remark: string, forbiddenType?: string) {
  connection.answer(opaque, { code, remark, fields: forbiddenType === undefined ? {} : { forbiddenType } });
}
