import type { Timer } from "@rmq/platform";
import { Fields, type Header, RequestCode, ResponseCode } from "@rmq/protocol";
import type { RemotingConnection } from "@rmq/remoting";
import { ClientError } from "../client_error.ts";
import type { Body } from "../codecs.ts";
import { type Duration, milliseconds } from "../duration.ts";
import { Message, type MessageSource, readProperties } from "../message.ts";
import { withoutNamespace } from "../namespace.ts";
import { closedError, type RemotingNetwork } from "../network/remoting_network.ts";
import { aborted, throwIfAborted } from "../waiting.ts";
import { type MessageOptions, property, type QueueChoice } from "./outgoing.ts";
import type { Producer } from "./producer.ts";
import type { SendReceipt } from "./receipt.ts";

/** How a request is sent. */
export interface RequestOptions extends MessageOptions, QueueChoice {
  /** Time for the reply. @default "3s" */
  readonly timeout?: Duration;
  /** Aborting it gives up waiting for the reply. */
  readonly signal?: AbortSignal;
}

interface Waiting {
  readonly resolve: (reply: Message) => void;
  readonly reject: (error: ClientError) => void;
}

/** Requests that may wait for replies at a time. */
const MOST_WAITING = 65_535;
const FIELD = Fields.PUSH_REPLY_MESSAGE_TO_CLIENT;

/** Requests by message and their replies. (DefaultMQProducerImpl.request, RequestFutureHolder) */
export class RequestReply {
  readonly #network: RemotingNetwork;
  readonly #producer: Producer;
  readonly #waiting = new Map<string, Waiting>();

  constructor(producer: Producer) {
    this.#producer = producer;
    this.#network = producer.network;
    this.#network.serve(
      RequestCode.PUSH_REPLY_MESSAGE_TO_CLIENT,
      (header, connection) => this.#replied(header, connection),
    );
    this.#network.onClose(() => {
      for (const { reject } of [...this.#waiting.values()]) reject(closedError());
      return Promise.resolve();
    });
  }

  /** See `RocketMQ.request`. */
  async request(topic: string, body: Body, options: RequestOptions = {}): Promise<Message> {
    const { signal, timeout = "3s", ...rest } = options;
    throwIfAborted(signal);
    if (this.#waiting.size >= MOST_WAITING) {
      throw new ClientError("TOO_MANY_PENDING", `${this.#waiting.size} requests wait for replies`);
    }
    const timeoutMs = milliseconds(timeout, "timeout");
    const untilMs = this.#nowMs() + timeoutMs;
    await this.#beReachable(topic, signal);
    const correlationId = this.#newCorrelationId();
    const properties = property("CORRELATION_ID", correlationId) +
      property("REPLY_TO_CLIENT", this.#network.clientId) + property("TTL", String(Math.ceil(timeoutMs)));
    const leftMs = Math.max(1, untilMs - this.#nowMs());
    const reply = this.#reply(correlationId, leftMs, signal);
    // The reply may come before the broker has answered the send; a send that fails ends the waiting.
    this.#producer.send(topic, body, { ...rest, timeout: leftMs }, { properties })
      .catch((error) => this.#waiting.get(correlationId)?.reject(error));
    return await reply;
  }

  /** See `RocketMQ.reply`. (MessageUtil.createReplyMessage) */
  reply(request: Message, body: Body, options: MessageOptions = {}): Promise<SendReceipt> {
    const [cluster, correlationId, client, ttl] = ["CLUSTER", "CORRELATION_ID", "REPLY_TO_CLIENT", "TTL"]
      .map((name) => request.properties.get(name));
    if (cluster === undefined || correlationId === undefined || client === undefined) {
      return Promise.reject(new ClientError("BAD_ARGUMENT", `message ${request.messageId} is no request`));
    }
    const properties = property("MSG_TYPE", "reply") + property("CORRELATION_ID", correlationId) +
      property("REPLY_TO_CLIENT", client) + property("TTL", ttl ?? "3000");
    const extra = { code: RequestCode.SEND_REPLY_MESSAGE_V2, properties };
    return this.#producer.send(`${cluster}_REPLY_TOPIC`, body, options, extra);
  }

  /** Brokers push replies over a connection on which they have heard of us; any of the cluster may have to. */
  async #beReachable(topic: string, signal: AbortSignal | undefined): Promise<void> {
    const { routes, heartbeat } = this.#network;
    heartbeat.setProducer(this.#producer.group);
    const call = { forSending: true, ...(signal === undefined ? {} : { signal }) };
    const route = await routes.route(this.#producer.topic(topic).wire, call);
    const clusters = new Set([...route.brokers.values()].map(({ cluster }) => cluster));
    for (const cluster of clusters) await routes.route(`${cluster}_REPLY_TOPIC`).catch(() => null);
    await heartbeat.tellOnce(this.#producer.group);
  }

  #reply(correlationId: string, timeoutMs: number, signal: AbortSignal | undefined): Promise<Message> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        timer.cancel();
        this.#waiting.delete(correlationId);
        signal?.removeEventListener("abort", abort);
      };
      const fail = (error: ClientError): void => {
        end();
        reject(error);
      };
      const abort = (): void => fail(aborted(signal as AbortSignal));
      const timer: Timer = this.#network.platform.clock.setTimer(
        timeoutMs,
        () => fail(new ClientError("TIMEOUT", `no reply within ${Math.round(timeoutMs)} ms`)),
        true,
      );
      signal?.addEventListener("abort", abort, { once: true });
      this.#waiting.set(correlationId, {
        resolve: (message) => {
          end();
          resolve(message);
        },
        reject: fail,
      });
    });
  }

  /** 326. (ClientRemotingProcessor.receiveReplyMessage) */
  #replied(header: Header, connection: RemotingConnection): void {
    const properties = readProperties(header.text(FIELD.properties) ?? "");
    const waiting = this.#waiting.get(properties.get("CORRELATION_ID") ?? "");
    if (waiting !== undefined) {
      const wire = header.text(FIELD.topic) ?? "";
      const body = header.bytes.slice(header.bodyStart, header.bodyEnd);
      const topic = withoutNamespace(this.#network.options.namespace, wire);
      waiting.resolve(new Message(topic, body, properties, sourceOf(header, wire)));
    }
    connection.answer(header.opaque, { code: ResponseCode.SUCCESS });
  }

  #newCorrelationId(): string {
    const bytes = new Uint8Array(16);
    this.#network.platform.random.bytes(bytes);
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  #nowMs(): number {
    return this.#network.platform.clock.monotonicUs() / 1000;
  }
}

function sourceOf(header: Header, topic: string): MessageSource {
  return {
    queue: { topic, brokerName: header.text(FIELD.bname) ?? "", queueId: header.int(FIELD.queueId, 0) },
    offset: -1,
    bornAt: header.long(FIELD.bornTimestamp, 0),
    storedAt: header.long(FIELD.storeTimestamp, 0),
    reconsumeTimes: header.int(FIELD.reconsumeTimes, 0),
    physicalOffset: -1,
    sysFlag: header.int(FIELD.sysFlag, 0),
    flag: header.int(FIELD.flag, 0),
    offsetMessageId: "",
    preparedTransactionOffset: 0,
  };
}
