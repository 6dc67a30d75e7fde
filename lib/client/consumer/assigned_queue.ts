import { ClientError } from "../client_error.ts";
import { Message } from "../message.ts";
import type { Network, SubscriptionData } from "../network/network.ts";
import type { MessageQueue } from "../network/route.ts";
import { pull } from "./pull_request.ts";

/** How long brokers wait for a message, ms. (brokerSuspendMaxTimeMillis) */
const SUSPEND_MS = 20_000;

/** A queue that is read by hand, and what was read ahead of it: the answer to one pull. */
export class AssignedQueue {
  readonly queue: MessageQueue;
  readonly subscription: SubscriptionData;
  /** Offset of the message that is given next. */
  position: number;
  /** Where the next pull begins. */
  nextOffset: number;
  preferredBroker = 0;
  #messages: readonly Message[] = [];
  #at = 0;
  #error: unknown = null;
  /** The pull that is under way; aborted when its answer would be of no use. */
  #fetching: AbortController | null = null;

  constructor(queue: MessageQueue, subscription: SubscriptionData, position: number) {
    this.queue = queue;
    this.subscription = subscription;
    this.position = this.nextOffset = position;
  }

  /** Goes on at another offset; what was read ahead is forgotten. */
  seek(offset: number): void {
    this.close();
    this.position = this.nextOffset = offset;
  }

  /** Up to `most` messages. */
  take(most: number): readonly Message[] {
    const messages = this.#messages.slice(this.#at, this.#at + most);
    this.#at += messages.length;
    const left = this.#messages[this.#at];
    if (messages.length > 0 || left === undefined) this.position = left?.offset ?? this.nextOffset;
    return messages;
  }

  /** What the last pull failed with, once. */
  takeError(): unknown {
    const error = this.#error;
    this.#error = null;
    return error;
  }

  /** The signal of a pull that is to be made now; null when there is no need for one. */
  begin(): AbortController | null {
    if (this.#fetching !== null || this.#at < this.#messages.length || this.#error !== null) return null;
    return this.#fetching = new AbortController();
  }

  /** What the pull found; an aborted one has found nothing. */
  end(pulling: AbortController, messages: readonly Message[], next: number, error: unknown): void {
    if (this.#fetching !== pulling) return;
    this.#fetching = null;
    this.#error = error;
    this.#messages = messages;
    this.#at = 0;
    this.nextOffset = next;
    if (messages.length === 0) this.position = next;
  }

  /** Forgets what was read ahead. */
  close(): void {
    this.#fetching?.abort();
    this.#fetching = null;
    this.#error = null;
    this.#messages = [];
    this.#at = 0;
  }
}

/** Pulls from the queue unless it has messages; `ended` is called when there is something to look at. */
export function fetchFrom(
  network: Network,
  { group, most }: { group: string; most: number },
  assigned: AssignedQueue,
  ended: () => void,
): void {
  const pulling = assigned.begin();
  if (pulling === null) return;
  const { queue, subscription, nextOffset, preferredBroker } = assigned;
  pull(network, {
    group,
    queue,
    offset: nextOffset,
    subscription,
    tellsFilter: true,
    most,
    suspendMs: SUSPEND_MS,
    commit: null,
    preferredBroker,
    signal: pulling.signal,
  }, (topic, body, properties, source) => new Message(topic, body, properties, source)).then((pulled) => {
    assigned.preferredBroker = pulled.preferredBroker;
    assigned.end(pulling, pulled.messages, pulled.next, null);
  }, (error) => {
    const lost = error instanceof ClientError && (error.code === "BROKER_UNREACHABLE" || error.code === "TIMEOUT");
    if (lost) network.routes.refresh(queue.topic).catch(() => null);
    assigned.end(pulling, [], nextOffset, error);
  }).finally(ended);
}
