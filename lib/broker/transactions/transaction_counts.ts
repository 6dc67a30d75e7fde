import type { Clock, Logger, Timer } from "@rmq/platform";
import { type DataVersion, firstVersion, nextVersion, readVersion, versionJson } from "../data_version.ts";
import { DurableText, type TextFile } from "../durable_text.ts";
import { JsonMembers } from "../json_members.ts";

/** Open half messages of one topic. */
interface Count {
  count: number;
  /** ms since 1970 of the last change. */
  timeStamp: number;
}

/** What the counts are made of. */
export interface TransactionCountsOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings: { readonly transactionMetricFlushInterval: number };
  /** config/transactionMetrics */
  readonly file: TextFile;
}

/**
 * How many transactions of each topic are open, kept in config/transactionMetrics (`TransactionMetrics`). The file is
 * written each transactionMetricFlushInterval: after a crash the numbers are near the truth, as Apache's are.
 */
export class TransactionCounts {
  readonly #options: TransactionCountsOptions;
  readonly #counts = new Map<string, Count>();
  readonly #file: DurableText;
  #version: DataVersion;
  #dirty = false;
  #timer: Timer | null = null;

  constructor(options: TransactionCountsOptions) {
    const { clock, logger, file, settings } = options;
    this.#options = options;
    this.#version = firstVersion(clock);
    this.#file = new DurableText(file, clock, logger, () => this.#text());
    file.load((text) => this.#read(text));
    this.#timer = clock.every(settings.transactionMetricFlushInterval, () => this.#save());
  }

  /** `change` transactions more are open in the topic. */
  add(topic: string, change: number): void {
    const { clock } = this.#options;
    let count = this.#counts.get(topic);
    if (count === undefined) this.#counts.set(topic, count = { count: 0, timeStamp: 0 });
    count.count += change;
    count.timeStamp = clock.nowMs();
    this.#version = nextVersion(this.#version, clock);
    this.#dirty = true;
  }

  /** Open transactions of a topic, as counted. */
  get(topic: string): number {
    return this.#counts.get(topic)?.count ?? 0;
  }

  /** The topic was deleted. */
  remove(topic: string): void {
    if (this.#counts.delete(topic)) this.#dirty = true;
  }

  /** Writes what changed since the last write. */
  close(done: () => void): void {
    this.#timer?.cancel();
    this.#save();
    this.#file.close(done);
  }

  #save(): void {
    if (!this.#dirty) return;
    this.#dirty = false;
    this.#file.write();
  }

  *#text(): IterableIterator<string> {
    yield `{"dataVersion":${versionJson(this.#version)},"transactionCount":{`;
    let comma = "";
    for (const [topic, { count, timeStamp }] of this.#counts) {
      yield `${comma}${JSON.stringify(topic)}:{"count":${count},"timeStamp":${timeStamp}}`;
      comma = ",";
    }
    yield "}}";
  }

  #read(text: string): boolean {
    const root = JsonMembers.parse(text);
    if (root === null) return false;
    for (const [topic, members] of root.members("transactionCount")) {
      this.#counts.set(topic, { count: members.int("count", 0), timeStamp: members.time("timeStamp", 0) });
    }
    this.#version = readVersion(root, this.#version);
    return true;
  }
}
