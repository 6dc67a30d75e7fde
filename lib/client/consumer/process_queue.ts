import type { SubscriptionData } from "../network/network.ts";
import type { MessageQueue } from "../network/route.ts";
import type { ReceivedMessage } from "./received_message.ts";

/** What a message takes besides its body: its header, its properties, its objects; a guess, bytes. */
const OVERHEAD_BYTES = 512;
/** Settled messages at the front are cut off when so many have gathered. */
const CUT_AT = 64;

/** What a message counts for in flow control, bytes. */
export function bytesOf(message: ReceivedMessage): number {
  return message.storedBytes + OVERHEAD_BYTES;
}

/** The messages of one queue that were read and are not settled yet, by offset. (ProcessQueue) */
export class ProcessQueue {
  readonly queue: MessageQueue;
  readonly subscription: SubscriptionData;
  /** Where the next pull begins. */
  nextOffset: number;
  /** True once another member reads the queue, or will. */
  dropped = false;
  /** When the broker last confirmed our lock, monotonic ms; null: not locked. */
  lockedAtMs: number | null = null;
  /** ms since 1970. */
  lastPullMs = 0;
  /** ms since 1970. */
  lastConsumeMs = 0;
  /** Which broker of the group answers pulls best, as it said. */
  preferredBroker = 0;
  /** Aborted when the queue is dropped. */
  readonly gone: AbortController = new AbortController();
  /** Handlers that have messages of the queue now. */
  #running = 0;
  readonly #onIdle: (() => void)[] = [];
  #messages: ReceivedMessage[] = [];
  #head = 0;
  #count = 0;
  #bytes = 0;

  constructor(queue: MessageQueue, subscription: SubscriptionData, nextOffset: number) {
    this.queue = queue;
    this.subscription = subscription;
    this.nextOffset = nextOffset;
  }

  /** Messages that are not settled. */
  get count(): number {
    return this.#count;
  }

  /** Their bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Offsets between the first and the last of them. */
  get span(): number {
    const first = this.first;
    return first === null ? 0 : this.#messages[this.#messages.length - 1].offset - first.offset;
  }

  /** The first that is not settled, or null. */
  get first(): ReceivedMessage | null {
    return this.#messages[this.#head] ?? null;
  }

  /** The last that was read, or null. */
  get last(): ReceivedMessage | null {
    return this.#count === 0 ? null : this.#messages[this.#messages.length - 1];
  }

  /** All before it is settled, or passed by the filter. */
  get commitOffset(): number {
    return this.first?.offset ?? this.nextOffset;
  }

  /** Takes what a pull found; `next` is where the one after it begins. */
  add(messages: readonly ReceivedMessage[], next: number): void {
    this.nextOffset = next;
    for (const message of messages) {
      this.#messages.push(message);
      this.#count++;
      this.#bytes += bytesOf(message);
    }
  }

  /** Takes a settled message out. `message.settled` must be true. */
  remove(message: ReceivedMessage): void {
    this.#count--;
    this.#bytes -= bytesOf(message);
    while (this.#head < this.#messages.length && this.#messages[this.#head].settled) this.#head++;
    if (this.#head === this.#messages.length) {
      this.#messages = [];
      this.#head = 0;
    } else if (this.#head >= CUT_AT && this.#head * 2 >= this.#messages.length) {
      this.#messages = this.#messages.slice(this.#head);
      this.#head = 0;
    }
  }

  /** Gives up the queue: nothing more is pulled, and what waits for a handler will not get one. */
  drop(): void {
    this.dropped = true;
    this.gone.abort();
  }

  /** A handler got a message of the queue. */
  begin(): void {
    this.#running++;
  }

  /** It is through with it. */
  end(): void {
    if (--this.#running > 0) return;
    for (const run of this.#onIdle.splice(0)) run();
  }

  /** Whether a handler has a message of the queue. */
  get busy(): boolean {
    return this.#running > 0;
  }

  /** Resolves when no handler has a message of the queue. */
  idle(): Promise<void> {
    if (this.#running === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.push(resolve));
  }
}
