import { RequestCode } from "@rmq/protocol";
import { ClientError } from "../client_error.ts";
import { type Body, encodeBody } from "../codecs.ts";
import { milliseconds } from "../duration.ts";
import { withNamespace } from "../namespace.ts";
import { closedError, type RemotingNetwork } from "../network/remoting_network.ts";
import type { UniqueIds } from "../unique_id.ts";
import { BrokerFaults } from "./broker_faults.ts";
import { checkTopic, ownProperties, property, type SendOptions } from "./outgoing.ts";
import { QueueRotation } from "./queue_choice.ts";
import type { SendReceipt } from "./receipt.ts";
import { SendCall, type SendParts, type SendPlan } from "./send_call.ts";
import { SendRequests } from "./send_request.ts";

const NO_OPTIONS: SendOptions = {};
/** Java's limit for the text of all properties, bytes. */
const MOST_PROPERTIES = 32_767;

/** What a kind of send adds to a message. */
export interface Extra {
  /** Request code; 310 by default. */
  readonly code?: number;
  /** More properties, as text. */
  readonly properties?: string;
  /** More `MessageSysFlag` bits. */
  readonly sysFlag?: number;
}

/** Sends messages of one group. (DefaultMQProducerImpl) */
export class Producer {
  readonly network: RemotingNetwork;
  readonly uniqueIds: UniqueIds;
  /** With the namespace. */
  readonly group: string;
  readonly parts: SendParts;
  /** By topic as the caller names it. */
  readonly #topics = new Map<string, { readonly wire: string; readonly rotation: QueueRotation }>();
  #closing = false;
  #registered = false;

  constructor(network: RemotingNetwork, uniqueIds: UniqueIds) {
    this.network = network;
    this.uniqueIds = uniqueIds;
    this.group = withNamespace(network.options.namespace, network.options.producerGroup);
    this.parts = {
      network,
      requests: new SendRequests(this.group),
      faults: network.options.avoidSlowBrokers ? new BrokerFaults(network.platform.clock) : null,
      pendingCalls: 0,
      pendingBytes: 0,
      idle: null,
    };
  }

  /** Sends one message. Rejects with ClientError. */
  send(topic: string, body: Body, options: SendOptions = NO_OPTIONS): Promise<SendReceipt> {
    return new Promise((resolve, reject) => {
      const bytes = encodeBody(body);
      this.start(this.plan(topic, bytes, options), resolve, reject);
    });
  }

  /** Begins a send; throws ClientError for one that may not begin. */
  start(plan: SendPlan, resolve: (receipt: SendReceipt) => void, reject: (error: unknown) => void): void {
    const { parts } = this;
    this.admit(plan.body.length);
    new SendCall(parts, plan, resolve, reject).start();
  }

  /** Throws ClientError when no further send of so many bytes may begin. */
  admit(bytes: number): void {
    const { parts, network } = this;
    if (this.#closing || network.closed) throw closedError();
    const most = network.options.maxPendingSendBytes;
    if (parts.pendingBytes > 0 && parts.pendingBytes + bytes > most) {
      throw new ClientError("TOO_MANY_PENDING", `${parts.pendingBytes} bytes of sends wait for answers, of ${most}`);
    }
    if (!this.#registered) {
      this.#registered = true;
      network.heartbeat.setProducer(this.group);
    }
  }

  /** What a send is to do. Throws ClientError `BAD_ARGUMENT`, `MESSAGE_TOO_LARGE`, `MESSAGE_ILLEGAL`. */
  plan(topic: string, body: Uint8Array, options: SendOptions, extra: Extra = {}): SendPlan {
    const { network } = this;
    const { wire, rotation } = this.topic(topic);
    this.#checkBody(body);
    const bornAt = network.platform.clock.nowMs();
    const messageId = this.uniqueIds.next(bornAt);
    let properties = `UNIQ_KEY\x01${messageId}\x02${ownProperties(options)}${extra.properties ?? ""}`;
    if (options.orderBy !== undefined) properties += property("__SHARDINGKEY", options.orderBy);
    if (options.priority !== undefined) properties += property("_SYS_MSG_PRIORITY_", String(options.priority));
    if (properties.length > MOST_PROPERTIES) {
      throw new ClientError("MESSAGE_ILLEGAL", `${properties.length} characters of properties, of ${MOST_PROPERTIES}`);
    }
    const fixed = options.orderBy !== undefined || options.queue !== undefined;
    return {
      code: extra.code ?? RequestCode.SEND_MESSAGE_V2,
      topic: wire,
      body,
      properties,
      messageId,
      sysFlag: extra.sysFlag ?? 0,
      flag: options.flag ?? 0,
      bornAt,
      rotation,
      orderBy: options.orderBy ?? null,
      queue: options.queue ?? null,
      anyQueue: options.priority !== undefined && !fixed,
      timeoutMs: options.timeout === undefined
        ? network.options.sendTimeoutMs
        : milliseconds(options.timeout, "timeout"),
      retries: options.retries ?? (fixed ? 0 : network.options.sendRetries),
      signal: options.signal,
    };
  }

  /** The topic on the wire and whose turn it is. */
  topic(topic: string): { readonly wire: string; readonly rotation: QueueRotation } {
    let known = this.#topics.get(topic);
    if (known === undefined) {
      checkTopic(topic);
      if (this.#topics.size >= 4096) this.#topics.clear();
      const { options, platform } = this.network;
      const rotation = new QueueRotation(platform.random.below(0x3fffffff), this.parts.faults);
      this.#topics.set(topic, known = { wire: withNamespace(options.namespace, topic), rotation });
    }
    return known;
  }

  /** Refuses further sends and resolves when those that have begun have ended. */
  drain(): Promise<void> {
    this.#closing = true;
    const { parts } = this;
    if (parts.pendingCalls === 0) return Promise.resolve();
    return new Promise((resolve) => parts.idle = resolve);
  }

  #checkBody(body: Uint8Array): void {
    const { maxMessageBytes } = this.network.options;
    if (body.length === 0) throw new ClientError("BAD_ARGUMENT", "brokers take no message without a body");
    if (body.length > maxMessageBytes) {
      throw new ClientError("MESSAGE_TOO_LARGE", `a body of ${body.length} bytes, of ${maxMessageBytes}`);
    }
  }
}
