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

/** Messages that wait to be handed out, as they came. */
export class Ready {
  readonly #batches: { readonly queue: ProcessQueue; readonly messages: readonly ReceivedMessage[] }[] = [];
  #at = 0;
  #head = 0;

  /** Adds at the end. */
  add(queue: ProcessQueue, messages: readonly ReceivedMessage[]): void {
    this.#batches.push({ queue, messages });
  }

  /** Takes the next that is still wanted, and null when there is none. */
  take(): { queue: ProcessQueue; message: ReceivedMessage } | null {
    while (this.#head < this.#batches.length) {
      const { queue, messages } = this.#batches[this.#head];
      if (queue.dropped || this.#at === messages.length) {
        this.#at = 0;
        this.#next();
        continue;
      }
      const message = messages[this.#at++];
      if (!message.settled) return { queue, message };
    }
    return null;
  }

  #next(): void {
    if (++this.#head < 64 && this.#head < this.#batches.length) return;
    this.#batches.splice(0, this.#head);
    this.#head = 0;
  }
}
