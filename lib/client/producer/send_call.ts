import { Fields, type Header, headerRow, ResponseCode, writeRequest } from "@rmq/protocol";
import { type AnswerTaker, type RemotingConnection, RemotingError } from "@rmq/remoting";
import { asClientError, ClientError, refused } from "../client_error.ts";
import { BackOff } from "../network/back_off.ts";
import { closedError, type RemotingNetwork } from "../network/remoting_network.ts";
import type { MessageQueue, TopicRoute } from "../network/route.ts";
import { signed } from "../signature.ts";
import { aborted, sleep } from "../waiting.ts";
import type { BrokerFaults } from "./broker_faults.ts";
import { pickQueue, type QueueWish } from "./queue_choice.ts";
import type { SendReceipt, SendStatus } from "./receipt.ts";
import type { Sendable, SendRequests } from "./send_request.ts";

/** What all sends of a producer share. */
export interface SendParts {
  readonly network: RemotingNetwork;
  readonly requests: SendRequests;
  readonly faults: BrokerFaults | null;
  /** Sends that have begun and not ended. */
  pendingCalls: number;
  /** Bytes of their bodies. */
  pendingBytes: number;
  /** Called when `pendingCalls` is 0 again. */
  idle: (() => void) | null;
}

/** What is sent, and how long it is tried. */
export interface SendPlan extends QueueWish {
  readonly code: number;
  /** With the namespace. */
  readonly topic: string;
  readonly body: Uint8Array;
  readonly properties: string;
  readonly messageId: string;
  readonly sysFlag: number;
  readonly flag: number;
  readonly bornAt: number;
  /** The broker picks the queue, for priorities. */
  readonly anyQueue: boolean;
  readonly timeoutMs: number;
  readonly retries: number;
  readonly signal: AbortSignal | undefined;
}

const STATUS: ReadonlyMap<number, SendStatus> = new Map<number, SendStatus>([
  [ResponseCode.SUCCESS, "SEND_OK"],
  [ResponseCode.FLUSH_DISK_TIMEOUT, "FLUSH_DISK_TIMEOUT"],
  [ResponseCode.SLAVE_NOT_AVAILABLE, "SLAVE_NOT_AVAILABLE"],
  [ResponseCode.FLUSH_SLAVE_TIMEOUT, "FLUSH_SLAVE_TIMEOUT"],
]);
/** Answers after which another queue is tried. (DefaultMQProducer.retryResponseCodes) */
const RETRIED: ReadonlySet<number> = new Set([
  ResponseCode.SYSTEM_ERROR,
  ResponseCode.SYSTEM_BUSY,
  ResponseCode.SERVICE_NOT_AVAILABLE,
  ResponseCode.NO_PERMISSION,
  ResponseCode.TOPIC_NOT_EXIST,
  ResponseCode.NO_BUYER_ID,
  ResponseCode.NOT_IN_CURRENT_UNIT,
  ResponseCode.GO_AWAY,
]);
const ROW = headerRow("SendMessageResponseHeader");
const FIELD = Fields.SendMessageResponseHeader;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1000;

/** Answers that came over a connection: a silent one is told from a slow one by it. */
interface Heard {
  answers: number;
}

/** One send with all its tries; its own record of what is sent and taker of the answer. (DefaultMQProducerImpl.sendDefaultImpl) */
export class SendCall implements Sendable, AnswerTaker {
  readonly code: number;
  readonly body: Uint8Array;
  readonly properties: string;
  readonly sysFlag: number;
  readonly flag: number;
  readonly bornAt: number;
  queue!: MessageQueue;
  queueId = -1;
  deadlineMs = 0;

  readonly #parts: SendParts;
  readonly #plan: SendPlan;
  readonly #resolve: (receipt: SendReceipt) => void;
  readonly #reject: (error: unknown) => void;
  readonly #untilMs: number;
  #route: TopicRoute | null = null;
  #address = "";
  #connection: RemotingConnection | null = null;
  #answersBefore = 0;
  #triedMs = 0;
  #counted = 0;
  #tries = 0;
  #failedBroker: string | null = null;
  #pauses: BackOff | null = null;
  #done = false;
  #abort: (() => void) | null = null;

  constructor(
    parts: SendParts,
    plan: SendPlan,
    resolve: (receipt: SendReceipt) => void,
    reject: (error: unknown) => void,
  ) {
    this.#parts = parts;
    this.#plan = plan;
    this.#resolve = resolve;
    this.#reject = reject;
    this.code = plan.code;
    this.body = plan.body;
    this.properties = plan.properties;
    this.sysFlag = plan.sysFlag;
    this.flag = plan.flag;
    this.bornAt = plan.bornAt;
    this.#untilMs = this.#nowMs() + plan.timeoutMs;
    parts.pendingCalls++;
    parts.pendingBytes += plan.body.length;
  }

  /** Begins. */
  start(): void {
    const { signal, topic } = this.#plan;
    if (signal !== undefined) {
      if (signal.aborted) return this.#fail(aborted(signal));
      this.#abort = () => this.#fail(aborted(signal));
      signal.addEventListener("abort", this.#abort, { once: true });
    }
    const route = this.#parts.network.routes.cached(topic);
    if (route !== null) this.#begin(route);
    else this.#findRoute();
  }

  #findRoute(): void {
    const { routes } = this.#parts.network;
    routes.route(this.#plan.topic, { forSending: true }).then(
      (route) => this.#begin(route),
      (error) => this.#fail(error),
    );
  }

  #begin(route: TopicRoute): void {
    this.#route = route;
    try {
      this.#try();
    } catch (error) {
      this.#fail(asClientError(error));
    }
  }

  #try(): void {
    if (this.#done) return;
    const { network } = this.#parts;
    this.#tries++;
    this.queue = pickQueue(this.#plan, this.#route as TopicRoute, this.#failedBroker);
    this.queueId = this.#plan.anyQueue ? -1 : this.queue.queueId;
    const address = network.brokerAddress(this.queue.brokerName);
    this.#triedMs = this.#nowMs();
    if (address === null) {
      const message = `broker ${this.queue.brokerName} has no address`;
      return this.#again(new ClientError("BROKER_UNREACHABLE", message), false);
    }
    this.#address = address;
    const connection = network.connected(address);
    if (connection !== null) return this.#write(connection);
    network.connection(address).then(
      (fresh) => this.#writeTo(fresh),
      (error) => this.#again(error, false),
    );
  }

  #writeTo(connection: RemotingConnection): void {
    if (this.#done) return;
    try {
      this.#write(connection);
    } catch (error) {
      this.#fail(asClientError(error));
    }
  }

  #write(connection: RemotingConnection): void {
    const { network, requests } = this.#parts;
    const heard = (connection.attachment ??= { answers: 0 }) as Heard;
    this.#answersBefore = heard.answers;
    this.#connection = connection;
    const opaque = this.#expect(connection);
    if (opaque === null) return;
    const { credentials } = network.options;
    if (credentials === null) requests.write(connection.out, opaque, false, this);
    else {
      const request = signed(requests.request(this), credentials, network.platform.hashing);
      writeRequest(connection.out, { ...request, opaque });
    }
    connection.touch();
  }

  #expect(connection: RemotingConnection): number | null {
    const leftMs = this.#untilMs - this.#triedMs;
    try {
      return connection.expect(this, Math.min(leftMs, this.#parts.network.options.requestTimeoutMs));
    } catch (error) {
      if (error instanceof RemotingError && error.code === "CLOSED") this.#again(asClientError(error), false);
      else this.#fail(asClientError(error));
      return null;
    }
  }

  answered(header: Header): void {
    const heard = this.#connection?.attachment as Heard | null;
    if (heard !== null) heard.answers++;
    if (this.#done) return;
    try {
      this.#judge(header);
    } catch (cause) {
      this.#fail(new ClientError("BAD_ANSWER", `an answer to a send cannot be read`, { cause }));
    }
  }

  #judge(header: Header): void {
    const { code } = header;
    const status = STATUS.get(code);
    if (status === undefined) {
      const error = refused(`a send to ${this.#plan.topic}`, code, header.remark());
      if (!RETRIED.has(code)) return this.#fail(error);
      if (code === ResponseCode.GO_AWAY) this.#parts.network.disconnect(this.#address);
      return this.#again(error, true);
    }
    this.#parts.faults?.answered(this.queue.brokerName, this.#nowMs() - this.#triedMs);
    header.bind(ROW);
    const queueId = header.int(FIELD.queueId, this.queueId);
    const { topic, brokerName } = this.queue;
    this.#succeed({
      messageId: this.#plan.messageId,
      offsetMessageId: header.text(FIELD.msgId) ?? "",
      queue: queueId === this.queue.queueId ? this.queue : { topic, brokerName, queueId },
      offset: header.long(FIELD.queueOffset, -1),
      transactionId: header.text(FIELD.transactionId),
      status,
      recallHandle: header.text(FIELD.recallHandle),
    });
  }

  failed(error: RemotingError): void {
    const { network } = this.#parts;
    const connection = this.#connection;
    if (error.code === "TIMEOUT" && connection !== null && !connection.closed) {
      // Whoever said nothing at all since may be gone without a word.
      const heard = connection.attachment as Heard;
      if (heard.answers === this.#answersBefore) network.disconnect(this.#address);
    }
    if (!this.#done) this.#again(network.closed ? closedError() : asClientError(error), true);
  }

  /** Tries again where that may help; `counts` when the message may have been stored by the try that failed. */
  #again(error: unknown, counts: boolean): void {
    if (this.#done) return;
    const { network, faults } = this.#parts;
    const broker = this.queue.brokerName;
    if (error instanceof ClientError && error.code === "CLOSED") return this.#fail(error);
    faults?.failed(broker);
    if (counts) this.#counted++;
    const pauseMs = this.#pauseMs(broker);
    if (this.#counted > this.#plan.retries || this.#nowMs() + pauseMs >= this.#untilMs) return this.#fail(error);
    this.#failedBroker = broker;
    void this.#afterPause(pauseMs, error, network);
  }

  /** None when another broker is at hand. */
  #pauseMs(failed: string): number {
    const { queue, orderBy } = this.#plan;
    const queues = this.#route?.writeQueues ?? [];
    const elsewhere = queue === null && orderBy === null && queues.some(({ brokerName }) => brokerName !== failed);
    if (elsewhere && this.#tries <= 2) return 0;
    this.#pauses ??= new BackOff(this.#parts.network.platform.random, FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
    return this.#pauses.nextMs();
  }

  async #afterPause(pauseMs: number, error: unknown, network: RemotingNetwork): Promise<void> {
    const { topic } = this.#plan;
    if (pauseMs > 0) {
      await sleep(network.platform.clock, pauseMs);
      if (network.closed) return this.#fail(error);
      // Queues may have moved; what is known goes on to be used when nobody can tell.
      await Promise.race([network.routes.refresh(topic).catch(() => null), sleep(network.platform.clock, pauseMs)]);
    }
    this.#begin(network.routes.cached(topic) ?? this.#route as TopicRoute);
  }

  #succeed(receipt: SendReceipt): void {
    this.#end();
    this.#resolve(receipt);
  }

  #fail(error: unknown): void {
    if (this.#done) return;
    this.#end();
    this.#reject(error);
  }

  #end(): void {
    this.#done = true;
    const parts = this.#parts;
    const abort = this.#abort;
    if (abort !== null) this.#plan.signal?.removeEventListener("abort", abort);
    parts.pendingBytes -= this.body.length;
    if (--parts.pendingCalls === 0 && parts.idle !== null) parts.idle();
  }

  #nowMs(): number {
    return this.#parts.network.platform.clock.monotonicUs() / 1000;
  }
}
