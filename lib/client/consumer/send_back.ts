import { RequestCode, RETRY_PREFIX } from "@rmq/protocol";
import { expectSuccess } from "../client_error.ts";
import { milliseconds } from "../duration.ts";
import { withNamespace } from "../namespace.ts";
import type { Network } from "../network/network.ts";
import { masterOf } from "./queue_offsets.ts";
import type { ReceivedMessage, RetryOptions } from "./received_message.ts";

/** Apache's levels, 1 … (`messageDelayLevel`), ms. */
const LEVELS_MS = "1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h".split(" ")
  .map((level) => milliseconds(level as `${number}s`));
/** What asks for the dead letters. */
const DEAD_LETTER_LEVEL = -1;
/** Java's limit when none is said, for sends that carry one. */
const DEFAULT_MAX_RECONSUME = 16;
/** The level of a message's first retry. */
const FIRST_LEVEL = 3;
const TIMEOUT_MS = 5000;
/** Java's group for what the client itself sends. */
const INNER_GROUP = "CLIENT_INNER_PRODUCER";

/** The level that a retry asks for; 0 leaves it to the broker. */
export function levelOf(options: RetryOptions): number {
  if (options.delayLevel !== undefined) return Math.max(0, Math.trunc(options.delayLevel));
  if (options.delay === undefined) return 0;
  const delayMs = milliseconds(options.delay, "delay");
  const level = LEVELS_MS.findIndex((levelMs) => levelMs >= delayMs);
  return level < 0 ? LEVELS_MS.length : level + 1;
}

/** Gives messages back to their brokers, to come again or to go to the dead letters. */
export class SendBack {
  readonly #network: Network;
  readonly #group: string;
  readonly #maxReconsumeTimes: number | null;

  /** `maxReconsumeTimes`: null leaves it to the group's configuration. */
  constructor(network: Network, group: string, maxReconsumeTimes: number | null) {
    this.#network = network;
    this.#group = group;
    this.#maxReconsumeTimes = maxReconsumeTimes;
  }

  /** Resolves with false when it did not come about, which was logged. */
  async retry(message: ReceivedMessage, level: number): Promise<boolean> {
    if (await this.#tried(message, () => this.#sendBack(message, level))) return true;
    return await this.#tried(message, () => this.#sendAsNew(message));
  }

  /** The same for the dead letters. */
  reject(message: ReceivedMessage): Promise<boolean> {
    return this.#tried(message, () => this.#sendBack(message, DEAD_LETTER_LEVEL));
  }

  /** To the retry topic by a send of its own, as ordered consumers do beyond the last attempt. */
  giveUp(message: ReceivedMessage): Promise<boolean> {
    return this.#tried(message, () => this.#sendAsNew(message));
  }

  async #tried(message: ReceivedMessage, run: () => Promise<void>): Promise<boolean> {
    try {
      await run();
      return true;
    } catch (error) {
      const { messageId } = message;
      this.#network.logger.warn("a message could not be sent back", { messageId, error: String(error) });
      return false;
    }
  }

  /** 36. (consumerSendMessageBack) */
  async #sendBack(message: ReceivedMessage, delayLevel: number): Promise<void> {
    const { source } = message;
    const fields = {
      group: this.#group,
      offset: source.physicalOffset,
      delayLevel,
      originMsgId: message.messageId,
      originTopic: withNamespace(this.#network.options.namespace, message.topic),
      unitMode: false,
      maxReconsumeTimes: this.#maxReconsumeTimes,
      bname: source.queue.brokerName,
    };
    const address = await masterOf(this.#network, source.queue);
    const request = { code: RequestCode.CONSUMER_SEND_MSG_BACK, fields };
    expectSuccess("a retry", await this.#network.invoke(address, request, { timeoutMs: TIMEOUT_MS }));
  }

  /**
   * When the broker that has it does not take it back: the message itself, to any broker that has the group's retry
   * topic. (sendMessageBackAsNormalMessage)
   */
  async #sendAsNew(message: ReceivedMessage): Promise<void> {
    const { routes, options, platform } = this.#network;
    const topic = RETRY_PREFIX + this.#group;
    const { writeQueues } = await routes.route(topic);
    const queue = writeQueues[platform.random.below(writeQueues.length)];
    const attempt = message.attempt;
    const properties = new Map(message.properties);
    if (!properties.get("ORIGIN_MESSAGE_ID")) properties.set("ORIGIN_MESSAGE_ID", message.messageId);
    properties.set("RETRY_TOPIC", withNamespace(options.namespace, message.topic));
    for (const name of ["TRAN_MSG", "RECONSUME_TIME", "MAX_RECONSUME_TIMES"]) properties.delete(name);
    properties.set("DELAY", String(FIRST_LEVEL + attempt - 1));
    const fields = {
      a: INNER_GROUP,
      b: topic,
      c: "TBW102",
      d: 4,
      e: queue.queueId,
      f: 0,
      g: platform.clock.nowMs(),
      h: message.source.flag,
      i: [...properties].map(([name, value]) => `${name}\x01${value}\x02`).join(""),
      j: attempt,
      k: false,
      l: this.#maxReconsumeTimes ?? DEFAULT_MAX_RECONSUME,
      m: false,
      n: queue.brokerName,
    };
    const address = await masterOf(this.#network, queue);
    const request = { code: RequestCode.SEND_MESSAGE_V2, fields, body: message.body };
    expectSuccess("a retry", await this.#network.invoke(address, request, { timeoutMs: TIMEOUT_MS }));
  }
}
