import type { Timer } from "@rmq/platform";
import type { HookEnded } from "../hooks.ts";
import type { Network } from "../network/network.ts";
import { type DirectResult, type Dispatch, Ready } from "./dispatch.ts";
import { Directly } from "./directly.ts";
import { Context, type Handler, watched, type Watching } from "./handler.ts";
import type { ProcessQueue } from "./process_queue.ts";
import type { Outcome, ReceivedMessage } from "./received_message.ts";
import type { Settling } from "./settling.ts";
import type { ConsumerSpec } from "./spec.ts";

/** When a message is handled again that could not be sent back, ms. (submitConsumeRequestLater) */
const AGAIN_MS = 5000;
const DONE: Promise<void> = Promise.resolve();

interface Run {
  readonly queue: ProcessQueue;
  readonly message: ReceivedMessage;
  readonly context: Context;
  readonly startedUs: number;
  readonly ended: HookEnded;
  over: boolean;
  expiring: boolean;
}

/** Calls the handler for several messages at a time, whatever queues they are of. (ConsumeMessageConcurrentlyService) */
export class ConcurrentDispatch implements Dispatch {
  readonly #network: Network;
  readonly #spec: ConsumerSpec;
  readonly #settling: Settling;
  readonly #watching: Watching;
  readonly #handler: Handler;
  readonly #directly: Directly;
  readonly #ready = new Ready();
  readonly #runs = new Set<Run>();
  readonly #sweep: Timer;
  #closing = false;
  #drained: (() => void) | null = null;

  constructor(network: Network, spec: ConsumerSpec, settling: Settling, handler: Handler) {
    this.#network = network;
    this.#spec = spec;
    this.#settling = settling;
    this.#watching = { hooks: network.options.hooks, logger: network.logger, trace: spec.trace };
    this.#handler = handler;
    this.#directly = new Directly(handler, spec.groupName);
    const periodMs = Math.max(10, Math.min(60_000, spec.consumeTimeoutMs / 2));
    this.#sweep = network.platform.clock.every(periodMs, () => this.#expire());
  }

  found(queue: ProcessQueue, messages: readonly ReceivedMessage[]): void {
    this.#ready.add(queue, messages);
    this.#next();
  }

  settle(queue: ProcessQueue, message: ReceivedMessage, outcome: Outcome): Promise<void> {
    return this.#settling.finishNow(queue, message, outcome) ? DONE : this.#giveBack(queue, message, outcome);
  }

  direct(message: ReceivedMessage): Promise<DirectResult> {
    return this.#directly.consume(message);
  }

  settledDirectly(message: ReceivedMessage, outcome: Outcome): void {
    this.#directly.settled(message, outcome);
  }

  drain(): Promise<void> {
    this.#closing = true;
    if (this.#runs.size === 0) return DONE;
    return new Promise((resolve) => this.#drained = resolve);
  }

  stop(): void {
    this.#closing = true;
    this.#sweep.cancel();
    for (const { context } of this.#runs) context.abort();
  }

  #next(): void {
    while (!this.#closing && this.#runs.size < this.#spec.concurrency) {
      const next = this.#ready.take();
      if (next === null) return;
      void this.#run(next.queue, next.message);
    }
  }

  async #run(queue: ProcessQueue, message: ReceivedMessage): Promise<void> {
    const { clock } = this.#network.platform;
    const { groupName } = this.#spec;
    const context = new Context(groupName);
    const ended = watched(this.#watching, message, groupName);
    const startedUs = clock.monotonicUs();
    const run: Run = { queue, message, context, startedUs, ended, over: false, expiring: false };
    this.#runs.add(run);
    queue.begin();
    try {
      await this.#handler(message, context);
      if (!run.over) await message.ack();
      ended({ messageId: message.messageId });
    } catch (error) {
      ended({ messageId: message.messageId, error });
      if (!run.over) await message.failed(error);
    }
    this.#over(run);
  }

  #over(run: Run): void {
    if (run.over) return;
    run.over = true;
    this.#runs.delete(run);
    run.queue.end();
    if (this.#runs.size === 0) this.#drained?.();
    this.#next();
  }

  async #giveBack(queue: ProcessQueue, message: ReceivedMessage, outcome: Outcome): Promise<void> {
    if (await this.#settling.giveBack(queue, message, outcome) || this.#closing) return;
    message.again();
    this.#network.platform.clock.setTimer(AGAIN_MS, () => this.found(queue, [message]));
  }

  /** A handler that does not end keeps neither its place nor the offsets of its queue. (cleanExpireMsg) */
  #expire(): void {
    const nowUs = this.#network.platform.clock.monotonicUs();
    for (const run of [...this.#runs]) {
      if (nowUs - run.startedUs < this.#spec.consumeTimeoutMs * 1000) break;
      if (run.expiring) continue;
      run.expiring = true;
      run.context.abort();
      void this.#settling.expire(run.queue, run.message).then((done) => {
        run.expiring = false;
        if (done) this.#over(run);
      });
    }
  }
}
