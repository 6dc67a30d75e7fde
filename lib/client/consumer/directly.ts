import { Context, type Handler } from "./handler.ts";
import type { DirectResult } from "./dispatch.ts";
import type { Outcome, ReceivedMessage } from "./received_message.ts";

/** Calls a handler for a message that an operator wants consumed, whatever else goes on. (consumeMessageDirectly) */
export class Directly {
  readonly #handler: Handler;
  readonly #group: string;
  readonly #outcomes = new WeakMap<ReceivedMessage, Outcome>();

  constructor(handler: Handler, group: string) {
    this.#handler = handler;
    this.#group = group;
  }

  /** Resolves when the handler is through. */
  async consume(message: ReceivedMessage): Promise<DirectResult> {
    try {
      await this.#handler(message, new Context(this.#group));
    } catch (error) {
      return { result: "CR_THROW_EXCEPTION", remark: String(error) };
    }
    const outcome = this.#outcomes.get(message);
    return { result: outcome === undefined || outcome.kind === "ack" ? "CR_SUCCESS" : "CR_LATER" };
  }

  /** What the handler said of it. */
  settled(message: ReceivedMessage, outcome: Outcome): void {
    this.#outcomes.set(message, outcome);
  }
}
