import type { Clock, Logger, Timer } from "@rmq/platform";
import { encodeProperty, KnownProperty, MessageDraft, StoredMessage } from "@rmq/protocol";
import { AppendStatus, type Store, TimerMagic } from "@rmq/store";
import { draftOfStored } from "../delivery/draft_of_stored.ts";
import type { Put } from "../delivery/put.ts";
import { sendRefusal } from "../topics/topic_name.ts";
import type { Topic, TopicTable } from "../topics/topic_table.ts";
import type { DueUnits } from "./due_units.ts";
import type { TopicCounts } from "../topic_counts.ts";

/** Deliveries that are not safe yet: so many at once, and so many bytes. */
const MAX_IN_FLIGHT = 8192;
const MAX_IN_FLIGHT_BYTES = 2 * 1024 * 1024;
/** The loop is held no longer than this by one run of deliveries. */
const SLICE_US = 2500;
/** How long after a failed delivery it is tried again: the store is busy, or refuses, or can't read the message. */
const RETRY_BUSY_MS = 10;
const RETRY_REFUSED_MS = 1000;

/** What deliveries are made with. */
export interface TimerDeliveriesOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: Pick<Store, "entryAt">;
  readonly topics: Pick<TopicTable, "find" | "whenDurable">;
  readonly metrics: TopicCounts;
  readonly put: Put;
}

/**
 * Puts due messages into the queues that they were sent to, one list of units at a time, in its order (Apache:
 * `TimerDequeuePutMessageService`). A failed delivery is repeated until it succeeds; a list is done when all of it is safe.
 */
export class TimerDeliveries {
  /** Delivered since the start. */
  delivered = 0;
  readonly #options: TimerDeliveriesOptions;
  readonly #message = new StoredMessage();
  readonly #draft = new MessageDraft();
  #units: DueUnits | null = null;
  #done: () => void = () => {};
  /** Next unit to deliver. */
  #next = 0;
  /** Units under way, oldest first from `#first` on. */
  #inFlight: number[] = [];
  #first = 0;
  #inFlightBytes = 0;
  #reading = false;
  #running = false;
  #waiting = false;
  #timer: Timer | null = null;
  #closed = false;
  #drained: (() => void) | null = null;
  #nowMs = 0;
  #dropped = 0;
  #droppedTopic: string | null = null;
  #unreadableAt = -1;
  #added = new Uint8Array(0);
  #addedFor = { writtenMs: -1, nowMs: -1 };

  constructor(options: TimerDeliveriesOptions) {
    this.#options = options;
  }

  /** Delivers all of `units`, which must stay as it is until `done`. */
  deliver(units: DueUnits, done: () => void): void {
    this.#units = units;
    this.#done = done;
    this.#next = 0;
    this.#run();
  }

  /**
   * Where in the timer log the first unit stands that is not delivered yet, −1: not known. Never with marks among the slot's
   * units: they must stay in the chain as long as there is anything that they may be for.
   */
  get reached(): number {
    const units = this.#units;
    if (units === null || units.deleted.size > 0) return -1;
    const at = this.#first < this.#inFlight.length ? this.#inFlight[this.#first] : this.#next;
    return at < units.count ? units.positions[at] : -1;
  }

  /** Begins nothing more; `done` when what is under way is safe, or after `patienceMs`. */
  close(patienceMs: number, done: () => void): void {
    this.#closed = true;
    this.#timer?.cancel();
    if (this.#inFlight.length === this.#first) return done();
    const patience = this.#options.clock.setTimer(patienceMs, () => {
      this.#drained = null;
      done();
    });
    this.#drained = () => {
      patience.cancel();
      done();
    };
  }

  #later(ms: number): void {
    if (this.#timer !== null || this.#closed) return;
    this.#timer = this.#options.clock.setTimer(ms, () => {
      this.#timer = null;
      this.#waiting = false;
      this.#run();
    });
  }

  #run(): void {
    const units = this.#units;
    if (units === null || this.#running || this.#reading || this.#waiting || this.#closed) return;
    const { clock, store } = this.#options;
    const untilUs = clock.monotonicUs() + SLICE_US;
    this.#nowMs = clock.nowMs();
    this.#running = true;
    while (this.#next < units.count && !this.#reading && !this.#waiting && this.#hasRoom()) {
      const at = this.#next;
      this.#reading = true;
      store.entryAt(units.offsets[at], units.sizes[at], (bytes, start, end, unreadable) => {
        this.#reading = false;
        if (unreadable) this.#unreadable(units.offsets[at]);
        // A write that was taken back meanwhile made an earlier unit the next one.
        else if (this.#next === at && !this.#closed) this.#take(units, at, bytes, start, end);
        if (!this.#running) this.#run();
      });
      if (clock.monotonicUs() >= untilUs) {
        this.#waiting = true;
        this.#later(0);
      }
    }
    this.#running = false;
    this.#settle();
  }

  #hasRoom(): boolean {
    return this.#inFlight.length - this.#first < MAX_IN_FLIGHT && this.#inFlightBytes < MAX_IN_FLIGHT_BYTES;
  }

  #take(units: DueUnits, at: number, bytes: Uint8Array | null, start: number, end: number): void {
    const message = this.#message;
    if (bytes === null || message.parse(bytes, start, end, false) <= 0) {
      this.#options.logger.error("a due message is not in the log any more", { physicalOffset: units.offsets[at] });
      this.#next++;
      return;
    }
    draftOfStored(message, this.#draft);
    const { properties } = this.#draft;
    const rolls = (units.magics[at] & TimerMagic.ROLL) !== 0;
    // The mark itself is never delivered.
    if (!rolls && properties.has(KnownProperty.TIMER_DEL_UNIQKEY)) return this.#skip();
    if (!rolls && units.isDeleted(properties)) {
      this.#count(-1);
      return this.#skip();
    }
    const topic = this.#target(rolls);
    if (topic === null) return this.#skip();
    if (!topic.durable) {
      this.#waiting = true;
      return this.#options.topics.whenDurable(topic, () => {
        this.#waiting = false;
        this.#run();
      });
    }
    this.#put(topic, rolls, units.writtenMs[at], at);
  }

  #skip(): void {
    this.#next++;
  }

  /** Where the message goes; null: nowhere any more. */
  #target(rolls: boolean): Topic | null {
    const { topics } = this.#options;
    const { properties } = this.#draft;
    const message = this.#message;
    if (rolls) {
      this.#draft.queueId = message.queueId;
      return topics.find(message.bytes, message.topicStart, message.topicEnd);
    }
    const topic = properties.has(KnownProperty.REAL_TOPIC)
      ? topics.find(
        properties.bytes,
        properties.start(KnownProperty.REAL_TOPIC),
        properties.end(KnownProperty.REAL_TOPIC),
      )
      : null;
    const queueId = topic?.realQueueId(properties.text(KnownProperty.REAL_QID)) ?? -1;
    // The broker's own topics are not to be reached by way of the timer topic, to which clients may send.
    const refused = topic?.system === true && sendRefusal(topic.name) !== null;
    if (topic === null || refused || queueId < 0) {
      // One line for all that come together.
      if (this.#dropped++ === 0) this.#droppedTopic = properties.text(KnownProperty.REAL_TOPIC);
      return null;
    }
    this.#draft.queueId = queueId;
    return topic;
  }

  #put(topic: Topic, rolls: boolean, writtenMs: number, at: number): void {
    const draft = this.#draft;
    const { properties } = draft;
    if (rolls) {
      const times = Number(properties.text(KnownProperty.TIMER_ROLL_TIMES) ?? "0");
      properties.set(KnownProperty.TIMER_ROLL_TIMES, String(times + 1));
    }
    properties.appendEncoded(this.#times(writtenMs));
    const bytes = draft.bodyEnd - draft.bodyStart;
    this.#inFlight.push(at);
    this.#inFlightBytes += this.#sizeOf(at);
    this.#next = at + 1;
    const before = this.#inFlight.length;
    this.#options.put.put(draft, topic, draft.queueId, false, this.#landed);
    if (this.#inFlight.length < before) return;
    topic.putCount++;
    topic.putBytes += bytes;
    this.delivered++;
    if (!rolls) this.#count(-1);
  }

  /** TIMER_ENQUEUE_MS and TIMER_DEQUEUE_MS; the same for many messages in a row. */
  #times(writtenMs: number): Uint8Array {
    const nowMs = this.#nowMs;
    if (this.#addedFor.writtenMs !== writtenMs || this.#addedFor.nowMs !== nowMs) {
      const enqueued = encodeProperty("TIMER_ENQUEUE_MS", String(writtenMs));
      const dequeued = encodeProperty("TIMER_DEQUEUE_MS", String(nowMs));
      this.#added = new Uint8Array(enqueued.length + dequeued.length);
      this.#added.set(enqueued);
      this.#added.set(dequeued, enqueued.length);
      this.#addedFor = { writtenMs, nowMs };
    }
    return this.#added;
  }

  #count(change: number): void {
    const topic = this.#draft.properties.text(KnownProperty.REAL_TOPIC);
    if (topic !== null) this.#options.metrics.add(topic, change);
  }

  /** Deliveries become safe in their order; those that are taken back are the last ones. */
  readonly #landed = (status: number): void => {
    if (status === AppendStatus.OK) this.#inFlightBytes -= this.#sizeOf(this.#inFlight[this.#first++]);
    else this.#takeBack(status);
    if (this.#first === this.#inFlight.length) {
      this.#inFlight = [];
      this.#first = 0;
      this.#drained?.();
      this.#drained = null;
    } else if (this.#inFlightBytes > MAX_IN_FLIGHT_BYTES / 2) return;
    if (!this.#running) this.#later(0);
  };

  #sizeOf(at: number): number {
    return this.#units?.sizes[at] ?? 0;
  }

  #takeBack(status: number): void {
    const at = this.#inFlight.pop();
    if (at === undefined) return;
    this.#inFlightBytes -= this.#sizeOf(at);
    if (status === AppendStatus.MESSAGE_ILLEGAL || status === AppendStatus.PROPERTIES_SIZE_EXCEEDED) {
      // Trying again would stop all timers for good.
      this.#options.logger.error("a due message can't be stored in its topic and is dropped", { status });
      return;
    }
    this.#next = Math.min(this.#next, at);
    this.#pause(status === AppendStatus.BUSY ? RETRY_BUSY_MS : RETRY_REFUSED_MS);
  }

  #unreadable(physicalOffset: number): void {
    if (this.#unreadableAt !== physicalOffset) {
      this.#options.logger.error("a due message can't be read, trying again", { physicalOffset });
    }
    this.#unreadableAt = physicalOffset;
    this.#pause(RETRY_REFUSED_MS);
  }

  /** Begins no further delivery for so long. */
  #pause(ms: number): void {
    this.#waiting = true;
    this.#timer?.cancel();
    this.#timer = null;
    this.#later(ms);
  }

  #settle(): void {
    const units = this.#units;
    if (units === null || this.#next < units.count || this.#first < this.#inFlight.length) return;
    if (this.#reading || this.#waiting) return;
    this.#units = null;
    if (this.#dropped > 0) {
      const dropped = { messages: this.#dropped, topic: this.#droppedTopic };
      this.#options.logger.warn("due messages have no topic to go to and are dropped", dropped);
      this.#dropped = 0;
    }
    this.#done();
  }
}
