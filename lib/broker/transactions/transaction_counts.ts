import type { Clock, Logger, Timer } from "@rmq/platform";
import type { TextFile } from "../durable_text.ts";
import { TopicCounts } from "../topic_counts.ts";

/** What the counts are made of. */
export interface TransactionCountsOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings: { readonly transactionMetricFlushInterval: number };
  /** config/transactionMetrics */
  readonly file: TextFile;
}

/** How many transactions of each topic are open: config/transactionMetrics, written each transactionMetricFlushInterval. */
export class TransactionCounts extends TopicCounts {
  readonly #timer: Timer;

  constructor({ clock, logger, file, settings }: TransactionCountsOptions) {
    super(clock, logger, file, "transactionCount");
    this.#timer = clock.every(settings.transactionMetricFlushInterval, () => this.save());
  }

  /** Writes what changed since the last write, and no more after it. */
  override close(done: () => void): void {
    this.#timer.cancel();
    super.close(done);
  }
}
