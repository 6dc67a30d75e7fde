import type { Network } from "../network/network.ts";
import { aborted, throwIfAborted } from "../waiting.ts";
import type { Consumers } from "./consumers.ts";
import { StreamDispatch } from "./dispatch_stream.ts";
import { PushConsumer } from "./push_consumer.ts";
import type { ReceivedMessage } from "./received_message.ts";
import { type ConsumeOptions, resolveSpec, type Topics } from "./spec.ts";

/** Messages one by one, to be settled by `ack`, `retry` or `reject`. The group is joined with the first that is asked for. */
export class Consumption implements AsyncIterableIterator<ReceivedMessage>, AsyncDisposable {
  readonly #consumers: Consumers;
  readonly #consumer: PushConsumer;
  readonly #dispatch: StreamDispatch;
  readonly #signal: AbortSignal | undefined;
  readonly #abort = (): void => void this.#consumers.end(this.#consumer, 0);
  #starting: Promise<void> | null = null;
  #ended = false;

  /**
   * Use `RocketMQ.consume`.
   * @ignore
   */
  constructor(network: Network, consumers: Consumers, topics: Topics, options: ConsumeOptions) {
    this.#consumers = consumers;
    const spec = resolveSpec(consumers, topics, options, Infinity);
    this.#consumer = new PushConsumer(network, spec, (settling) => new StreamDispatch(network, spec, settling));
    this.#dispatch = this.#consumer.dispatch as StreamDispatch;
    this.#signal = options.signal;
  }

  /** The next message. Rejects with ClientError, `ABORTED` when the signal is. */
  async next(): Promise<IteratorResult<ReceivedMessage, undefined>> {
    const signal = this.#signal;
    if (signal?.aborted === true) {
      await this.return();
      throw aborted(signal);
    }
    if (this.#ended) return { done: true, value: undefined };
    await (this.#starting ??= this.#start());
    const message = await this.#dispatch.next();
    if (message !== null) return { done: false, value: message };
    this.#ended = true;
    throwIfAborted(signal);
    return { done: true, value: undefined };
  }

  /** Ends it: commits what is settled and leaves the group; what is not settled comes again. */
  async return(): Promise<IteratorResult<ReceivedMessage, undefined>> {
    this.#ended = true;
    this.#signal?.removeEventListener("abort", this.#abort);
    if (this.#starting !== null) {
      await this.#starting.catch(() => {});
      await this.#consumers.end(this.#consumer, 0);
    }
    return { done: true, value: undefined };
  }

  /** Itself. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Same as `return`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  async #start(): Promise<void> {
    this.#signal?.addEventListener("abort", this.#abort, { once: true });
    await this.#consumers.start(this.#consumer, this.#signal);
  }
}

/** The same as a Web stream: as much is read as is asked for. */
export function readableOf(consumption: Consumption): ReadableStream<ReceivedMessage> {
  return new ReadableStream<ReceivedMessage>({
    async pull(controller) {
      const { done, value } = await consumption.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await consumption.return();
    },
  }, { highWaterMark: 0 });
}
