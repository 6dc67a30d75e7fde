import { bytesOf, type ProcessQueue } from "./process_queue.ts";
import type { ReceivedMessage } from "./received_message.ts";

/** Bounds of what was read and is not settled. */
export interface FlowLimits {
  /** Messages of one queue. (pullThresholdForQueue) */
  readonly queueMessages: number;
  /** Bytes of one queue. (pullThresholdSizeForQueue) */
  readonly queueBytes: number;
  /** Offsets between the first and the last message of one queue. (consumeConcurrentlyMaxSpan) */
  readonly queueSpan: number;
  /** Bytes of all queues; a queue without a message may always read. */
  readonly allBytes: number;
}

/** Pulls of so many messages are worth their while. */
const WORTHWHILE = 32;

/** Lets queues wait until there is room for more of their messages. */
export class Flow {
  readonly #limits: FlowLimits;
  #bytes = 0;
  /** Queues that wait for room of their own. */
  readonly #waiting = new Map<ProcessQueue, () => void>();
  /** Queues that wait for room of all. */
  readonly #waitingForAll = new Set<() => void>();

  constructor(limits: FlowLimits) {
    this.#limits = limits;
  }

  /** Bytes of all queues. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many messages the next pull may bring. */
  most(queue: ProcessQueue, pullBatch: number): number {
    return Math.max(1, Math.min(pullBatch, this.#limits.queueMessages - queue.count));
  }

  /** Counts messages that were read. */
  add(messages: readonly ReceivedMessage[]): void {
    for (const message of messages) this.#bytes += bytesOf(message);
  }

  /** A message of the queue was taken out. */
  freed(queue: ProcessQueue, message: ReceivedMessage): void {
    this.#free(bytesOf(message));
    if (this.#waiting.size > 0 && !this.#full(queue, this.#few)) this.#wake(queue);
  }

  /** The queue is gone with all its messages. */
  gone(queue: ProcessQueue): void {
    this.#free(queue.bytes);
    this.#wake(queue);
  }

  /** Resolves when the queue may read on, or has been told to stop. */
  async room(queue: ProcessQueue): Promise<void> {
    const { signal } = queue.gone;
    while (!signal.aborted) {
      if (this.#full(queue, this.#limits.queueMessages)) {
        await this.#until((run) => this.#waiting.set(queue, run), signal);
      } else if (this.#bytes >= this.#limits.allBytes && queue.count > 0) {
        await this.#until((run) => this.#waitingForAll.add(run), signal);
      } else return;
    }
    this.#waiting.delete(queue);
  }

  get #few(): number {
    const { queueMessages } = this.#limits;
    return Math.max(queueMessages - WORTHWHILE, queueMessages >> 1, 1);
  }

  #full(queue: ProcessQueue, messages: number): boolean {
    const { queueBytes, queueSpan } = this.#limits;
    return queue.count >= messages || queue.bytes >= queueBytes || queue.span >= queueSpan;
  }

  #free(bytes: number): void {
    this.#bytes -= bytes;
    if (this.#waitingForAll.size === 0 || this.#bytes >= this.#limits.allBytes) return;
    const all = [...this.#waitingForAll];
    this.#waitingForAll.clear();
    for (const run of all) run();
  }

  #wake(queue: ProcessQueue): void {
    const run = this.#waiting.get(queue);
    this.#waiting.delete(queue);
    run?.();
  }

  #until(register: (run: () => void) => void, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const run = (): void => {
        signal.removeEventListener("abort", run);
        this.#waitingForAll.delete(run);
        resolve();
      };
      signal.addEventListener("abort", run, { once: true });
      register(run);
    });
  }
}
