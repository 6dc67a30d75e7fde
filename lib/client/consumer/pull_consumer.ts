import { ClientError } from "../client_error.ts";
import { type Duration, milliseconds } from "../duration.ts";
import { type Filter, subscriptionData } from "../filter.ts";
import type { Message } from "../message.ts";
import { withNamespace } from "../namespace.ts";
import type { Network } from "../network/network.ts";
import type { MessageQueue } from "../network/route.ts";
import { sleep, throwIfAborted } from "../waiting.ts";
import { AssignedQueue, fetchFrom } from "./assigned_queue.ts";
import { keyOf } from "./local_offsets.ts";
import { commitOffset, committedOffset, maxOffset, minOffset, offsetAt } from "./queue_offsets.ts";
import { checkName } from "./received_message.ts";

/** How a group is read by hand. */
export interface PullOptions {
  /** Name of the consumer group, for `commit` and `committed`. */
  readonly group: string;
  /** Which messages of the queues. @default all */
  readonly filter?: Filter;
  /** Messages of one pull; brokers give no more than 32. @default 32 */
  readonly pullBatch?: number;
}

/** How long `poll` waits, and for how much. */
export interface PollOptions {
  /** Time to wait for a first message. @default "5s" */
  readonly timeout?: Duration;
  /** Messages at most. @default 32 */
  readonly most?: number;
  /** Aborting it gives up waiting. */
  readonly signal?: AbortSignal;
}

/**
 * Reads queues of the caller's choice from offsets of the caller's choice; nobody shares them out and nothing is
 * committed unless `commit` is called. Queues are those of `queues`, with the namespace. All methods reject with
 * ClientError. (DefaultLitePullConsumer with `assign`, DefaultMQPullConsumer)
 *
 * ```ts
 * import type { RocketMQ } from "@rmq/client";
 *
 * async function replay(mq: RocketMQ, sinceMs: number) {
 *   await using consumer = mq.pull({ group: "auditors" });
 *   const queues = await consumer.queues("orders");
 *   await consumer.assign(queues);
 *   for (const queue of queues) consumer.seek(queue, await consumer.offsetFor(queue, sinceMs));
 *   for (const message of await consumer.poll({ timeout: "10s" })) console.log(message.offset, message.text());
 *   await consumer.commit();
 * }
 * ```
 */
export class PullConsumer implements AsyncDisposable {
  readonly #network: Network;
  readonly #group: string;
  readonly #filter: Filter | undefined;
  readonly #pullBatch: number;
  readonly #assigned = new Map<string, AssignedQueue>();
  readonly #endOnClose: () => void;
  /** Wakes whoever polls. */
  #wake: (() => void) | null = null;
  /** Which queue is looked at first, so that a busy one does not keep the others back. */
  #turn = 0;
  #closed = false;

  /**
   * Use `RocketMQ.pull`.
   * @ignore
   */
  constructor(network: Network, options: PullOptions) {
    this.#network = network;
    this.#group = withNamespace(network.options.namespace, checkName("group", options.group));
    this.#filter = options.filter;
    this.#pullBatch = options.pullBatch ?? 32;
    this.#endOnClose = network.onClose(() => this.close());
  }

  /** The queues of a topic that can be read. */
  async queues(topic: string): Promise<readonly MessageQueue[]> {
    const { readQueues } = await this.#network.routes.route(withNamespace(this.#network.options.namespace, topic));
    return readQueues;
  }

  /** Reads these queues from now on and no others; each begins at what the group has committed, else at its first message. */
  async assign(queues: readonly MessageQueue[]): Promise<void> {
    this.#check();
    const keys = new Set(queues.map(keyOf));
    for (const [key, assigned] of [...this.#assigned]) if (!keys.has(key)) this.#release(key, assigned);
    const { platform: { clock } } = this.#network;
    await Promise.all(queues.map(async (queue) => {
      if (this.#assigned.has(keyOf(queue))) return;
      const start = await this.committed(queue) ?? await this.beginOffset(queue);
      if (this.#closed || this.#assigned.has(keyOf(queue))) return;
      const subscription = subscriptionData(queue.topic, this.#filter, clock.nowMs());
      this.#assigned.set(keyOf(queue), new AssignedQueue(queue, subscription, start));
    }));
  }

  /** The queues that are read. */
  get assigned(): MessageQueue[] {
    return [...this.#assigned.values()].map(({ queue }) => queue);
  }

  /** Reads a queue from this offset on. Throws ClientError `BAD_ARGUMENT` for a queue that is not assigned. */
  seek(queue: MessageQueue, offset: number): void {
    if (!Number.isSafeInteger(offset) || offset < 0) throw new ClientError("BAD_ARGUMENT", `${offset} is no offset`);
    this.#own(queue).seek(offset);
  }

  /** Offset of the message of the queue that `poll` gives next. Throws ClientError `BAD_ARGUMENT`. */
  position(queue: MessageQueue): number {
    return this.#own(queue).position;
  }

  /**
   * The next messages of any of the queues, in order within each; none when the time is over. Rejects when a queue
   * cannot be read, and then the others go on with the next call.
   */
  async poll(options: PollOptions = {}): Promise<Message[]> {
    const { timeout = "5s", most = 32, signal } = options;
    throwIfAborted(signal);
    this.#check();
    if (this.#wake !== null) throw new ClientError("BAD_ARGUMENT", "a poll is under way; one at a time");
    const { clock } = this.#network.platform;
    const untilMs = clock.monotonicUs() / 1000 + milliseconds(timeout, "timeout");
    try {
      for (;;) {
        const woken = new Promise<void>((resolve) => this.#wake = resolve);
        for (const assigned of this.#assigned.values()) this.#fetch(assigned);
        const messages = this.#take(most);
        const leftMs = untilMs - clock.monotonicUs() / 1000;
        if (messages.length > 0 || leftMs <= 0) return messages;
        const over = new AbortController();
        const abort = () => over.abort();
        signal?.addEventListener("abort", abort, { once: true });
        await Promise.race([woken, sleep(clock, leftMs, over.signal).catch(() => {})]);
        signal?.removeEventListener("abort", abort);
        over.abort();
        throwIfAborted(signal);
        this.#check();
      }
    } finally {
      this.#wake = null;
    }
  }

  /** Commits the positions of all assigned queues, or the offset of one queue. */
  async commit(queue?: MessageQueue, offset?: number): Promise<void> {
    this.#check();
    const wanted = queue === undefined ? this.assigned : [queue];
    await Promise.all(
      wanted.map((each) => commitOffset(this.#network, this.#group, each, offset ?? this.position(each))),
    );
  }

  /** What the group has committed in the queue, or null. */
  committed(queue: MessageQueue): Promise<number | null> {
    return committedOffset(this.#network, this.#group, queue, true);
  }

  /** Offset of the first message that is there. */
  beginOffset(queue: MessageQueue): Promise<number> {
    return minOffset(this.#network, queue);
  }

  /** Offset that the next message of the queue gets. */
  endOffset(queue: MessageQueue): Promise<number> {
    return maxOffset(this.#network, queue);
  }

  /** Offset of the first message that was stored at or after a time, ms since 1970. */
  offsetFor(queue: MessageQueue, timestamp: number | { getTime(): number }): Promise<number> {
    return offsetAt(this.#network, queue, typeof timestamp === "number" ? timestamp : timestamp.getTime());
  }

  /** Reads no more; commits nothing. Never rejects. */
  close(): Promise<void> {
    this.#closed = true;
    this.#endOnClose();
    for (const [key, assigned] of [...this.#assigned]) this.#release(key, assigned);
    this.#wake?.();
    return Promise.resolve();
  }

  /** Same as `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Messages that are here, beginning with another queue each time. Throws what a queue has failed with. */
  #take(most: number): Message[] {
    const all = [...this.#assigned.values()];
    const messages: Message[] = [];
    this.#turn++;
    for (let i = 0; i < all.length && messages.length < most; i++) {
      messages.push(...all[(this.#turn + i) % all.length].take(most - messages.length));
    }
    if (messages.length > 0) return messages;
    for (const assigned of all) {
      const error = assigned.takeError();
      if (error !== null) throw error;
    }
    return messages;
  }

  #fetch(assigned: AssignedQueue): void {
    const query = { group: this.#group, most: this.#pullBatch };
    fetchFrom(this.#network, query, assigned, () => this.#wake?.());
  }

  #release(key: string, assigned: AssignedQueue): void {
    this.#assigned.delete(key);
    assigned.close();
  }

  #own(queue: MessageQueue): AssignedQueue {
    const own = this.#assigned.get(keyOf(queue));
    if (own !== undefined) return own;
    throw new ClientError("BAD_ARGUMENT", `queue ${queue.queueId} of ${queue.topic} is not assigned`);
  }

  #check(): void {
    if (this.#closed || this.#network.closed) throw new ClientError("CLOSED", "the consumer is closed");
  }
}
