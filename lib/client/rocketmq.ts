import { Admin } from "./admin/admin.ts";
import { ClientError } from "./client_error.ts";
import type { Body } from "./codecs.ts";
import { Consumption, readableOf } from "./consumer/consume.ts";
import { Consumers } from "./consumer/consumers.ts";
import type { Handler } from "./consumer/handler.ts";
import { PullConsumer, type PullOptions } from "./consumer/pull_consumer.ts";
import type { ReceivedMessage } from "./consumer/received_message.ts";
import type { ConsumeOptions, Topics, WorkOptions } from "./consumer/spec.ts";
import { work, type Worker } from "./consumer/worker.ts";
import { type Duration, milliseconds } from "./duration.ts";
import type { Message } from "./message.ts";
import type { RemotingNetwork } from "./network/remoting_network.ts";
import { type BatchOptions, sendBatch } from "./producer/batch.ts";
import type { MessageOptions, OutgoingMessage, SendOptions } from "./producer/outgoing.ts";
import { Producer, type SendObserver } from "./producer/producer.ts";
import { recall } from "./producer/recall.ts";
import type { SendReceipt } from "./producer/receipt.ts";
import { type RequestOptions, RequestReply } from "./producer/request_reply.ts";
import {
  type TransactionCheck,
  type TransactionContext,
  type TransactionOptions,
  type TransactionOutcome,
  type TransactionReceipt,
  Transactions,
} from "./producer/transaction.ts";
import { type ClientStatus, statusOf } from "./status.ts";
import { consumeTrace } from "./trace/consume_trace.ts";
import { Tracer } from "./trace/tracer.ts";
import { UniqueIds } from "./unique_id.ts";
import { sleep } from "./waiting.ts";

/** Java's group for traces. (TraceConstants.GROUP_NAME_PREFIX) */
const TRACE_GROUP = "_INNER_TRACE_PRODUCER";

/**
 * One client: sends, consumes, administers. Made by `connect`; closed by `close` or at the end of `await using`.
 */
export class RocketMQ implements AsyncDisposable {
  readonly #network: RemotingNetwork;
  readonly #producer: Producer;
  readonly #tracer: Tracer | null;
  readonly #transactions: Transactions;
  readonly #requestReply: RequestReply;
  readonly #consumers: Consumers;
  #admin: Admin | null = null;
  #closing: Promise<void> | null = null;

  /**
   * Use `connect`.
   * @ignore
   */
  constructor(network: RemotingNetwork) {
    this.#network = network;
    const uniqueIds = new UniqueIds(network.platform);
    this.#producer = new Producer(network, uniqueIds);
    const { traceTopic } = network.options;
    this.#tracer = traceTopic === null ? null : new Tracer(new Producer(network, uniqueIds, TRACE_GROUP), traceTopic);
    const observer: SendObserver | null = this.#tracer === null ? null : this.#tracer.sent.bind(this.#tracer);
    this.#producer.observer = observer;
    this.#transactions = new Transactions(network, uniqueIds, observer);
    this.#requestReply = new RequestReply(this.#producer);
    const { clock } = network.platform;
    const traced = this.#tracer !== null && traceTopic !== null;
    const trace = traced ? consumeTrace(this.#tracer, uniqueIds, clock, traceTopic) : null;
    this.#consumers = new Consumers(network, trace);
  }

  /** Topics, groups and offsets of the cluster. */
  get admin(): Admin {
    return this.#admin ??= new Admin(this.#network);
  }

  /** What the client is doing now: connections, routes, groups, sends under way. */
  status(): ClientStatus {
    return statusOf(this.#network, this.#producer.parts, this.#consumers.status);
  }

  /** Who this client is to brokers. */
  get clientId(): string {
    return this.#network.clientId;
  }

  /**
   * Sends a message and resolves when a broker has stored it. Rejects with ClientError.
   *
   * ```ts
   * import type { RocketMQ } from "@rmq/client";
   *
   * async function pay(mq: RocketMQ, order: { id: number }) {
   *   const { messageId, offset } = await mq.send("orders", order, { tag: "paid", keys: `order-${order.id}` });
   *   console.log(messageId, offset);
   * }
   * ```
   */
  send(topic: string, body: Body, options?: SendOptions): Promise<SendReceipt> {
    return this.#producer.send(topic, body, options);
  }

  /**
   * Sends many messages to one topic, in batches of up to 1 MiB that are stored each as a whole; receipts in the order
   * of the messages. Rejects with the ClientError of the first batch that fails; others may have been stored.
   *
   * ```ts
   * import type { RocketMQ } from "@rmq/client";
   *
   * async function importOrders(mq: RocketMQ, orders: { id: number }[]) {
   *   await mq.sendBatch("orders", orders.map((body) => ({ body, tag: "new" })));
   * }
   * ```
   */
  sendBatch(
    topic: string,
    messages: Iterable<OutgoingMessage> | AsyncIterable<OutgoingMessage>,
    options?: BatchOptions,
  ): Promise<SendReceipt[]> {
    return sendBatch(this.#producer, topic, messages, options);
  }

  /** Hands a message to a broker without an answer: resolves when it is on its way, whatever becomes of it. */
  sendOneway(topic: string, body: Body, options?: SendOptions): Promise<void> {
    return this.#producer.sendOneway(topic, body, options);
  }

  /**
   * Takes back a delayed message that was not delivered yet, by its receipt or by its `recallHandle`; resolves with its
   * id. Needs a broker of 5.3.1 or later. Rejects with ClientError, `NOT_SUPPORTED` for a message without a handle.
   *
   * ```ts
   * import type { RocketMQ } from "@rmq/client";
   *
   * async function remind(mq: RocketMQ) {
   *   const receipt = await mq.send("reminders", "call back", { delay: "2h" });
   *   await mq.recall("reminders", receipt);
   * }
   * ```
   */
  recall(topic: string, message: SendReceipt | string, options: { signal?: AbortSignal } = {}): Promise<string> {
    const handle = typeof message === "string" ? message : message.recallHandle;
    if (handle !== null) return recall(this.#producer, topic, handle, options);
    return Promise.reject(new ClientError("NOT_SUPPORTED", "only delayed messages can be recalled, from 5.3.1 on"));
  }

  /**
   * Stores a message that is delivered when `run` has done its part: `"commit"` (or nothing) delivers it, `"rollback"`
   * does not, `"unknown"` lets the broker ask `check` later, as it does when this process dies in between. What `run`
   * throws is thrown on, and the broker asks. Rejects with ClientError when the message cannot be stored; then `run` was
   * not called.
   *
   * ```ts
   * import type { RocketMQ } from "@rmq/client";
   *
   * async function pay(mq: RocketMQ, paid: Map<string, boolean>) {
   *   await mq.transaction("payments", { order: 7 }, ({ messageId }) => {
   *     paid.set(messageId, true);
   *   }, { check: (message) => paid.has(message.messageId) ? "commit" : "rollback" });
   * }
   * ```
   */
  transaction(
    topic: string,
    body: Body,
    run: (context: TransactionContext) => Promise<TransactionOutcome | void> | TransactionOutcome | void,
    options: TransactionOptions,
  ): Promise<TransactionReceipt> {
    return this.#transactions.send(topic, body, run, options);
  }

  /**
   * Answers for the transactions of a group from now on, also for those of members that are gone. `transaction` does it
   * too; a program that only restarts calls this.
   */
  checkTransactions(check: TransactionCheck, options: { group?: string } = {}): Promise<void> {
    return this.#transactions.checks(options.group, check);
  }

  /**
   * Sends a message and resolves with the reply that a consumer gave by `reply`. Rejects with ClientError `TIMEOUT` when
   * none came.
   *
   * ```ts
   * import type { RocketMQ } from "@rmq/client";
   *
   * async function ask(mq: RocketMQ) {
   *   const answer = await mq.request("prices", { item: 7 }, { timeout: "5s" });
   *   console.log(answer.json<{ price: number }>().price);
   * }
   * ```
   */
  request(topic: string, body: Body, options?: RequestOptions): Promise<Message> {
    return this.#requestReply.request(topic, body, options);
  }

  /** Replies to a message that was sent by `request`. Rejects with ClientError, also when who asked has gone. */
  async reply(request: Message, body: Body, options?: MessageOptions): Promise<void> {
    await this.#requestReply.reply(request, body, options);
  }

  /**
   * Messages of a topic, or of several with the filter of each, shared among the members of a group. Each is to be
   * settled: `ack` when it is done with, `retry` to get it again, `reject` for the dead letters. Leaving the loop leaves
   * the group. A group that has not consumed yet begins behind the messages that are there, unless `from` says otherwise.
   *
   * ```ts
   * import type { RocketMQ } from "@rmq/client";
   *
   * async function bill(mq: RocketMQ, signal: AbortSignal) {
   *   for await (const message of mq.consume("orders", { group: "billing", filter: "paid || refunded", signal })) {
   *     console.log(message.json());
   *     await message.ack();
   *   }
   * }
   * ```
   */
  consume(topics: Topics, options: ConsumeOptions): Consumption {
    return new Consumption(this.#network, this.#consumers, topics, options);
  }

  /**
   * Calls `handler` for the messages that fall to this member of a group; one that throws gets its message again later,
   * or sends it to the dead letters by `Reject`. Resolves when the member has joined. Rejects with ClientError.
   *
   * ```ts
   * import { Reject, type RocketMQ } from "@rmq/client";
   *
   * async function bill(mq: RocketMQ) {
   *   return await mq.work("orders", (message) => {
   *     const { id } = message.json<{ id?: number }>();
   *     if (id === undefined) throw new Reject("an order without a number");
   *     console.log(id);
   *   }, { group: "billing", concurrency: 16, maxAttempts: 5 });
   * }
   * ```
   */
  work(topics: Topics, handler: Handler, options: WorkOptions): Promise<Worker> {
    return work(this.#network, this.#consumers, topics, handler, options);
  }

  /** `consume` as a Web stream; cancelling it leaves the group. */
  readable(topics: Topics, options: ConsumeOptions): ReadableStream<ReceivedMessage> {
    return readableOf(this.consume(topics, options));
  }

  /** A consumer for those who want offsets in their own hands: it reads what it is told to, from where it is told to. */
  pull(options: PullOptions): PullConsumer {
    return new PullConsumer(this.#network, options);
  }

  /**
   * Lets what has begun end, for at most `drain` (default 5 s), tells brokers, and closes all connections. Further
   * calls get ClientError `CLOSED`. Never rejects.
   */
  close(options: { drain?: Duration } = {}): Promise<void> {
    return this.#closing ??= this.#close(milliseconds(options.drain ?? "5s", "drain"));
  }

  /** `close` with its defaults. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(drainMs: number): Promise<void> {
    await this.#consumers.close(drainMs);
    const over = new AbortController();
    const late = sleep(this.#network.platform.clock, drainMs, over.signal).catch(() => {});
    await Promise.race([this.#drain(), late]);
    over.abort();
    await this.#network.close();
  }

  async #drain(): Promise<void> {
    await Promise.all([this.#producer.drain(), this.#transactions.drain()]);
    await this.#tracer?.flush();
  }
}
