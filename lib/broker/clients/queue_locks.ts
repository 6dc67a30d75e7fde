import type { Clock } from "@rmq/platform";

/** A lock that is not renewed for so long is anybody's (`rocketmq.broker.rebalance.lockMaxLiveTime`). */
const LOCK_LIVE_US = 60_000_000;
/** Locks that may exist; beyond it expired ones are swept, and if none are, new ones refused. */
const MAX_LOCKS = 1_000_000;

/** A queue as clients name it. */
export interface MessageQueue {
  readonly topic: string;
  readonly brokerName: string;
  readonly queueId: number;
}

interface Lock {
  clientId: string;
  /** Monotonic, so that a clock that is set neither frees nor keeps queues. */
  renewedUs: number;
}

/** Who of a group consumes which queue in order (41, 42; `RebalanceLockManager`). */
export class QueueLocks {
  readonly #groups = new Map<string, Map<string, Lock>>();
  #count = 0;

  constructor(private readonly clock: Clock) {}

  /** Takes or renews what is free, expired or the client's own; answers which of `queues` it holds now. */
  lock(group: string, clientId: string, queues: readonly MessageQueue[]): MessageQueue[] {
    const now = this.clock.monotonicUs();
    return queues.filter((queue) => {
      const key = queueKey(queue);
      const lock = this.#groups.get(group)?.get(key);
      if (lock !== undefined) {
        if (lock.clientId !== clientId && !expired(lock, now)) return false;
        lock.clientId = clientId;
        lock.renewedUs = now;
        return true;
      }
      if (this.#count >= MAX_LOCKS && !this.#sweep(now)) return false;
      let locks = this.#groups.get(group);
      if (locks === undefined) this.#groups.set(group, locks = new Map());
      locks.set(key, { clientId, renewedUs: now });
      this.#count++;
      return true;
    });
  }

  /** Gives back those of `queues` that the client holds. */
  unlock(group: string, clientId: string, queues: readonly MessageQueue[]): void {
    const locks = this.#groups.get(group);
    if (locks === undefined) return;
    for (const queue of queues) {
      const key = queueKey(queue);
      if (locks.get(key)?.clientId !== clientId) continue;
      locks.delete(key);
      this.#count--;
    }
    if (locks.size === 0) this.#groups.delete(group);
  }

  /** Whether anybody of the group consumes a queue in order just now. */
  anyLocked(group: string): boolean {
    const now = this.clock.monotonicUs();
    for (const lock of this.#groups.get(group)?.values() ?? []) if (!expired(lock, now)) return true;
    return false;
  }

  /** Forgets expired locks; false: there were none. */
  #sweep(now: number): boolean {
    const before = this.#count;
    for (const [group, locks] of this.#groups) {
      for (const [key, lock] of locks) {
        if (!expired(lock, now)) continue;
        locks.delete(key);
        this.#count--;
      }
      if (locks.size === 0) this.#groups.delete(group);
    }
    return this.#count < before;
  }
}

function expired(lock: Lock, nowUs: number): boolean {
  return nowUs - lock.renewedUs > LOCK_LIVE_US;
}

function queueKey(queue: MessageQueue): string {
  return `${queue.queueId}@${queue.brokerName}@${queue.topic}`;
}
