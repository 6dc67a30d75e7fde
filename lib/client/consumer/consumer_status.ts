import type { MessageQueue } from "../network/route.ts";
import type { PushConsumer } from "./push_consumer.ts";

/** What a consumer is doing now. */
export interface ConsumerStatus {
  /** With the namespace. */
  readonly group: string;
  /** Bytes of what was read and is not settled. */
  readonly bufferedBytes: number;
  /** The queues that are read here, topics with the namespace. */
  readonly queues: readonly QueueStatus[];
}

/** Where a consumer is in one queue. */
export interface QueueStatus {
  /** With the namespace. */
  readonly queue: MessageQueue;
  /** Messages that were read and are not settled. */
  readonly buffered: number;
  /** All before this offset are settled. */
  readonly committed: number;
  /** Where the next pull begins. */
  readonly next: number;
  /** When it was last asked for messages, ms since 1970; 0: never. */
  readonly lastPullAt: number;
  /** When one of its messages was last settled, ms since 1970; 0: never. */
  readonly lastConsumedAt: number;
}

/** Gathers it. */
export function consumerStatus({ spec, flow, table }: PushConsumer): ConsumerStatus {
  return {
    group: spec.group,
    bufferedBytes: flow.bytes,
    queues: table.queues.map((own) => ({
      queue: own.queue,
      buffered: own.count,
      committed: own.commitOffset,
      next: own.nextOffset,
      lastPullAt: own.lastPullMs,
      lastConsumedAt: own.lastConsumeMs,
    })),
  };
}
