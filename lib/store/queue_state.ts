/**
 * What the rest of the system keeps of one queue of a topic.
 *
 * @module
 */

/**
 * One `topic@queueId` of this broker: its name and where it stands. Offsets are logical (messages, not bytes).
 * The object is cheap to keep and stays the same for the life of the queue, until its topic is deleted (Apache: `ConsumeQueueInterface`).
 */
export interface QueueState {
  /** Name of the topic. */
  readonly topic: string;
  /** UTF-8 of `topic`. */
  readonly topicBytes: Uint8Array;
  /** Number of the queue within the topic. */
  readonly queueId: number;
  /** Next logical offset to assign to an append; at least `max`. Set by the log only. */
  nextOffset: number;
  /** One past the newest visible message. */
  readonly max: number;
  /** First message that is still in the log; equal to `max` when there is none. */
  readonly min: number;
  /** Removed with its topic: it stays empty, and what is stored under its name since is in another object. */
  readonly deleted: boolean;
}
