import { javaHash } from "@rmq/protocol";
import { ClientError } from "../client_error.ts";
import type { MessageQueue, TopicRoute } from "../network/route.ts";
import type { BrokerFaults } from "./broker_faults.ts";
import type { QueueSelector } from "./outgoing.ts";

/** The queue for an order key. (SelectMessageQueueByHash) */
export function queueByHash(queues: readonly MessageQueue[], orderBy: string): MessageQueue {
  const value = javaHash(orderBy) % queues.length;
  return queues[Math.abs(value)];
}

/** Takes the queues of one topic in turn. (TopicPublishInfo.selectOneMessageQueue) */
export class QueueRotation {
  readonly #faults: BrokerFaults | null;
  #next: number;

  /** `start` is where it begins; `faults` null: no broker is passed over for being slow. */
  constructor(start: number, faults: BrokerFaults | null) {
    this.#next = start;
    this.#faults = faults;
  }

  /** The next queue; not of `lastBroker`, which has just failed, and not of a slow one, when there are others. */
  take(route: TopicRoute, lastBroker: string | null): MessageQueue {
    const { writeQueues } = route;
    if (writeQueues.length === 0) {
      throw new ClientError("NO_QUEUE", `topic ${route.topic} has no queue that can be written`);
    }
    const faults = this.#faults !== null && this.#faults.any ? this.#faults : null;
    if (lastBroker === null && faults === null) return this.#take(writeQueues);
    return this.#find(
      writeQueues,
      ({ brokerName }) => brokerName !== lastBroker && (faults === null || faults.available(brokerName)),
    ) ??
      this.#find(writeQueues, ({ brokerName }) => brokerName !== lastBroker) ?? this.#take(writeQueues);
  }

  #take(queues: readonly MessageQueue[]): MessageQueue {
    this.#next = (this.#next + 1) & 0x3fffffff;
    return queues[this.#next % queues.length];
  }

  #find(queues: readonly MessageQueue[], fits: (queue: MessageQueue) => boolean): MessageQueue | null {
    for (let i = 0; i < queues.length; i++) {
      const queue = this.#take(queues);
      if (fits(queue)) return queue;
    }
    return null;
  }
}

/** What decides on the queue of a message. */
export interface QueueWish {
  /** Takes the topic's queues in turn. */
  readonly rotation: QueueRotation;
  /** Messages with the same text go to the same queue. */
  readonly orderBy: string | null;
  /** The queue, or who picks it. */
  readonly queue: MessageQueue | QueueSelector | null;
}

/** The queue of a message. Throws ClientError `NO_QUEUE`. */
export function pickQueue(wish: QueueWish, route: TopicRoute, failedBroker: string | null): MessageQueue {
  const { queue, orderBy, rotation } = wish;
  if (orderBy === null && queue === null) return rotation.take(route, failedBroker);
  if (typeof queue === "object" && queue !== null) return queue;
  if (route.writeQueues.length === 0) {
    throw new ClientError("NO_QUEUE", `topic ${route.topic} has no queue that can be written`);
  }
  return queue === null ? queueByHash(route.writeQueues, orderBy ?? "") : queue(route.writeQueues);
}
