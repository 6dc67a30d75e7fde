import {
  decodeBatch,
  Fields,
  type Header,
  KnownProperty,
  MessageDraft,
  RequestCode,
  ResponseCode,
  SendAnswer,
} from "@rmq/protocol";
import { AppendStatus } from "@rmq/store";
import type { Handler, RemotingConnection } from "@rmq/remoting";
import type { BrokerState } from "../state.ts";
import type { Topic } from "../topics/topic_table.ts";
import { RETRY_PREFIX, sendRefusal, topicNameProblem } from "../topics/topic_name.ts";
import { stateOf } from "./connection_state.ts";
import type { HeldSends } from "./held_sends.ts";
import { appendTo, type Refusal, type Rewriters, type Target } from "./rewriters.ts";
import { BrokerProperties } from "./broker_properties.ts";
import { retryRefusal } from "./send_to_retry.ts";
import { writeBatchAnswer } from "./batch_answer.ts";
import { BatchCheck } from "./batch_check.ts";
import { illegal, NO_INNER_BATCHES, unwantedOfBatch, unwantedProperty } from "./unwanted_properties.ts";

/** Field numbers of one of the two send headers, so that one handler serves both (remoting sheet §11.6). */
interface SendFields {
  readonly group: number;
  readonly topic: number;
  readonly defaultTopic: number;
  readonly defaultTopicQueueNums: number;
  readonly queueId: number;
  readonly sysFlag: number;
  readonly bornTimestamp: number;
  readonly flag: number;
  readonly properties: number;
  readonly reconsumeTimes: number;
  readonly unitMode: number;
  readonly maxReconsumeTimes: number;
  readonly batch: number;
}

const V1 = Fields.SEND_MESSAGE;
const V2 = Fields.SEND_MESSAGE_V2;

const v1Fields: SendFields = {
  group: V1.producerGroup,
  topic: V1.topic,
  defaultTopic: V1.defaultTopic,
  defaultTopicQueueNums: V1.defaultTopicQueueNums,
  queueId: V1.queueId,
  sysFlag: V1.sysFlag,
  bornTimestamp: V1.bornTimestamp,
  flag: V1.flag,
  properties: V1.properties,
  reconsumeTimes: V1.reconsumeTimes,
  unitMode: V1.unitMode,
  maxReconsumeTimes: V1.maxReconsumeTimes,
  batch: V1.batch,
};

const v2Fields: SendFields = {
  group: V2.a,
  topic: V2.b,
  defaultTopic: V2.c,
  defaultTopicQueueNums: V2.d,
  queueId: V2.e,
  sysFlag: V2.f,
  bornTimestamp: V2.g,
  flag: V2.h,
  properties: V2.i,
  reconsumeTimes: V2.j,
  unitMode: V2.k,
  maxReconsumeTimes: V2.l,
  batch: V2.m,
};

/** Bits of sysFlag that the broker sets itself and never takes from a client: both IPv6 marks. */
const HOST_BITS = 0x30;
const MULTI_TAG = 0x2;
const TRANSACTION_BITS = 0xc;
const PERM_WRITE = 2;
/** An inner batch (BatchCQ topics): its entry takes several queue offsets. */
const INNER_BATCH = 0x80;
/** Serves 10, 310 and 320: from the request's bytes into the tail of the commit log, one draft for all. */
export class Send {
  private readonly draft = new MessageDraft();
  private readonly target: Target;
  private readonly answers: SendAnswer;
  private readonly added: BrokerProperties;
  private readonly errorFields: Record<string, string>;
  private readonly batches: BatchCheck;

  constructor(
    private readonly state: BrokerState,
    private readonly held: HeldSends,
    private readonly rewriters: Rewriters,
  ) {
    const { settings } = state;
    // Any topic will do until the first request: boot topics are always there.
    const [first] = state.topics.all();
    this.target = { topic: first, queueId: 0 };
    this.added = new BrokerProperties(settings, state.uniqueIds);
    this.batches = new BatchCheck(settings.maxMessageSize);
    this.errorFields = { MSG_REGION: settings.regionId, TRACE_ON: String(settings.traceOn) };
    this.answers = new SendAnswer({
      regionId: settings.regionId,
      traceOn: settings.traceOn,
      storeHost: state.storeHost,
      storePort: state.storePort,
    });
  }

  /** The handlers by code. */
  handlers(): [number, Handler][] {
    return [
      [RequestCode.SEND_MESSAGE_V2, (header, connection) => this.send(header, connection, v2Fields, false)],
      [RequestCode.SEND_MESSAGE, (header, connection) => this.send(header, connection, v1Fields, false)],
      [RequestCode.SEND_BATCH_MESSAGE, (header, connection) => this.send(header, connection, v2Fields, true)],
    ];
  }

  private send(header: Header, connection: RemotingConnection, fields: SendFields, asBatch: boolean): void {
    const refusal = this.prepare(header, fields);
    if (refusal !== null) return this.refuse(header, connection, refusal);
    const { topic } = this.target;
    if (!topic.durable) {
      // Answered only once the topic stands on disk: the frame waits and is tried again then.
      connection.park(header);
      this.state.topics.whenDurable(topic, () => this.state.server?.release());
      return;
    }
    if (asBatch || header.bool(fields.batch, false)) this.batch(header, connection, fields);
    else this.single(header, connection, fields);
  }

  /** Checks what stands in the header and finds topic and queue (remoting sheet §11.6, steps 1 to 7). */
  private prepare(header: Header, fields: SendFields): Refusal | null {
    const { settings, topics, platform } = this.state;
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
      const refusal = this.createTopic(header, fields);
      if (refusal !== null) return refusal;
    } else {
      this.target.topic = topic;
    }
    if ((settings.brokerPermission & PERM_WRITE) === 0 && this.target.topic.config.order) {
      return {
        code: ResponseCode.NO_PERMISSION,
        remark: `the broker[${settings.brokerIP1}] sending message is forbidden`,
      };
    }
    if ((header.int(fields.sysFlag, 0) & INNER_BATCH) !== 0) return illegal(NO_INNER_BATCHES);
    return this.pickQueue(header.int(fields.queueId, 0));
  }

  private createTopic(header: Header, fields: SendFields): Refusal | null {
    const { topics } = this.state;
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
    this.target.topic = created;
    return null;
  }

  private pickQueue(queueId: number): Refusal | null {
    const { topic } = this.target;
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
    this.target.queueId = queueId >= 0 ? queueId : this.state.platform.random.below(Math.max(1, config.writeQueueNums));
    return null;
  }

  private single(header: Header, connection: RemotingConnection, fields: SendFields): void {
    const { draft, target } = this;
    if (header.bodyStart === header.bodyEnd) {
      return this.refuse(header, connection, { code: ResponseCode.SYSTEM_ERROR, remark: "the message has no body" });
    }
    this.fill(header, connection, fields);
    draft.body = header.bytes;
    draft.bodyStart = header.bodyStart;
    draft.bodyEnd = header.bodyEnd;
    draft.properties.readHeader(header, fields.properties);
    this.added.complete(draft.properties);
    const { queueId, topic } = target;
    const refusal = this.special(header, fields) ?? this.rewriters.apply(draft, target);
    if (refusal !== null) return this.refuse(header, connection, refusal);

    const wait = !this.added.waitIsFalse(draft.properties);
    const status = appendTo(this.state.store, draft, target);
    if (status !== AppendStatus.OK) return this.notAppended(header, connection, status);
    topic.putCount++;
    topic.putBytes += draft.bodyEnd - draft.bodyStart;
    if (header.isOneway) return;
    const { properties } = draft;
    const hold = stateOf(connection).hold;
    this.answers.write(
      hold.output(wait),
      header.opaque,
      ResponseCode.SUCCESS,
      queueId,
      draft.queueOffset,
      draft.physicalOffset,
      properties.bytes,
      properties.start(KnownProperty.UNIQ_KEY),
      properties.end(KnownProperty.UNIQ_KEY),
    );
    this.held.add(hold, wait, this.state.store.appended);
  }

  /** What needs more than a look at one property: retries and the kinds of message that are not built yet. */
  private special(header: Header, fields: SendFields): Refusal | null {
    const { properties } = this.draft;
    const unwanted = unwantedProperty(properties);
    if (unwanted !== null) return illegal(unwanted);
    if (!isRetry(this.target.topic)) return null;
    return retryRefusal(this.state, this.draft, this.target, header, header.int(fields.maxReconsumeTimes, -1));
  }

  private batch(header: Header, connection: RemotingConnection, fields: SendFields): void {
    const { draft, target, state } = this;
    const { store } = state;
    if (isRetry(target.topic)) {
      return this.refuse(header, connection, {
        code: ResponseCode.MESSAGE_ILLEGAL,
        remark: `batch request does not support retry group ${target.topic.name}`,
      });
    }
    this.fill(header, connection, fields);
    const outer = this.added.readOuter(header, fields.properties);
    const refusal = unwantedOfBatch(outer.properties) ?? this.batches.check(header, target.topic.nameBytes.length);
    if (refusal !== null) return this.refuse(header, connection, refusal);
    const reserved = store.reserve(this.batches.bytes);
    if (reserved !== AppendStatus.OK) return this.notAppended(header, connection, reserved);

    const offsets: number[] = [];
    let firstQueueOffset = -1;
    let status: number = AppendStatus.OK;
    decodeBatch(header.bytes, header.bodyStart, header.bodyEnd, (flag, bodyStart, bodyEnd, propsStart, propsEnd) => {
      if (status !== AppendStatus.OK) return;
      draft.flag = flag;
      draft.body = header.bytes;
      draft.bodyStart = bodyStart;
      draft.bodyEnd = bodyEnd;
      // Inner messages keep their properties to the letter: no additions, no final separator (storage sheet §3.2).
      draft.properties.copyRaw(header.bytes, propsStart, propsEnd);
      status = appendTo(store, draft, target);
      if (status !== AppendStatus.OK) return;
      if (firstQueueOffset < 0) firstQueueOffset = draft.queueOffset;
      offsets.push(draft.physicalOffset);
    });
    if (status !== AppendStatus.OK) return this.notAppended(header, connection, status);
    target.topic.putCount += offsets.length;
    target.topic.putBytes += header.bodyEnd - header.bodyStart;
    if (header.isOneway) return;
    const { hold } = stateOf(connection);
    writeBatchAnswer(hold.output(outer.wait), header.opaque, {
      storeHost: draft.storeHost,
      storePort: draft.storePort,
      queueId: target.queueId,
      queueOffset: firstQueueOffset,
      offsets,
      transactionId: outer.uniqueKey,
      fields: this.errorFields,
    });
    this.held.add(hold, outer.wait, store.appended);
  }

  /** Everything of the draft but body and properties. */
  private fill(header: Header, connection: RemotingConnection, fields: SendFields): void {
    const { draft } = this;
    const client = stateOf(connection);
    const multiTag = this.target.topic.config.topicFilterType === "MULTI_TAG" ? MULTI_TAG : 0;
    draft.flag = header.int(fields.flag, 0);
    draft.sysFlag = (header.int(fields.sysFlag, 0) & ~(HOST_BITS | TRANSACTION_BITS)) | multiTag;
    draft.bornTimestamp = header.long(fields.bornTimestamp, 0);
    draft.bornHost = client.bornHost;
    draft.bornPort = client.bornPort;
    draft.reconsumeTimes = header.int(fields.reconsumeTimes, 0);
    draft.preparedTransactionOffset = 0;
  }

  private notAppended(header: Header, connection: RemotingConnection, status: number): void {
    if (status === AppendStatus.BUSY) return connection.park(header);
    if (status === AppendStatus.SERVICE_NOT_AVAILABLE) {
      return this.refuse(header, connection, {
        code: ResponseCode.SERVICE_NOT_AVAILABLE,
        remark: `service not available now: ${this.state.store.refusal ?? "the store takes no writes"}`,
      });
    }
    this.refuse(header, connection, {
      code: ResponseCode.MESSAGE_ILLEGAL,
      remark:
        `the message is illegal, maybe msg body or properties length not matched. msg body length limit ${this.state.settings.maxMessageSize}B, msg properties length limit 32KB.`,
    });
  }

  private refuse(header: Header, connection: RemotingConnection, refusal: Refusal): void {
    if (header.isOneway) return;
    const bare = refusal.code <= ResponseCode.REQUEST_CODE_NOT_SUPPORTED;
    connection.answer(header.opaque, {
      code: refusal.code,
      remark: refusal.remark,
      fields: bare ? {} : this.errorFields,
    });
  }
}

const PERCENT = 0x25;

function isRetry(topic: Topic): boolean {
  return topic.nameBytes[0] === PERCENT && topic.name.startsWith(RETRY_PREFIX);
}
