import type { Network } from "../network/network.ts";
import { sleep } from "../waiting.ts";
import type { DirectResult, Dispatch } from "./dispatch.ts";
import { Directly } from "./directly.ts";
import { Context, type Handler, watched, type Watching } from "./handler.ts";
import type { ProcessQueue } from "./process_queue.ts";
import type { Outcome, ReceivedMessage } from "./received_message.ts";
import type { Settling } from "./settling.ts";
import type { ConsumerSpec } from "./spec.ts";

/** A lock that was not confirmed for so long may be another's, ms. (REBALANCE_LOCK_MAX_LIVE_TIME) */
const LOCK_LIVES_MS = 30_000;
const UNLOCKED_PAUSE_MS = 100;
const DONE: Promise<void> = Promise.resolve();

/** Calls the handler for one message of a queue at a time, in their order. (ConsumeMessageOrderlyService) */
export class OrderedDispatch implements Dispatch {
  readonly #network: Network;
  readonly #spec: ConsumerSpec;
  readonly #settling: Settling;
  readonly #watching: Watching;
  readonly #handler: Handler;
  readonly #directly: Directly;
  /** Queues that are worked on. */
  readonly #working = new Set<ProcessQueue>();
  readonly #outcomes = new Map<ReceivedMessage, Outcome>();
  readonly #contexts = new Set<Context>();
  /** Queues that wait for one of `concurrency` places. */
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #closing = false;
  #drained: (() => void) | null = null;

  constructor(network: Network, spec: ConsumerSpec, settling: Settling, handler: Handler) {
    this.#network = network;
    this.#spec = spec;
    this.#settling = settling;
    this.#watching = { hooks: network.options.hooks, logger: network.logger, trace: spec.trace };
    this.#handler = handler;
    this.#directly = new Directly(handler, spec.groupName);
  }

  found(queue: ProcessQueue): void {
    if (this.#closing || this.#working.has(queue)) return;
    this.#working.add(queue);
    void this.#work(queue).finally(() => {
      this.#working.delete(queue);
      // What came while the last message was being looked for.
      if (queue.first !== null && !queue.gone.signal.aborted) this.found(queue);
    });
  }

  /** Noted: what becomes of it is done when its handler is through. */
  settle(_queue: ProcessQueue, message: ReceivedMessage, outcome: Outcome): Promise<void> {
    this.#outcomes.set(message, outcome);
    return DONE;
  }

  direct(message: ReceivedMessage): Promise<DirectResult> {
    return this.#directly.consume(message);
  }

  settledDirectly(message: ReceivedMessage, outcome: Outcome): void {
    this.#directly.settled(message, outcome);
  }

  drain(): Promise<void> {
    this.#closing = true;
    if (this.#running === 0) return DONE;
    return new Promise((resolve) => this.#drained = resolve);
  }

  stop(): void {
    this.#closing = true;
    for (const context of this.#contexts) context.abort();
  }

  async #work(queue: ProcessQueue): Promise<void> {
    const { clock } = this.#network.platform;
    const { signal } = queue.gone;
    while (!this.#closing && !signal.aborted) {
      const message = queue.first;
      if (message === null) return;
      if (!this.#locked(queue)) {
        await sleep(clock, UNLOCKED_PAUSE_MS, signal).catch(() => {});
        continue;
      }
      if (await this.#tried(queue, message)) continue;
      message.again();
      await sleep(clock, this.#spec.suspendMs, signal).catch(() => {});
    }
  }

  #locked({ lockedAtMs }: ProcessQueue): boolean {
    if (this.#spec.broadcast) return true;
    const nowMs = this.#network.platform.clock.monotonicUs() / 1000;
    return lockedAtMs !== null && nowMs - lockedAtMs < LOCK_LIVES_MS;
  }

  /** False when the message is to be tried again. */
  async #tried(queue: ProcessQueue, message: ReceivedMessage): Promise<boolean> {
    if (this.#running >= this.#spec.concurrency) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    // While it waited the queue may have been given up.
    if (this.#closing || queue.gone.signal.aborted) {
      this.#waiting.shift()?.();
      return true;
    }
    this.#running++;
    queue.begin();
    try {
      return await this.#carryOut(queue, message, await this.#outcome(message));
    } finally {
      queue.end();
      this.#running--;
      this.#waiting.shift()?.();
      if (this.#running === 0) this.#drained?.();
    }
  }

  async #outcome(message: ReceivedMessage): Promise<Outcome> {
    const { clock } = this.#network.platform;
    const { groupName, consumeTimeoutMs } = this.#spec;
    const context = new Context(groupName);
    this.#contexts.add(context);
    const late = clock.setTimer(consumeTimeoutMs, () => context.abort());
    const ended = watched(this.#watching, message, groupName);
    try {
      await this.#handler(message, context);
      await message.ack();
      ended({ messageId: message.messageId });
    } catch (error) {
      await message.failed(error);
      ended({ messageId: message.messageId, error });
    }
    late.cancel();
    this.#contexts.delete(context);
    const outcome = this.#outcomes.get(message) ?? { kind: "ack" };
    this.#outcomes.delete(message);
    return outcome;
  }

  /** (processConsumeResult, checkReconsumeTimes) */
  async #carryOut(queue: ProcessQueue, message: ReceivedMessage, outcome: Outcome): Promise<boolean> {
    // Another member will get it, or has it already.
    if (queue.dropped) return true;
    if (outcome.kind === "ack") {
      this.#settling.finish(queue, message);
      return true;
    }
    if (outcome.kind === "reject") {
      if (this.#settling.finishNow(queue, message, outcome)) return true;
      return await this.#settling.giveBack(queue, message, outcome);
    }
    const { maxReconsumeTimes } = this.#spec;
    if (maxReconsumeTimes === null || message.attempt <= maxReconsumeTimes) return false;
    if (!this.#spec.broadcast && !await this.#settling.sendBack.giveUp(message)) return false;
    this.#settling.finish(queue, message);
    return true;
  }
}
