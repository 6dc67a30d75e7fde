import type { Logger } from "@rmq/platform";
import type { Handler } from "@rmq/remoting";
import type { BrokerState } from "../state.ts";
import { EndTransaction } from "./end_transaction.ts";
import { HalfChecks } from "./half_checks.ts";
import { HalfQueue } from "./half_queue.ts";
import { OpMessages } from "./op_messages.ts";
import { resumeCheckHandler } from "./resume_check.ts";

/** At the end, what a look through the queue has under way gets so long to become safe, ms. */
const CLOSE_PATIENCE_MS = 1000;

/**
 * Transactions of a broker: their ends (37), and the checks of those that stay open. Half messages come in by way of the
 * rewriters; how far they were looked through is kept in consumerOffset.json, what has ended in the op topic.
 */
export class Transactions {
  readonly #halves: HalfQueue;
  readonly #ops: OpMessages;
  readonly #ending: EndTransaction;
  readonly #checks: HalfChecks;

  constructor(private readonly state: BrokerState, logger: Logger = state.logger) {
    const { platform, store, offsets, transactionCounts: counts } = state;
    this.#halves = new HalfQueue({ clock: platform.clock, logger, store, offsets });
    this.#ops = new OpMessages(state);
    this.#ending = new EndTransaction(state, this.#halves, this.#ops, counts);
    this.#checks = new HalfChecks(state, this.#halves, this.#ending, counts);
    state.topics.onChange((topics) => {
      for (const topic of topics) if (topic.deleted) counts.remove(topic.name);
    });
  }

  /** The requests about transactions. */
  handlers(): [code: number, handler: Handler][] {
    return [...this.#ending.handlers(), resumeCheckHandler(this.state, this.state.transactionCounts)];
  }

  /** Reads what has ended, then begins to check the others. */
  start(): void {
    this.#halves.load(() => {
      this.#ending.start();
      this.#checks.start();
    });
  }

  /** Checks nothing more; `done` when what is under way is safe. To be closed before the offsets are. */
  close(done: () => void): void {
    this.#halves.close();
    this.#ops.close();
    this.#checks.close(CLOSE_PATIENCE_MS, () => this.state.transactionCounts.close(done));
  }
}
