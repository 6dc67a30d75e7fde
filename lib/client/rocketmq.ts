import type { Body } from "./codecs.ts";
import { type Duration, milliseconds } from "./duration.ts";
import type { RemotingNetwork } from "./network/remoting_network.ts";
import type { SendOptions } from "./producer/outgoing.ts";
import { Producer } from "./producer/producer.ts";
import type { SendReceipt } from "./producer/receipt.ts";
import { UniqueIds } from "./unique_id.ts";
import { sleep } from "./waiting.ts";

/**
 * One client: sends, consumes, administers. Made by `connect`; closed by `close` or at the end of `await using`.
 */
export class RocketMQ implements AsyncDisposable {
  readonly #network: RemotingNetwork;
  readonly #producer: Producer;
  #closing: Promise<void> | null = null;

  /**
   * Use `connect`.
   * @ignore
   */
  constructor(network: RemotingNetwork) {
    this.#network = network;
    this.#producer = new Producer(network, new UniqueIds(network.platform));
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
    const over = new AbortController();
    const late = sleep(this.#network.platform.clock, drainMs, over.signal).catch(() => {});
    await Promise.race([this.#producer.drain(), late]);
    over.abort();
    await this.#network.close();
  }
}
