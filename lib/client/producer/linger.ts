import type { Timer } from "@rmq/platform";
import type { Body } from "../codecs.ts";
import { type Inner, innerMessage, sendInner } from "./batch.ts";
import type { SendOptions } from "./outgoing.ts";
import type { Producer } from "./producer.ts";
import type { SendReceipt } from "./receipt.ts";

/** Options of a send that a batch has no place for. */
const ALONE: readonly (keyof SendOptions)[] = [
  "delay",
  "at",
  "delayLevel",
  "priority",
  "queue",
  "timeout",
  "retries",
  "signal",
];

interface Gathered {
  readonly topic: string;
  readonly options: SendOptions;
  readonly inner: Inner[];
  readonly waiting: { resolve: (receipt: SendReceipt) => void; reject: (error: unknown) => void }[];
  bytes: number;
  readonly timer: Timer;
}

/** Gathers sends to one topic for a short while and sends them as one batch. (ProduceAccumulator) */
export class Linger {
  readonly #producer: Producer;
  readonly #gathered = new Map<string, Gathered>();

  constructor(producer: Producer) {
    this.#producer = producer;
  }

  /** Whether a send can be one of a batch. */
  takes(options: SendOptions): boolean {
    return ALONE.every((name) => options[name] === undefined);
  }

  /** Adds a message. Throws ClientError for one that cannot be sent. */
  add(
    topic: string,
    body: Body,
    options: SendOptions,
    resolve: (receipt: SendReceipt) => void,
    reject: (error: unknown) => void,
  ): void {
    const { network } = this.#producer;
    const inner = innerMessage(this.#producer, { ...options, body });
    this.#producer.admit(inner.bytes);
    const key = `${topic}\n${options.orderBy ?? ""}`;
    const most = network.options.lingerBytes;
    let gathered = this.#gathered.get(key);
    if (gathered !== undefined && gathered.bytes + inner.bytes > most) {
      this.#send(key, gathered);
      gathered = undefined;
    }
    if (gathered === undefined) {
      const own: Gathered = {
        topic,
        options: options.orderBy === undefined ? {} : { orderBy: options.orderBy },
        inner: [],
        waiting: [],
        bytes: 0,
        timer: network.platform.clock.setTimer(network.options.lingerMs, () => this.#send(key, own), true),
      };
      this.#gathered.set(key, gathered = own);
    }
    gathered.inner.push(inner);
    gathered.waiting.push({ resolve, reject });
    gathered.bytes += inner.bytes;
    this.#producer.parts.pendingBytes += inner.bytes;
    if (gathered.bytes >= most) this.#send(key, gathered);
  }

  /** Sends what is gathered, now. */
  flush(): void {
    for (const [key, gathered] of [...this.#gathered]) this.#send(key, gathered);
  }

  #send(key: string, gathered: Gathered): void {
    gathered.timer.cancel();
    if (this.#gathered.get(key) === gathered) this.#gathered.delete(key);
    const { topic, options, inner, waiting } = gathered;
    // The batch counts for itself from here on.
    this.#producer.parts.pendingBytes -= gathered.bytes;
    sendInner(this.#producer, topic, inner, options).then(
      (receipts) => waiting.forEach(({ resolve }, i) => resolve(receipts[i])),
      (error) => waiting.forEach(({ reject }) => reject(error)),
    );
  }
}
