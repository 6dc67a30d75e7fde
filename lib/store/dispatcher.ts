import { javaHashBytes, SCHEDULE_TOPIC, StoredMessage } from "@rmq/protocol";
import type { ConsumeQueues } from "./consume_queues.ts";
import type { DispatchEntry, Follower } from "./dispatch.ts";
import type { QueueState } from "./queue_state.ts";

const INNER_BATCH_FLAG = 0x80;
const TRANSACTION_MASK = 0xc;
const TRANSACTION_PREPARED = 0x4;
const TRANSACTION_ROLLBACK = 0xc;

/** Apache's delay for a level that is not in the table (`computeDeliverTimestamp`). */
const UNKNOWN_LEVEL_MS = 1000;

class Entry implements DispatchEntry {
  readonly message: StoredMessage = new StoredMessage();
  queue: QueueState | null = null;
  tagsHigh = 0;
  tagsLow = 0;
  batchCount = 1;
}

/** Turns log entries into what followers take: the queue, the tags code and how many queue offsets an entry fills. */
export class Dispatcher {
  /** The entry being handed out; reused. */
  readonly entry: DispatchEntry;
  readonly #entry = new Entry();

  constructor(
    private readonly queues: ConsumeQueues,
    private readonly followers: readonly Follower[],
    private readonly delayTimesMs: readonly number[],
  ) {
    this.entry = this.#entry;
  }

  /** The view that the caller parses the next entry into. */
  get message(): StoredMessage {
    return this.#entry.message;
  }

  /** Completes the entry that was parsed into `message`. */
  prepare(): void {
    const entry = this.#entry;
    const message = entry.message;
    message.scanProperties();
    const queue = entry.queue = isUnqueued(message.sysFlag)
      ? null
      : this.queues.find(message.bytes, message.topicStart, message.topicEnd, message.queueId);
    const hash = message.tagsEnd > message.tagsStart
      ? javaHashBytes(message.bytes, message.tagsStart, message.tagsEnd)
      : 0;
    entry.tagsLow = hash;
    entry.tagsHigh = hash < 0 ? -1 : 0;
    entry.batchCount = (message.sysFlag & INNER_BATCH_FLAG) === 0 ? 1 : this.#innerNumber();
    if (queue !== null && queue.topic === SCHEDULE_TOPIC) this.#setDeliverTime();
  }

  /** Hands the prepared entry to all followers. */
  deliver(): void {
    const followers = this.followers;
    for (let i = 0; i < followers.length; i++) followers[i].take(this.#entry);
  }

  #innerNumber(): number {
    const count = Number(this.message.property("INNER_NUM") ?? "1");
    return Number.isInteger(count) && count > 0 ? count : 1;
  }

  #setDeliverTime(): void {
    const text = this.message.property("DELAY");
    if (text === null || !/^[+-]?\d{1,9}$/.test(text)) return;
    const level = Math.min(Number(text), this.delayTimesMs.length);
    if (level <= 0) return;
    const time = this.message.storeTimestamp + (this.delayTimesMs[level - 1] ?? UNKNOWN_LEVEL_MS);
    this.#entry.tagsHigh = Math.floor(time / 0x1_0000_0000);
    this.#entry.tagsLow = time | 0;
  }
}

/** Whether an entry takes no queue offset of its own: prepared and rollback transaction entries. */
export function isUnqueued(sysFlag: number): boolean {
  const transaction = sysFlag & TRANSACTION_MASK;
  return transaction === TRANSACTION_PREPARED || transaction === TRANSACTION_ROLLBACK;
}
