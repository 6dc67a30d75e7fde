import { type Duration, milliseconds } from "../duration.ts";
import { withoutNamespace } from "../namespace.ts";
import type { Network } from "../network/network.ts";
import type { MessageQueue } from "../network/route.ts";
import type { Consumers } from "./consumers.ts";
import { ConcurrentDispatch } from "./dispatch_concurrent.ts";
import { OrderedDispatch } from "./dispatch_ordered.ts";
import type { Handler } from "./handler.ts";
import { PushConsumer } from "./push_consumer.ts";
import { resolveSpec, type Topics, type WorkOptions } from "./spec.ts";

/** Messages that a worker handles at a time when it is not said. */
const CONCURRENCY = 64;

/** A handler at work in a group, until it is closed or its client is. */
export class Worker implements AsyncDisposable {
  readonly #network: Network;
  readonly #consumers: Consumers;
  readonly #consumer: PushConsumer;
  readonly #signal: AbortSignal | undefined;
  readonly #abort = (): void => void this.close();

  /**
   * Use `RocketMQ.work`.
   * @ignore
   */
  constructor(network: Network, consumers: Consumers, consumer: PushConsumer, signal: AbortSignal | undefined) {
    this.#network = network;
    this.#consumers = consumers;
    this.#consumer = consumer;
    this.#signal = signal;
    signal?.addEventListener("abort", this.#abort, { once: true });
  }

  /** Name of its group. */
  get group(): string {
    return this.#consumer.spec.groupName;
  }

  /** The queues that are read here now, without the namespace, and what waits in them. */
  get queues(): { queue: MessageQueue; buffered: number; committed: number }[] {
    const { namespace } = this.#network.options;
    return this.#consumer.table.queues.map(({ queue, count, commitOffset }) => ({
      queue: { ...queue, topic: withoutNamespace(namespace, queue.topic) },
      buffered: count,
      committed: commitOffset,
    }));
  }

  /** Commits now how far the group is. Never rejects. */
  commit(): Promise<void> {
    return this.#consumer.commit();
  }

  /** Takes no further message, waits for handlers for at most `drain` (default 5 s), commits, leaves. Never rejects. */
  close(options: { drain?: Duration } = {}): Promise<void> {
    this.#signal?.removeEventListener("abort", this.#abort);
    return this.#consumers.end(this.#consumer, milliseconds(options.drain ?? "5s", "drain"));
  }

  /** `close` with its defaults. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Puts a handler to work. See `RocketMQ.work`. */
export async function work(
  network: Network,
  consumers: Consumers,
  topics: Topics,
  handler: Handler,
  options: WorkOptions,
): Promise<Worker> {
  const { signal } = options;
  const spec = resolveSpec(consumers, topics, options, CONCURRENCY);
  const Kind = spec.ordered ? OrderedDispatch : ConcurrentDispatch;
  const consumer = new PushConsumer(network, spec, (settling) => new Kind(network, spec, settling, handler));
  await consumers.start(consumer, signal);
  return new Worker(network, consumers, consumer, signal);
}
