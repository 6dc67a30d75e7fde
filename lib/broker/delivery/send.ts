import {
  decodeBatch,
  HALF_TOPIC,
  type Header,
  KnownProperty,
  MessageDraft,
  RequestCode,
  ResponseCode,
  RETRY_PREFIX,
  SendAnswer,
  SysFlag,
} from "@rmq/protocol";
import { AppendStatus } from "@rmq/store";
import type { Handler, RemotingConnection } from "@rmq/remoting";
import type { BrokerState } from "../state.ts";
import type { Topic } from "../topics/topic_table.ts";
import { beginsTransaction } from "../transactions/half_message.ts";
import { stateOf } from "./connection_state.ts";
import { fillDraft } from "./draft_of_send.ts";
import type { HeldSends } from "./held_sends.ts";
import { appendTo, type Refusal, type Rewriters, type Target } from "./rewriters.ts";
import { BrokerProperties } from "./broker_properties.ts";
import { retryRefusal } from "./send_to_retry.ts";
import { byPriority } from "./priority.ts";
import { type SendFields, v1Fields, v2Fields } from "./send_fields.ts";
import { findTarget, parkUntilDurable } from "./send_target.ts";
import { writeBatchAnswer } from "./batch_answer.ts";
import { BatchCheck } from "./batch_check.ts";
import { recallHandleOf } from "../timers/recall_handle.ts";
import { illegal, unwantedOfBatch, unwantedProperty } from "./unwanted_properties.ts";

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
    const refusal = findTarget(this.state, header, fields, this.target);
    if (refusal !== null) return this.refuse(header, connection, refusal);
    const { topic } = this.target;
    if (!topic.durable) return parkUntilDurable(this.state, header, connection, topic);
    if (asBatch || header.bool(fields.batch, false)) this.batch(header, connection, fields);
    else this.single(header, connection, fields);
  }

  private single(header: Header, connection: RemotingConnection, fields: SendFields): void {
    const { draft, target } = this;
    if (header.bodyStart === header.bodyEnd) {
      return this.refuse(header, connection, { code: ResponseCode.SYSTEM_ERROR, remark: "the message has no body" });
    }
    fillDraft(draft, header, connection, fields, target.topic);
    draft.body = header.bytes;
    draft.bodyStart = header.bodyStart;
    draft.bodyEnd = header.bodyEnd;
    draft.properties.readHeader(header, fields.properties);
    this.added.complete(draft.properties);
    if (draft.properties.has(KnownProperty.PRIORITY)) byPriority(draft.properties, target);
    const { queueId, topic } = target;
    const refusal = this.special(header, fields) ?? this.rewriters.apply(draft, target);
    if (refusal !== null) return this.refuse(header, connection, refusal);
    // The dead letters of a group may be new.
    if (!target.topic.durable) return parkUntilDurable(this.state, header, connection, target.topic);

    const wait = !this.added.waitIsFalse(draft.properties);
    const status = appendTo(this.state.store, draft, target);
    if (status !== AppendStatus.OK) return this.notAppended(header, connection, status);
    const half = target.topic.name === HALF_TOPIC;
    if (half) this.state.transactionCounts.add(topic.name, 1);
    const counted = half ? target.topic : topic;
    counted.putCount++;
    counted.putBytes += draft.bodyEnd - draft.bodyStart;
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
      properties.has(KnownProperty.TIMER_OUT_MS) ? recallHandleOf(properties, this.state.settings.brokerName) : null,
    );
    this.held.add(hold, wait, this.state.store.appended);
  }

  /** What needs more than a look at one property: retries and the kinds of message that are not built yet. */
  private special(header: Header, fields: SendFields): Refusal | null {
    const { properties } = this.draft;
    const unwanted = unwantedProperty(properties);
    if (unwanted !== null) return illegal(unwanted);
    if (isRetry(this.target.topic)) {
      const asked = header.int(fields.maxReconsumeTimes, -1);
      const refusal = retryRefusal(this.state, this.draft, this.target, header, asked);
      if (refusal !== null) return refusal;
    }
    return properties.has(KnownProperty.TRAN_MSG) ? this.prepareHalf() : null;
  }

  /** Marks the message as one that waits for the end of its transaction, if it is that. */
  private prepareHalf(): Refusal | null {
    const { settings } = this.state;
    if (!beginsTransaction(this.draft)) return null;
    if (settings.rejectTransactionMessage) {
      const remark = `the broker[${settings.brokerIP1}] sending transaction message is forbidden`;
      return { code: ResponseCode.NO_PERMISSION, remark };
    }
    this.draft.sysFlag |= SysFlag.TRANSACTION_PREPARED;
    return null;
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
    fillDraft(draft, header, connection, fields, target.topic);
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
