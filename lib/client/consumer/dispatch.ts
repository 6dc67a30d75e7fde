import type { ProcessQueue } from "./process_queue.ts";
import type { Outcome, ReceivedMessage } from "./received_message.ts";

/** How a message ended that an operator had consumed (309). (CMResult) */
export type DirectResult =
  | { readonly result: "CR_SUCCESS" | "CR_LATER" }
  | { readonly result: "CR_THROW_EXCEPTION"; readonly remark: string };

/** Hands messages to the application and learns what becomes of them. */
export interface Dispatch {
  /** Messages that were read, at the end of those that the queue has already. */
  found(queue: ProcessQueue, messages: readonly ReceivedMessage[]): void;
  /** What becomes of a message; never rejects. */
  settle(queue: ProcessQueue, message: ReceivedMessage, outcome: Outcome): Promise<void>;
  /** One message besides all others, for an operator. */
  direct(message: ReceivedMessage): Promise<DirectResult>;
  /** What became of a message that was given to `direct`. */
  settledDirectly(message: ReceivedMessage, outcome: Outcome): void;
  /** Hands out no more; resolves when what was handed out is settled. */
  drain(): Promise<void>;
  /** Gives up what is still out. */
  stop(): void;
}

/** Messages that one pull found. */
interface Batch {
  readonly queue: ProcessQueue;
  readonly messages: readonly ReceivedMessage[];
}

/** Messages that wait to be handed out, as they came. */
export class Ready {
  #batches: (Batch | null)[] = [];
  /** The batch that is being handed out, and how far. */
  #head = 0;
  #at = 0;

  /** Adds at the end. */
  add(queue: ProcessQueue, messages: readonly ReceivedMessage[]): void {
    this.#batches.push({ queue, messages });
  }

  /** Takes the next that is still wanted, and null when there is none. */
  take(): { queue: ProcessQueue; message: ReceivedMessage } | null {
    for (;;) {
      const batch = this.#batches[this.#head];
      if (batch === undefined || batch === null) return null;
      if (batch.queue.dropped || this.#at === batch.messages.length) {
        this.#next();
        continue;
      }
      const message = batch.messages[this.#at++];
      if (!message.settled) return { queue: batch.queue, message };
    }
  }

  /** What is handed out is not held any longer than it must. */
  #next(): void {
    this.#batches[this.#head++] = null;
    this.#at = 0;
    if (this.#head < this.#batches.length && this.#head < 64) return;
    this.#batches = this.#batches.slice(this.#head);
    this.#head = 0;
  }
}
