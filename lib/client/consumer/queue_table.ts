import type { Network, SubscriptionData } from "../network/network.ts";
import type { MessageQueue } from "../network/route.ts";
import type { Committer } from "./committer.ts";
import { startOffset } from "./consume_from.ts";
import type { Flow } from "./flow.ts";
import { keyOf } from "./local_offsets.ts";
import { ProcessQueue } from "./process_queue.ts";
import { byBroker, type QueueLocks } from "./queue_locks.ts";
import type { ConsumerSpec } from "./spec.ts";
import { within } from "./within.ts";

/** A lock is given up under a handler that has not ended by then, ms. (UNLOCK_DELAY_TIME_MILLS) */
const UNLOCK_LATEST_MS = 20_000;
/** How long a reset waits for handlers, ms. (RESET_OFFSET_MAX_WAIT) */
const RESET_WAIT_MS = 10_000;

/** What the table needs of its consumer. */
export interface QueueTableParts {
  readonly network: Network;
  readonly spec: ConsumerSpec;
  readonly committer: Committer;
  readonly flow: Flow;
  /** Null when no locks are needed. */
  readonly locks: QueueLocks | null;
  /** A queue was taken up. */
  readonly added: (queue: ProcessQueue) => void;
}

/** The queues that this member reads. (processQueueTable) */
export class QueueTable {
  readonly #parts: QueueTableParts;
  readonly #queues = new Map<string, ProcessQueue>();
  /** Given up, and not handed over yet. */
  readonly #leaving = new Map<string, Promise<void>>();
  #closed = false;

  constructor(parts: QueueTableParts) {
    this.#parts = parts;
  }

  /** All that are read. */
  get queues(): ProcessQueue[] {
    return [...this.#queues.values()];
  }

  /** Takes up and gives up queues of a topic; false when some could not be taken up yet. (updateProcessQueueTableInRebalance) */
  async assign(subscription: SubscriptionData, wanted: readonly MessageQueue[]): Promise<boolean> {
    const keys = new Set(wanted.map(keyOf));
    for (const [key, queue] of [...this.#queues]) {
      if (queue.queue.topic === subscription.topic && !keys.has(key)) this.#giveUp(key, queue, true);
    }
    const missing = wanted.filter((queue) => !this.#queues.has(keyOf(queue)));
    const free = missing.filter((queue) => !this.#leaving.has(keyOf(queue)));
    const held = await this.#locked(free);
    const taken = await Promise.all(held.map((queue) => this.#takeUp(queue, subscription)));
    return held.length === missing.length && taken.every((each) => each);
  }

  /** Notes how far the group is in each queue. */
  note(): void {
    for (const { queue, commitOffset } of this.#queues.values()) this.#parts.committer.set(queue, commitOffset);
  }

  /** Locks all anew; queues whose locks are gone are given up. (lockAll) */
  async renewLocks(): Promise<void> {
    const { locks, network } = this.#parts;
    if (locks === null) return;
    await Promise.all(
      byBroker(this.queues.map(({ queue }) => queue)).map(async (queues) => {
        const nowMs = network.platform.clock.monotonicUs() / 1000;
        const held = await locks.lock(queues).catch(() => null);
        if (held === null) return;
        const keys = new Set(held.map(keyOf));
        for (const queue of queues) {
          const own = this.#queues.get(keyOf(queue));
          if (own === undefined) continue;
          if (keys.has(keyOf(queue))) own.lockedAtMs = nowMs;
          else this.#giveUp(keyOf(queue), own, false);
        }
      }),
    );
  }

  /** The queue is begun again at `next`, by the next sharing out. */
  async restart(queue: ProcessQueue, next: number): Promise<void> {
    const key = keyOf(queue.queue);
    if (this.#queues.get(key) !== queue) return;
    this.#drop(key, queue);
    this.#parts.committer.set(queue.queue, next);
    await this.#parts.committer.save([queue.queue]);
  }

  /** Begins these queues at other offsets, once their handlers have ended. (MQClientInstance.resetOffset) */
  async reset(offsets: ReadonlyMap<string, number>): Promise<void> {
    const { clock } = this.#parts.network.platform;
    await Promise.all([...offsets].map(async ([key, offset]) => {
      const queue = this.#queues.get(key);
      if (queue === undefined) return;
      queue.drop();
      await within(clock, RESET_WAIT_MS, queue.idle());
      await this.restart(queue, offset);
    }));
  }

  /** Reads no more; what was handed out can still be settled. */
  stop(): void {
    this.#closed = true;
    for (const queue of this.#queues.values()) queue.gone.abort();
  }

  /** Gives up all queues and their locks. */
  async close(): Promise<void> {
    const { committer, locks } = this.#parts;
    this.note();
    await committer.save();
    const queues = this.queues.map(({ queue }) => queue);
    for (const [key, queue] of [...this.#queues]) this.#drop(key, queue);
    if (locks !== null) await Promise.all(byBroker(queues).map((each) => locks.unlock(each).catch(() => {})));
  }

  async #takeUp(queue: MessageQueue, subscription: SubscriptionData): Promise<boolean> {
    const { network, spec, committer, locks, added } = this.#parts;
    const lockedAtMs = network.platform.clock.monotonicUs() / 1000;
    try {
      const committed = await committer.load(queue);
      const start = await startOffset(network, queue, committed, spec.from);
      if (this.#closed) return true;
      const own = new ProcessQueue(queue, subscription, start);
      if (locks !== null) own.lockedAtMs = lockedAtMs;
      if (committed !== null) committer.begin(queue, committed);
      this.#queues.set(keyOf(queue), own);
      added(own);
      return true;
    } catch (error) {
      const { topic, brokerName, queueId } = queue;
      network.logger.warn("a queue could not be begun", { topic, brokerName, queueId, error: String(error) });
      return false;
    }
  }

  /** Those of the queues that may be read: all, or those that are locked now. */
  async #locked(queues: readonly MessageQueue[]): Promise<MessageQueue[]> {
    const { locks } = this.#parts;
    if (locks === null || queues.length === 0) return [...queues];
    const held = await Promise.all(byBroker(queues).map((each) => locks.lock(each).catch(() => [])));
    return held.flat();
  }

  #drop(key: string, queue: ProcessQueue): void {
    queue.drop();
    if (this.#queues.get(key) !== queue) return;
    this.#queues.delete(key);
    this.#parts.flow.gone(queue);
  }

  #giveUp(key: string, queue: ProcessQueue, unlock: boolean): void {
    this.#drop(key, queue);
    const leaving = this.#leave(queue, unlock).finally(() => this.#leaving.delete(key));
    this.#leaving.set(key, leaving);
  }

  /** Another member begins where this one says that it was, and in order only when its handler has ended. */
  async #leave(queue: ProcessQueue, unlock: boolean): Promise<void> {
    const { committer, locks, network: { platform } } = this.#parts;
    if (locks !== null && queue.busy) await within(platform.clock, UNLOCK_LATEST_MS, queue.idle());
    committer.set(queue.queue, queue.commitOffset);
    await committer.leave(queue.queue);
    if (locks !== null && unlock) await locks.unlock([queue.queue]).catch(() => {});
  }
}
