/** Everything that a broker keeps for later, under way at once: timers, delay levels, transactions, retries, dead letters. */
import type { Platform } from "@rmq/platform";
import type { RemotingClient } from "@rmq/remoting";
import { Consumer } from "./consumer.ts";
import { type Entry, Ledger, type LedgerOptions } from "./ledger.ts";
import { Producer, type Saying } from "./producer.ts";
import { quietClient } from "./wire.ts";

const TOPIC = "Work";
const QUEUES = 2;
const CONSUMERS = "workers";
const MAX_RECONSUME_TIMES = 3;

/** What the broker has to be started with: delays that a test can wait for. */
export const messagingConfig: Readonly<Record<string, string>> = {
  messageDelayLevel: "1s 3s 1s 2s 3s 2s 1s 2s 1s 2s 1s 2s 1s 2s 1s 2s 1s 2s",
  transactionTimeOut: "1000",
  transactionCheckInterval: "1000",
};
const LEVELS_MS = messagingConfig.messageDelayLevel.split(" ").map((text) => Number(text.slice(0, -1)) * 1000);

/** What a run is about. */
export interface MessagingOptions extends Pick<LedgerOptions, "toleranceMs" | "mayCheckEnded"> {
  /** Farthest timer, ms. */
  readonly longestMs?: number;
  /** Some transactions are delayed after their commit. Apache's broker loses them, and its client sends none. */
  readonly delayedTransactions?: boolean;
}

/** A load and its checker; outlives the broker that it runs against. */
export class Messaging {
  readonly ledger: Ledger;
  readonly #platform: Platform;
  readonly #options: MessagingOptions;
  readonly #producer: Producer;
  readonly #consumer: Consumer;
  #client: RemotingClient | null = null;

  constructor(platform: Platform, options: MessagingOptions = {}) {
    const { clock, random } = platform;
    this.#platform = platform;
    this.#options = options;
    const { toleranceMs, mayCheckEnded } = options;
    const ledger = this.ledger = new Ledger({
      topic: TOPIC,
      group: CONSUMERS,
      levelsMs: LEVELS_MS,
      maxReconsumeTimes: MAX_RECONSUME_TIMES,
      toleranceMs,
      mayCheckEnded,
    });
    this.#producer = new Producer({
      clock,
      random,
      ledger,
      topic: TOPIC,
      queues: QUEUES,
      group: "makers",
      levelsMs: LEVELS_MS,
    });
    this.#consumer = new Consumer({
      clock,
      ledger,
      group: CONSUMERS,
      maxReconsumeTimes: MAX_RECONSUME_TIMES,
      topics: [
        { topic: TOPIC, queues: QUEUES },
        { topic: `%RETRY%${CONSUMERS}`, queues: 1 },
        { topic: `%DLQ%${CONSUMERS}`, queues: 1 },
      ],
    });
  }

  /** Works with the broker at `address`; `again`: its consumer reads everything from the beginning. */
  connect(address: string, again: boolean): void {
    this.disconnect();
    const client = this.#client = quietClient(this.#platform, new Map(this.#producer.handlers()));
    this.#producer.begin(client, address);
    this.#consumer.begin(client, address, again);
  }

  disconnect(): void {
    this.#producer.end();
    this.#consumer.end();
    this.#client?.close();
    this.#client = null;
  }

  /** One message more, of any kind. */
  add(): void {
    const { longestMs = 15_000, delayedTransactions = true } = this.#options;
    const { random } = this.#platform;
    const kind = random.below(100);
    const about = this.#fate();
    if (kind < 25) {
      const saying = (["at once", "at once", "later", "when asked"] as const)[random.below(4)] satisfies Saying;
      const decision = random.below(2) === 0 ? "commit" : "rollback";
      const level = random.below(5) === 0 && delayedTransactions ? 1 + random.below(2) : 0;
      void this.#producer.transaction(about, decision, saying, level);
    } else if (kind < 55) {
      const property = (["TIMER_DELAY_SEC", "TIMER_DELAY_MS", "TIMER_DELIVER_MS"] as const)[random.below(3)];
      this.#producer.timer(about, 1 + random.below(random.below(2) === 0 ? 3000 : longestMs), property);
    } else if (kind < 80) this.#producer.send(about, 1 + random.below(4));
    else this.#producer.send(about, 0, random.below(2000));
  }

  /** How the consumer will fare with it: most are consumed at once, some after tries, a few never. */
  #fate(): Partial<Entry> {
    const { random } = this.#platform;
    if (random.below(100) >= 30) return {};
    const fails = 1 + random.below(MAX_RECONSUME_TIMES + 1);
    return { fails, retryLevel: [0, 0, 0, 1, 2, -1][random.below(6)] };
  }
}
