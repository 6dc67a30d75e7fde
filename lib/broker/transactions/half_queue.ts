import type { Clock, Logger } from "@rmq/platform";
import { HALF_TOPIC, OP_TOPIC, StoredMessage } from "@rmq/protocol";
import type { GetResult, QueueState, Store } from "@rmq/store";
import type { OffsetTable } from "../offsets/offset_table.ts";
import { Ended, EndedHalves } from "./ended_halves.ts";
import { TRANSACTION_GROUP, TRANSACTION_QUEUE } from "./half_message.ts";
import { readOpBody } from "./op_body.ts";
import { OpProgress } from "./op_progress.ts";

const READ_COUNT = 256;
const READ_BYTES = 262_144;
const LETTER_D = 0x64;
/** A read that brought nothing on is tried again after this long. */
const RETRY_MS = 1000;

/** What the half queue is made of. */
export interface HalfQueueOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: Pick<Store, "get" | "queue">;
  readonly offsets: Pick<OffsetTable, "query" | "commit" | "flush">;
}

/**
 * The half topic's queue and how far it was looked through: everything below {@link offset} has ended, was stored again
 * as a newer half message, or was discarded. Both offsets are kept in consumerOffset.json as Apache's broker keeps them,
 * and what ended beyond them is read from the op queue at the start.
 */
export class HalfQueue {
  readonly queue: QueueState;
  readonly #options: HalfQueueOptions;
  readonly #opQueue: QueueState;
  readonly #ended = new EndedHalves();
  readonly #ops: OpProgress;
  readonly #message = new StoredMessage();
  #offset: number;
  #loaded = false;
  #closed = false;

  constructor(options: HalfQueueOptions) {
    this.#options = options;
    this.queue = options.store.queue(HALF_TOPIC, TRANSACTION_QUEUE);
    this.#opQueue = options.store.queue(OP_TOPIC, TRANSACTION_QUEUE);
    this.#offset = startOf(options.offsets, this.queue);
    this.#ops = new OpProgress(startOf(options.offsets, this.#opQueue));
  }

  /** Everything below was looked at. */
  get offset(): number {
    return this.#offset;
  }

  /** Pages of notes, each about 300 bytes. */
  get pages(): number {
    return this.#ended.pages;
  }

  /** Reads which half messages have ended; `done` is called once, and not after `close`. */
  load(done: () => void): void {
    const end = this.#opQueue.max;
    this.#read(this.#ops.offset, end, () => {
      this.#loaded = true;
      done();
    });
  }

  close(): void {
    this.#closed = true;
  }

  /** How the half message at `offset` ended, as far as that is still remembered; one of `Ended`. */
  ended(offset: number): number {
    return this.#ended.get(offset);
  }

  /** First half message from `from` on, below `limit`, that is open; else `limit`. */
  nextOpen(from: number, limit: number): number {
    return this.#ended.nextOpen(from, limit);
  }

  /** The half message at `offset` has ended; the op message at `opOffset` says so and is on disk. */
  note(offset: number, how: number, opOffset: number): void {
    // An end that comes late concerns the copies of its half message, which stand anywhere up to now.
    const until = offset < this.#offset ? this.queue.nextOffset : offset + 1;
    this.#ended.note(offset, how, until);
    this.#ops.note(opOffset, until);
  }

  /** Everything below `offset` was looked at. */
  passed(offset: number): void {
    if (!this.#loaded || offset <= this.#offset) return;
    this.#offset = offset;
    this.#ended.passed(offset);
    this.#options.offsets.commit(TRANSACTION_GROUP, HALF_TOPIC, TRANSACTION_QUEUE, offset);
    this.#passOps();
  }

  /** Op messages about nothing but what was passed are done with. */
  #passOps(): void {
    if (!this.#ops.passed(this.#offset)) return;
    this.#options.offsets.commit(TRANSACTION_GROUP, OP_TOPIC, TRANSACTION_QUEUE, this.#ops.offset);
  }

  /** Looks whether op messages that came late are done with; to be called when a look through the queue ends. */
  settle(): void {
    if (this.#loaded) this.#passOps();
  }

  #read(from: number, end: number, done: () => void): void {
    if (this.#closed) return;
    if (from >= end) return done();
    const request = {
      queue: this.#opQueue,
      offset: from,
      maxCount: READ_COUNT,
      maxBytes: READ_BYTES,
      tags: null,
      matches: null,
    };
    this.#options.store.get(request, (result) => {
      const next = Math.max(this.#take(result), result.nextBeginOffset);
      const { clock, logger } = this.#options;
      if (next > from) return void clock.setTimer(0, () => this.#read(next, end, done));
      logger.error("the ends of transactions can't be read, trying again", { offset: from });
      clock.setTimer(RETRY_MS, () => this.#read(from, end, done));
    });
  }

  /** Returns the op offset behind the last message. */
  #take(result: GetResult): number {
    const message = this.#message;
    let next = -1;
    for (let i = 0; i < result.pieces; i++) {
      for (let at = result.starts[i]; at < result.ends[i]; at += message.size) {
        if (message.parse(result.buffers[i], at, result.ends[i], false) <= 0) break;
        this.#takeOp(message);
        next = message.queueOffset + 1;
      }
    }
    return next;
  }

  #takeOp(message: StoredMessage): void {
    message.scanProperties();
    const { bytes, tagsStart, tagsEnd, queueOffset } = message;
    if (tagsEnd - tagsStart !== 1 || bytes[tagsStart] !== LETTER_D) return;
    readOpBody(bytes, message.bodyStart, message.bodyEnd, (offset) => {
      // Beyond the queue's end nothing can have ended: that is no op message of a broker.
      if (offset >= this.queue.nextOffset) return;
      if (this.#ended.get(offset) === Ended.OPEN) this.note(offset, Ended.OTHERWISE, queueOffset);
      else this.#ops.note(queueOffset, offset + 1);
    });
  }
}

/** Where the group stands in a queue, within what the queue holds. */
function startOf(offsets: Pick<OffsetTable, "query">, queue: QueueState): number {
  const offset = offsets.query(TRANSACTION_GROUP, queue.topic, TRANSACTION_QUEUE);
  return Math.min(Math.max(offset, queue.min), queue.max);
}
