import type { Timer } from "@rmq/platform";
import { CHECK_MAX_TOPIC, HALF_TOPIC, KnownProperty, MessageDraft, Perm, StoredMessage } from "@rmq/protocol";
import { AppendStatus, type GetResult } from "@rmq/store";
import { draftOfStored } from "../delivery/draft_of_stored.ts";
import type { BrokerState } from "../state.ts";
import { type CheckRequest, CheckRequests } from "./check_requests.ts";
import type { EndTransaction } from "./end_transaction.ts";
import { firstCopy, hideFirstCopy, noteFirstCopy } from "./first_copy.ts";
import { Ended } from "./ended_halves.ts";
import { TRANSACTION_QUEUE } from "./half_message.ts";
import type { HalfQueue } from "./half_queue.ts";
import { checkTimes, Verdict, verdictOn } from "./half_verdict.ts";
import type { TransactionCounts } from "./transaction_counts.ts";

/** Half messages of one step; the loop turns between steps. */
const STEP_COUNT = 64;
const STEP_BYTES = 262_144;
/** Half messages of one step that are passed over because they have ended. */
const STEP_ENDED = 65_536;
/** How long a step is put off when an end is under way, or the store is busy, or it refuses, ms. */
const UNDER_WAY_MS = 10;
const BUSY_MS = 100;
const REFUSED_MS = 1000;

/** What one step stores: how many puts have no answer yet, and up to which half offset all is well. */
interface Step {
  open: number;
  /** Queue offset behind the last half message that was looked at. */
  next: number;
  /** Lowest queue offset whose put failed; Infinity: none. */
  failedAt: number;
  failure: number;
  /** The look ends with this step. */
  last: boolean;
  reading: boolean;
}

/**
 * Looks through the open half messages each `transactionCheckInterval`: those whose time has come are stored again, with
 * one check more, and a producer of their group is asked; those that were checked too often are discarded
 * (`TransactionalMessageServiceImpl.check`). Whatever the number of open ones, a look takes them in small steps.
 */
export class HalfChecks {
  readonly #draft = new MessageDraft();
  readonly #message = new StoredMessage();
  readonly #requests: CheckRequests;
  #timer: Timer | null = null;
  /** Where the look ends: what is stored again by it, or comes meanwhile, is for the next one. */
  #end = 0;
  #stored = false;
  /** Transactions that this look gave up: how many, and the first of them. */
  #givenUp = 0;
  #firstGivenUp: Record<string, string | number | null> = {};
  #step: Step | null = null;
  #closed = false;
  #drained: (() => void) | null = null;

  constructor(
    private readonly state: BrokerState,
    private readonly halves: HalfQueue,
    private readonly ending: EndTransaction,
    private readonly counts: TransactionCounts,
  ) {
    this.#requests = new CheckRequests(state, state.logger);
  }

  start(): void {
    this.#rest();
  }

  /** Checks nothing more; `done` when what is under way is safe, or after `patienceMs`. */
  close(patienceMs: number, done: () => void): void {
    this.#closed = true;
    this.#timer?.cancel();
    if (this.#step === null) return done();
    const patience = this.state.platform.clock.setTimer(patienceMs, () => {
      this.#drained = null;
      done();
    });
    this.#drained = () => {
      patience.cancel();
      done();
    };
  }

  #rest(): void {
    if (this.#closed) return;
    this.#timer = this.state.platform.clock.setTimer(this.state.settings.transactionCheckInterval, () => {
      // A slave's open half messages are its master's to check.
      if (this.state.settings.brokerRole === "SLAVE") return this.#rest();
      // Not by the time: a clock that was set back would stop the checks until it catches up.
      this.#end = this.halves.queue.max;
      this.#stored = false;
      this.#look();
    });
  }

  #finish(): void {
    this.halves.settle();
    if (this.#givenUp > 0) {
      const about = { count: this.#givenUp, ...this.#firstGivenUp };
      this.state.logger.warn(`transactions are given up and moved to ${CHECK_MAX_TOPIC}`, about);
      this.#givenUp = 0;
    }
    // What was stored again must not be looked at once more because of a crash.
    if (this.#stored) this.state.offsets.flush();
    this.#rest();
  }

  #later(ms: number): void {
    if (this.#closed) return;
    this.#timer = this.state.platform.clock.setTimer(ms, () => this.#look());
  }

  #look(): void {
    const { halves } = this;
    const max = this.#end;
    const from = Math.max(halves.offset, halves.queue.min);
    const open = halves.nextOpen(from, Math.min(max, from + STEP_ENDED));
    halves.passed(open);
    if (open >= max) return this.#finish();
    if (halves.ended(open) !== Ended.OPEN) return this.#later(0);
    if (this.ending.isUnderWay(open)) return this.#later(UNDER_WAY_MS);
    const step: Step = { open: 0, next: open, failedAt: Infinity, failure: 0, last: false, reading: true };
    this.#step = step;
    const request = {
      queue: halves.queue,
      offset: open,
      maxCount: this.#openRun(open, max),
      maxBytes: STEP_BYTES,
      tags: null,
      matches: null,
    };
    this.state.store.get(request, (result) => {
      if (!this.#closed) this.#take(result, step);
      step.reading = false;
      this.#settle(step);
    });
  }

  /** How many half messages from `from` on are open, one after the other; as many as a step takes. */
  #openRun(from: number, max: number): number {
    const limit = Math.min(max, from + STEP_COUNT);
    let end = from + 1;
    while (end < limit && this.halves.ended(end) === Ended.OPEN) end++;
    return end - from;
  }

  #take(result: GetResult, step: Step): void {
    const message = this.#message;
    const from = step.next;
    for (let i = 0; i < result.pieces; i++) {
      for (let at = result.starts[i]; at < result.ends[i]; at += message.size) {
        if (message.parse(result.buffers[i], at, result.ends[i], false) <= 0) break;
        if (this.ending.isUnderWay(message.queueOffset)) return;
        const open = this.halves.ended(message.queueOffset) === Ended.OPEN;
        if (open && !this.#judge(message, step)) {
          step.last = true;
          return;
        }
        step.next = message.queueOffset + 1;
        if (step.failedAt < Infinity) return;
      }
    }
    // What lies between the last message and where the read ended is gone from the log.
    if (step.next === from) step.next = Math.max(from, result.nextBeginOffset);
    if (step.next === from) step.last = true;
  }

  /** False: the look ends before this message. */
  #judge(message: StoredMessage, step: Step): boolean {
    const { settings, platform } = this.state;
    const draft = this.#draft;
    draftOfStored(message, draft);
    const { properties } = draft;
    const verdict = verdictOn(message, properties, settings, platform.clock.nowMs());
    if (verdict === Verdict.WAIT) return false;
    if (this.halves.ended(firstCopy(properties, message.queueOffset)) !== Ended.OPEN) return true;
    if (verdict === Verdict.DISCARD) this.#discard(message, step);
    else if (verdict === Verdict.KEEP) this.#keep(message, step);
    else this.#check(message, step);
    return true;
  }

  #keep(message: StoredMessage, step: Step): void {
    noteFirstCopy(this.#draft.properties, message.queueOffset);
    this.#put(HALF_TOPIC, message, step, null);
  }

  #check(message: StoredMessage, step: Step): void {
    const { properties } = this.#draft;
    properties.set(KnownProperty.TRANSACTION_CHECK_TIMES, String(checkTimes(properties) + 1));
    noteFirstCopy(properties, message.queueOffset);
    this.#put(HALF_TOPIC, message, step, () => this.#requests.make(this.#draft, message));
  }

  #discard(message: StoredMessage, step: Step): void {
    const { logger, topics } = this.state;
    const { properties } = this.#draft;
    const topic = properties.text(KnownProperty.REAL_TOPIC) ?? "";
    const about = { topic, key: properties.text(KnownProperty.UNIQ_KEY), times: checkTimes(properties) };
    if (topics.createOnSendBack(CHECK_MAX_TOPIC, 1, Perm.READ | Perm.WRITE, 0) === null) {
      return logger.error("a transaction is given up, and the topic for it can't be made", about);
    }
    hideFirstCopy(properties);
    this.#put(CHECK_MAX_TOPIC, message, step, null, () => {
      this.counts.add(topic, -1);
      if (this.#givenUp++ === 0) this.#firstGivenUp = about;
    });
  }

  /** Stores the draft in queue 0 of a topic; once it is visible, calls `stored` and asks what `question` made of it. */
  #put(
    name: string,
    message: StoredMessage,
    step: Step,
    question: (() => CheckRequest | null) | null,
    stored: () => void = () => {},
  ): void {
    const topic = this.state.topics.get(name);
    if (topic === null) throw new Error(`there is no topic ${name}`);
    const { queueOffset } = message;
    let request: CheckRequest | null = null;
    step.open++;
    let returned = false;
    let refused = false;
    this.state.put.put(this.#draft, topic, TRANSACTION_QUEUE, false, (status) => {
      step.open--;
      refused = !returned;
      if (isIllegal(status)) {
        // Trying again would stop the queue for good.
        this.state.logger.error("an open transaction can't be stored again and is left as it is", {
          status,
          queueOffset,
        });
      } else if (status !== AppendStatus.OK) {
        if (queueOffset < step.failedAt) step.failedAt = queueOffset;
        step.failure = status;
      } else {
        stored();
        if (request !== null) this.#requests.send(request);
      }
      this.#settle(step);
    });
    returned = true;
    if (refused) return;
    this.#stored = true;
    request = question === null ? null : question();
  }

  #settle(step: Step): void {
    if (step.open > 0 || step.reading) return;
    this.#step = null;
    this.halves.passed(Math.min(step.next, step.failedAt));
    if (this.#closed) {
      this.#drained?.();
      this.#drained = null;
    } else if (step.failedAt < Infinity) this.#later(step.failure === AppendStatus.BUSY ? BUSY_MS : REFUSED_MS);
    else if (step.last) this.#finish();
    else this.#later(0);
  }
}

function isIllegal(status: number): boolean {
  return status === AppendStatus.MESSAGE_ILLEGAL || status === AppendStatus.PROPERTIES_SIZE_EXCEEDED;
}
