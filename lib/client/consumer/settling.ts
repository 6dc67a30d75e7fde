import type { Network } from "../network/network.ts";
import type { Flow } from "./flow.ts";
import type { ProcessQueue } from "./process_queue.ts";
import type { Outcome, ReceivedMessage } from "./received_message.ts";
import { levelOf, SendBack } from "./send_back.ts";
import type { ConsumerSpec } from "./spec.ts";

/** The level at which messages come again whose handlers did not end. (cleanExpiredMsg) */
const EXPIRED_LEVEL = 3;

/** Carries out what becomes of messages. */
export class Settling {
  readonly #network: Network;
  readonly #flow: Flow;
  readonly #broadcast: boolean;
  readonly sendBack: SendBack;

  constructor(network: Network, spec: ConsumerSpec, flow: Flow) {
    this.#network = network;
    this.#flow = flow;
    this.#broadcast = spec.broadcast;
    this.sendBack = new SendBack(network, spec.group, spec.maxReconsumeTimes);
  }

  /** Takes the message out of its queue, so that offsets can go past it. */
  finish(queue: ProcessQueue, message: ReceivedMessage): void {
    if (message.settled) return;
    message.settled = true;
    queue.lastConsumeMs = this.#network.platform.clock.nowMs();
    // The messages of a queue that was dropped are counted out already.
    if (queue.dropped) return;
    queue.remove(message);
    this.#flow.freed(queue, message);
  }

  /** Whether the outcome is no work, and then it is done. */
  finishNow(queue: ProcessQueue, message: ReceivedMessage, outcome: Outcome): boolean {
    if (outcome.kind !== "ack") {
      if (!this.#broadcast) return false;
      const { messageId, topic } = message;
      const error = String(outcome.why ?? "");
      this.#network.logger.warn("a message that was broadcast failed; it does not come again", {
        topic,
        messageId,
        error,
      });
    }
    this.finish(queue, message);
    return true;
  }

  /** Sends it back, or to the dead letters; false when that did not come about. */
  async giveBack(queue: ProcessQueue, message: ReceivedMessage, outcome: Outcome): Promise<boolean> {
    if (message.settled) return true;
    let sent: boolean;
    if (outcome.kind === "reject") sent = await this.sendBack.reject(message);
    else sent = await this.sendBack.retry(message, outcome.kind === "retry" ? this.#level(outcome.options) : 0);
    if (sent) this.finish(queue, message);
    return sent;
  }

  /** Sends back a message that nobody settles. */
  async expire(queue: ProcessQueue, message: ReceivedMessage): Promise<boolean> {
    const { messageId, topic } = message;
    this.#network.logger.warn("a message was not settled in time; others are gone on with", { topic, messageId });
    if (!this.#broadcast && !await this.sendBack.retry(message, EXPIRED_LEVEL)) return false;
    this.finish(queue, message);
    return true;
  }

  #level(options: Parameters<typeof levelOf>[0]): number {
    try {
      return levelOf(options);
    } catch (error) {
      this.#network.logger.error("a retry without a delay that can be meant", { error: String(error) });
      return 0;
    }
  }
}
