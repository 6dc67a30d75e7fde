import {
  type Answer,
  Fields,
  HALF_TOPIC,
  type Header,
  KnownProperty,
  MessageDraft,
  type Properties,
  RequestCode,
  ResponseCode,
  StoredMessage,
  SysFlag,
} from "@rmq/protocol";
import type { Handler, Later, RemotingConnection } from "@rmq/remoting";
import { AppendStatus } from "@rmq/store";
import { draftOfStored } from "../delivery/draft_of_stored.ts";
import { illegal } from "../delivery/unwanted_properties.ts";
import { requiredInt, requiredLong, requiredText } from "../required_fields.ts";
import type { BrokerState } from "../state.ts";
import { firstCopy, hideFirstCopy } from "./first_copy.ts";
import { Ended } from "./ended_halves.ts";
import type { HalfQueue } from "./half_queue.ts";
import { immunityMs } from "./immunity.ts";
import type { OpMessages } from "./op_messages.ts";
import type { TransactionCounts } from "./transaction_counts.ts";

/** The remark of answers that Apache gives none (`RemotingCommand.createResponseCommand(null)`). */
const NO_REMARK = "not set any response code";
/** Enough to let one message in: a request is parked before anything of it was stored, or not at all. */
const FIRST_BYTES = 1;

/** Ends that may wait until it is known which half messages have ended already. */
const MAX_EARLY = 16_384;

/** What a producer asks for, copied out of its request. */
interface Ending {
  readonly producerGroup: string;
  /** Where the half message stands in its queue. */
  readonly halfOffset: number;
  /** Its physical offset. */
  readonly physicalOffset: number;
  /** `Ended.COMMITTED` or `Ended.ROLLED_BACK`. */
  readonly how: number;
  /** It answers a check of ours (39). */
  readonly fromCheck: boolean;
}

/** An end that is under way. */
interface UnderWay {
  readonly how: number;
  /** Whoever asked for the same meanwhile. */
  readonly others: Later[];
}

/**
 * Ends transactions: 37 (`EndTransactionProcessor`, remoting §12.6). A commit stores the message again, in the queue that
 * it was sent to; then, as for a rollback, an op message says that its half message has ended. The answer follows when
 * both are visible, so that what was answered stays.
 */
export class EndTransaction {
  readonly #draft = new MessageDraft();
  readonly #message = new StoredMessage();
  /** By the half offsets of the copy that ends, and of its first copy. */
  readonly #underWay = new Map<number, UnderWay>();
  /** What came before {@link start}; null: that was called. */
  #early: (() => void)[] | null = [];

  constructor(
    private readonly state: BrokerState,
    private readonly halves: HalfQueue,
    private readonly ops: OpMessages,
    private readonly counts: TransactionCounts,
  ) {}

  handlers(): [code: number, handler: Handler][] {
    return [[RequestCode.END_TRANSACTION, (header, connection) => this.#end(header, connection)]];
  }

  /** What ended before is known now. */
  start(): void {
    const early = this.#early ?? [];
    this.#early = null;
    for (const run of early) run();
  }

  /** The half message at `offset` is about to end. */
  isUnderWay(offset: number): boolean {
    return this.#underWay.has(offset);
  }

  #end(header: Header, connection: RemotingConnection): void {
    const { settings, store } = this.state;
    if (settings.brokerRole === "SLAVE") {
      return connection.answer(header.opaque, { code: ResponseCode.SLAVE_NOT_AVAILABLE, remark: NO_REMARK });
    }
    const F = Fields.END_TRANSACTION;
    const kind = requiredInt(header, F.commitOrRollback, "commitOrRollback");
    const ending: Ending = {
      producerGroup: requiredText(header, F.producerGroup, "producerGroup"),
      halfOffset: requiredLong(header, F.tranStateTableOffset, "tranStateTableOffset"),
      physicalOffset: requiredLong(header, F.commitLogOffset, "commitLogOffset"),
      how: kind === SysFlag.TRANSACTION_COMMIT ? Ended.COMMITTED : Ended.ROLLED_BACK,
      fromCheck: header.bool(F.fromTransactionCheck, false),
    };
    requiredText(header, F.msgId, "msgId");
    // "Not known yet" gets no answer; the half message will be checked.
    if (kind !== SysFlag.TRANSACTION_COMMIT && kind !== SysFlag.TRANSACTION_ROLLBACK) return;
    const admitted = store.reserve(FIRST_BYTES);
    if (admitted === AppendStatus.BUSY) return connection.park(header);
    const later = connection.later(header);
    if (admitted !== AppendStatus.OK) return later.answer(this.#answerOf(admitted));
    if (this.#early === null) return this.#lookUp(ending, later);
    // Carried out now, what had ended before this start would end once more.
    if (this.#early.length >= MAX_EARLY) return later.answer(this.#answerOf(AppendStatus.BUSY));
    this.#early.push(() => this.#lookUp(ending, later));
  }

  #lookUp(ending: Ending, later: Later): void {
    this.state.store.entryAt(ending.physicalOffset, 0, (bytes, start, end) => {
      const found = bytes !== null && this.#message.parse(bytes, start, end, false) > 0;
      const refusal = found ? this.#refusal(ending) : failed("Find prepared transaction message failed");
      if (refusal !== null) later.answer(refusal);
      else this.#begin(ending, later);
    });
  }

  /** Why `#message` can't be ended like this. */
  #refusal(ending: Ending): Answer | null {
    const message = this.#message;
    const { properties } = this.#draft;
    properties.readText(message.bytes, message.propertiesStart, message.propertiesEnd);
    if (!ending.fromCheck && this.#isTooLate(properties)) {
      return { code: ResponseCode.ILLEGAL_OPERATION, remark: NO_REMARK };
    }
    if (properties.text(KnownProperty.PGROUP) !== ending.producerGroup) return failed("The producer group wrong");
    if (message.queueOffset !== ending.halfOffset) return failed("The transaction state table offset wrong");
    if (message.physicalOffset !== ending.physicalOffset) return failed("The commit log offset wrong");
    if (message.topicText() !== HALF_TOPIC) return failed("Find prepared transaction message failed");
    return null;
  }

  /** From the first check on, a message with a time of its own for it is ended by answers to checks only. */
  #isTooLate(properties: Properties): boolean {
    const { settings, platform } = this.state;
    const text = properties.text(KnownProperty.CHECK_IMMUNITY_TIME_IN_SECONDS);
    if (text === null) return false;
    return platform.clock.nowMs() - this.#message.bornTimestamp > immunityMs(text, settings.transactionTimeOut);
  }

  #begin(ending: Ending, later: Later): void {
    const { halfOffset, how } = ending;
    const { properties } = this.#draft;
    const first = firstCopy(properties, halfOffset);
    const underWay = this.#underWay.get(first);
    const before = underWay?.how ?? (this.halves.ended(first) || this.halves.ended(halfOffset));
    if (before !== Ended.OPEN) {
      // The producer asks again: what was done once is not done twice, and what was decided stays.
      if (before !== how && before !== Ended.OTHERWISE) {
        const done = before === Ended.COMMITTED ? "committed" : "rolled back";
        return later.answer(failed(`the transaction is ${done} already`));
      }
      if (underWay !== undefined) underWay.others.push(later);
      else later.answer(succeeded);
      return;
    }
    if (how === Ended.COMMITTED) this.#commit(ending, first, later);
    else this.#writeDown(ending, first, later, properties.text(KnownProperty.REAL_TOPIC) ?? "");
  }

  #commit(ending: Ending, first: number, later: Later): void {
    const { topics, put } = this.state;
    const draft = this.#draft;
    const { properties } = draft;
    draftOfStored(this.#message, draft);
    const name = properties.text(KnownProperty.REAL_TOPIC) ?? "";
    const topic = topics.get(name);
    const queueId = topic?.realQueueId(properties.text(KnownProperty.REAL_QID)) ?? -1;
    if (topic === null || queueId < 0) {
      return later.answer({ code: ResponseCode.TOPIC_NOT_EXIST, remark: `topic[${name}] not exist` });
    }
    properties.delete(KnownProperty.REAL_TOPIC);
    properties.delete(KnownProperty.REAL_QID);
    hideFirstCopy(properties);
    draft.sysFlag = (draft.sysFlag & ~SysFlag.TRANSACTION_MASK) | SysFlag.TRANSACTION_COMMIT;
    draft.preparedTransactionOffset = ending.physicalOffset;
    const bytes = draft.bodyEnd - draft.bodyStart;
    let refused = false;
    let returned = false;
    put.put(draft, topic, queueId, true, (status) => {
      if (status === AppendStatus.OK) {
        topic.putCount++;
        topic.putBytes += bytes;
      } else if (!returned) {
        refused = true;
        later.answer(this.#answerOf(status));
      }
    });
    returned = true;
    if (!refused) this.#writeDown(ending, first, later, name);
  }

  /** The op message is appended behind the committed message, so that it is visible only when that is. */
  #writeDown(ending: Ending, first: number, later: Later, topic: string): void {
    const { halfOffset, how } = ending;
    const underWay: UnderWay = { how, others: [] };
    this.#underWay.set(first, underWay);
    this.#underWay.set(halfOffset, underWay);
    if (first !== halfOffset) {
      this.ops.add(first, (status, opOffset) => {
        if (status === AppendStatus.OK) this.halves.note(first, how, opOffset);
      });
    }
    this.ops.add(halfOffset, (status, opOffset) => {
      this.#underWay.delete(first);
      this.#underWay.delete(halfOffset);
      if (status === AppendStatus.OK) {
        this.halves.note(halfOffset, how, opOffset);
        this.counts.add(topic, -1);
      }
      const answer = status === AppendStatus.OK ? succeeded : this.#answerOf(status);
      for (const one of [later, ...underWay.others]) one.answer(answer);
    });
  }

  #answerOf(status: number): Answer {
    const { store, settings } = this.state;
    if (status === AppendStatus.BUSY) return { code: ResponseCode.SYSTEM_BUSY, remark: "the store is busy" };
    if (status !== AppendStatus.SERVICE_NOT_AVAILABLE) {
      return illegal(
        `The message is illegal, maybe msg body or properties length not matched. msg body length limit ${settings.maxMessageSize}B, msg properties length limit 32KB.`,
      );
    }
    const remark = `Service not available now: ${store.refusal ?? "the store takes no writes"}`;
    return { code: ResponseCode.SERVICE_NOT_AVAILABLE, remark };
  }
}

const succeeded: Answer = { code: ResponseCode.SUCCESS, remark: null };

function failed(remark: string): Answer {
  return { code: ResponseCode.SYSTEM_ERROR, remark };
}
