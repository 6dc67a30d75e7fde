import type { Network } from "../network/network.ts";
import type { MessageQueue } from "../network/route.ts";
import { commitOffset, committedOffset } from "./queue_offsets.ts";

/** How far a group is in one queue. */
export interface CommittedOffset {
  /** With the namespace. */
  readonly queue: MessageQueue;
  /** The next message to be consumed. */
  readonly offset: number;
}

/**
 * Keeps how far a group is, in place of the brokers: a table of the application's database, for one. `group` and the
 * queues' topics are with the namespace.
 */
export interface OffsetStore {
  /** The offset that was saved last, or null when there is none. */
  load(group: string, queue: MessageQueue): Promise<number | null>;
  /** Saves; the same queue is never saved twice at a time. */
  save(group: string, offsets: readonly CommittedOffset[]): Promise<void>;
}

/** The brokers keep offsets. (RemoteBrokerOffsetStore) */
export class BrokerOffsets implements OffsetStore {
  readonly #network: Network;

  constructor(network: Network) {
    this.#network = network;
  }

  load(group: string, queue: MessageQueue): Promise<number | null> {
    return committedOffset(this.#network, group, queue, false);
  }

  async save(group: string, offsets: readonly CommittedOffset[]): Promise<void> {
    const ends = await Promise.allSettled(
      offsets.map(({ queue, offset }) => commitOffset(this.#network, group, queue, offset)),
    );
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  }
}
