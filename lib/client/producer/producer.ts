import type { Logger } from "@rmq/platform";
import { RequestCode, SysFlag } from "@rmq/protocol";
import { ClientError } from "../client_error.ts";
import { type Body, encodeBody } from "../codecs.ts";
import { COMPRESSED_BITS, compressLater, compressNow, OFF_LOOP_BYTES } from "../compression.ts";
import { milliseconds } from "../duration.ts";
import type { SendEvent } from "../hooks.ts";
import { withNamespace } from "../namespace.ts";
import { closedError, type RemotingNetwork } from "../network/remoting_network.ts";
import type { UniqueIds } from "../unique_id.ts";
import { BrokerFaults } from "./broker_faults.ts";
import { isTimed, levelProperty, timedProperty } from "./delay.ts";
import { Linger } from "./linger.ts";
import { checkTopic, ownProperties, property, type SendOptions } from "./outgoing.ts";
import { pickQueue, QueueRotation } from "./queue_choice.ts";
import type { SendReceipt } from "./receipt.ts";
import { SendCall, type SendParts, type SendPlan } from "./send_call.ts";
import { SendRequests } from "./send_request.ts";

const NO_OPTIONS: SendOptions = {};
const NO_EXTRA: Extra = {};
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

/** Hears of each send that ended; `receipt` is null for one that failed. */
export type SendObserver = (
  group: string,
  event: SendEvent,
  options: SendOptions,
  receipt: SendReceipt | null,
  startedMs: number,
) => void;

/** Sends messages of one group. (DefaultMQProducerImpl) */
export class Producer {
  readonly network: RemotingNetwork;
  readonly uniqueIds: UniqueIds;
  /** With the namespace. */
  readonly group: string;
  readonly parts: SendParts;
  /** Writes traces, when they are wanted. */
  observer: SendObserver | null = null;
  /** Whether hooks and traces are for its sends too. */
  observed = true;
  readonly #linger: Linger | null;
  /** By topic as the caller names it. */
  readonly #topics = new Map<string, { readonly wire: string; readonly rotation: QueueRotation }>();
  #closing = false;
  #registered = false;

  /** `group` with the namespace; the client's own by default. */
  constructor(network: RemotingNetwork, uniqueIds: UniqueIds, group?: string) {
    this.network = network;
    this.uniqueIds = uniqueIds;
    this.group = group ?? withNamespace(network.options.namespace, network.options.producerGroup);
    this.parts = {
      network,
      requests: new SendRequests(this.group),
      faults: network.options.avoidSlowBrokers ? new BrokerFaults(network.platform.clock) : null,
      pendingCalls: 0,
      pendingBytes: 0,
      idle: null,
    };
    this.#linger = network.options.lingerMs > 0 ? new Linger(this) : null;
  }

  /** Sends one message. Rejects with ClientError. */
  send(topic: string, body: Body, options: SendOptions = NO_OPTIONS, extra: Extra = NO_EXTRA): Promise<SendReceipt> {
    if (!this.isWatched) return this.#send(topic, body, options, extra);
    return new Promise((resolve, reject) => {
      const bytes = encodeBody(body);
      const event = { topic, properties: { ...options.properties }, bodyBytes: bytes.length, messages: 1 };
      const send = () => this.#send(topic, bytes, { ...options, properties: event.properties }, extra);
      this.watch(event, options, send).then(resolve, reject);
    });
  }

  /** Whether a hook or a trace wants to know of sends. */
  get isWatched(): boolean {
    return this.observed && (this.network.options.hooks.send !== undefined || this.observer !== null);
  }

  /** Sends with the user's hook and the trace around it; neither can make it fail. */
  async watch(event: SendEvent, options: SendOptions, send: () => Promise<SendReceipt>): Promise<SendReceipt> {
    const { logger, options: { hooks }, platform } = this.network;
    const ended = guarded(logger, "a send hook", () => hooks.send?.(event));
    const startedMs = platform.clock.nowMs();
    try {
      const receipt = await send();
      guarded(logger, "a send hook", () => ended?.({ messageId: receipt.messageId }));
      this.observer?.(this.group, event, options, receipt, startedMs);
      return receipt;
    } catch (error) {
      guarded(logger, "a send hook", () => ended?.({ error }));
      this.observer?.(this.group, event, options, null, startedMs);
      throw error;
    }
  }

  #send(topic: string, body: Body, options: SendOptions, extra: Extra): Promise<SendReceipt> {
    return new Promise((resolve, reject) => {
      if (this.#linger !== null && extra === NO_EXTRA && this.#linger.takes(options)) {
        return this.#linger.add(topic, body, options, resolve, reject);
      }
      const bytes = encodeBody(body);
      if (isTimed(options) || this.#isLarge(bytes)) {
        this.#prepared(topic, bytes, options, extra).then((plan) => this.start(plan, resolve, reject)).catch(reject);
      } else this.start(this.plan(topic, bytes, options, extra), resolve, reject);
    });
  }

  /** Hands a message over without waiting for an answer; rejects when there is no route or no connection. */
  async sendOneway(topic: string, body: Body, options: SendOptions = NO_OPTIONS): Promise<void> {
    const { network, parts } = this;
    const plan = await this.#prepared(topic, encodeBody(body), options, NO_EXTRA);
    this.admit(plan.body.length);
    const route = await network.routes.route(plan.topic, { forSending: true });
    const queue = pickQueue(plan, route, null);
    const address = network.brokerAddress(queue.brokerName);
    if (address === null) throw new ClientError("BROKER_UNREACHABLE", `broker ${queue.brokerName} has no address`);
    const message = { ...plan, queue, queueId: plan.anyQueue ? -1 : queue.queueId };
    if (network.options.credentials !== null) return await network.oneway(address, parts.requests.request(message));
    const connection = network.connected(address) ?? await network.connection(address);
    parts.requests.write(connection.out, 0, true, message);
    connection.touch();
  }

  /** What takes a moment: a large body is compressed off the loop, and a delay is said as the broker understands it. */
  async #prepared(topic: string, body: Uint8Array, options: SendOptions, extra: Extra): Promise<SendPlan> {
    this.checkBody(body);
    let { properties = "", sysFlag = 0 } = extra;
    if (isTimed(options)) properties += await timedProperty(this.network, this.topic(topic).wire, options);
    let bytes = body;
    if (this.#isLarge(body)) {
      const smaller = await compressLater(body);
      if (smaller.length < body.length) {
        bytes = smaller;
        sysFlag |= COMPRESSED_BITS;
      }
    }
    return this.plan(topic, bytes, options, { ...extra, properties, sysFlag });
  }

  #isLarge(body: Uint8Array): boolean {
    return body.length >= this.network.options.compressFrom && body.length > OFF_LOOP_BYTES;
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
  plan(topic: string, given: Uint8Array, options: SendOptions, extra: Extra = NO_EXTRA): SendPlan {
    const { network } = this;
    const { wire, rotation } = this.topic(topic);
    this.checkBody(given);
    const { code = RequestCode.SEND_MESSAGE_V2 } = extra;
    let { sysFlag = 0 } = extra;
    let body = given;
    if (
      body.length >= network.options.compressFrom && (sysFlag & SysFlag.COMPRESSED) === 0 &&
      code !== RequestCode.SEND_BATCH_MESSAGE
    ) {
      const smaller = compressNow(body);
      if (smaller !== null && smaller.length < body.length) {
        body = smaller;
        sysFlag |= COMPRESSED_BITS;
      }
    }
    const bornAt = network.platform.clock.nowMs();
    const messageId = this.uniqueIds.next(bornAt);
    let properties = `UNIQ_KEY\x01${messageId}\x02${ownProperties(options)}${extra.properties ?? ""}`;
    if (options.orderBy !== undefined) properties += property("__SHARDINGKEY", options.orderBy);
    if (options.priority !== undefined) properties += property("_SYS_MSG_PRIORITY_", String(options.priority));
    if (options.delayLevel !== undefined) properties += levelProperty(options.delayLevel);
    if (properties.length > MOST_PROPERTIES) {
      throw new ClientError("MESSAGE_ILLEGAL", `${properties.length} characters of properties, of ${MOST_PROPERTIES}`);
    }
    const fixed = options.orderBy !== undefined || options.queue !== undefined;
    return {
      code,
      topic: wire,
      body,
      properties,
      messageId,
      sysFlag,
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
    this.#linger?.flush();
    this.#closing = true;
    const { parts } = this;
    if (parts.pendingCalls === 0) return Promise.resolve();
    return new Promise((resolve) => parts.idle = resolve);
  }

  /** Throws ClientError for a body that brokers do not take. */
  checkBody(body: Uint8Array): void {
    const { maxMessageBytes } = this.network.options;
    if (body.length === 0) throw new ClientError("BAD_ARGUMENT", "brokers take no message without a body");
    if (body.length > maxMessageBytes) {
      throw new ClientError("MESSAGE_TOO_LARGE", `a body of ${body.length} bytes, of ${maxMessageBytes}`);
    }
  }
}

/** Runs a hook; what it throws is logged. */
export function guarded<T>(logger: Logger, what: string, run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    logger.error(`${what} failed`, { error: String(error) });
    return undefined;
  }
}
