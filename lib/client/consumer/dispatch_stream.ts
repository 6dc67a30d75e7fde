import type { Timer } from "@rmq/platform";
import type { HookEnded } from "../hooks.ts";
import type { Network } from "../network/network.ts";
import { type DirectResult, type Dispatch, Ready } from "./dispatch.ts";
import { watched, type Watching } from "./handler.ts";
import type { ProcessQueue } from "./process_queue.ts";
import type { Outcome, ReceivedMessage } from "./received_message.ts";
import type { Settling } from "./settling.ts";
import type { ConsumerSpec } from "./spec.ts";

/** When a message is handed out again that could not be sent back, ms. */
const AGAIN_MS = 5000;
const DONE: Promise<void> = Promise.resolve();

interface Out {
  readonly queue: ProcessQueue;
  readonly startedUs: number;
  readonly ended: HookEnded;
  expiring: boolean;
}

/** Hands messages to whoever asks for the next one. */
export class StreamDispatch implements Dispatch {
  readonly #network: Network;
  readonly #spec: ConsumerSpec;
  readonly #settling: Settling;
  readonly #watching: Watching;
  readonly #ready = new Ready();
  /** Handed out and not settled, oldest first. */
  readonly #out = new Map<ReceivedMessage, Out>();
  readonly #asking: ((message: ReceivedMessage | null) => void)[] = [];
  /** What an operator wants consumed, before all others. */
  readonly #directs: ReceivedMessage[] = [];
  readonly #results = new Map<ReceivedMessage, (result: DirectResult) => void>();
  readonly #sweep: Timer;
  #closing = false;
  #drained: (() => void) | null = null;

  constructor(network: Network, spec: ConsumerSpec, settling: Settling) {
    this.#network = network;
    this.#spec = spec;
    this.#settling = settling;
    this.#watching = { hooks: network.options.hooks, logger: network.logger, trace: spec.trace };
    const periodMs = Math.max(10, Math.min(60_000, spec.consumeTimeoutMs / 2));
    this.#sweep = network.platform.clock.every(periodMs, () => this.#expire());
  }

  /** The next message; null when there will be none any more. */
  next(): Promise<ReceivedMessage | null> {
    if (this.#closing) return Promise.resolve(null);
    const direct = this.#directs.shift();
    if (direct !== undefined) return Promise.resolve(direct);
    return new Promise((resolve) => {
      this.#asking.push(resolve);
      this.#give();
    });
  }

  found(queue: ProcessQueue, messages: readonly ReceivedMessage[]): void {
    this.#ready.add(queue, messages);
    this.#give();
  }

  settle(queue: ProcessQueue, message: ReceivedMessage, outcome: Outcome): Promise<void> {
    const out = this.#end(message);
    if (outcome.kind === "ack") out?.ended({ messageId: message.messageId });
    else out?.ended({ messageId: message.messageId, error: outcome.why ?? new Error(outcome.kind) });
    return this.#settling.finishNow(queue, message, outcome) ? DONE : this.#giveBack(queue, message, outcome);
  }

  direct(message: ReceivedMessage): Promise<DirectResult> {
    return new Promise((resolve) => {
      this.#results.set(message, resolve);
      const asking = this.#asking.shift();
      if (asking !== undefined) asking(message);
      else this.#directs.push(message);
    });
  }

  settledDirectly(message: ReceivedMessage, outcome: Outcome): void {
    const resolve = this.#results.get(message);
    this.#results.delete(message);
    resolve?.({ result: outcome.kind === "ack" ? "CR_SUCCESS" : "CR_LATER" });
  }

  drain(): Promise<void> {
    this.#closing = true;
    for (const resolve of this.#asking.splice(0)) resolve(null);
    if (this.#out.size === 0) return DONE;
    return new Promise((resolve) => this.#drained = resolve);
  }

  stop(): void {
    void this.drain();
    this.#sweep.cancel();
  }

  #give(): void {
    while (!this.#closing && this.#asking.length > 0 && this.#out.size < this.#spec.concurrency) {
      const next = this.#ready.take();
      if (next === null) return;
      this.#begin(next.queue, next.message);
      this.#asking.shift()?.(next.message);
    }
  }

  #begin(queue: ProcessQueue, message: ReceivedMessage): void {
    const { clock } = this.#network.platform;
    const ended = watched(this.#watching, message, this.#spec.groupName);
    this.#out.set(message, { queue, startedUs: clock.monotonicUs(), ended, expiring: false });
    queue.begin();
  }

  #end(message: ReceivedMessage): Out | undefined {
    const out = this.#out.get(message);
    if (out === undefined) return undefined;
    this.#out.delete(message);
    out.queue.end();
    if (this.#out.size === 0) this.#drained?.();
    this.#give();
    return out;
  }

  async #giveBack(queue: ProcessQueue, message: ReceivedMessage, outcome: Outcome): Promise<void> {
    if (await this.#settling.giveBack(queue, message, outcome) || this.#closing) return;
    message.again();
    this.#network.platform.clock.setTimer(AGAIN_MS, () => this.found(queue, [message]));
  }

  #expire(): void {
    const nowUs = this.#network.platform.clock.monotonicUs();
    for (const [message, out] of [...this.#out]) {
      if (nowUs - out.startedUs < this.#spec.consumeTimeoutMs * 1000) break;
      if (out.expiring) continue;
      out.expiring = true;
      void this.#settling.expire(out.queue, message).then((done) => {
        out.expiring = false;
        if (done) this.#end(message)?.ended({ messageId: message.messageId, error: new Error("not settled in time") });
      });
    }
  }
}
