import type { Clock, Logger, Timer } from "@rmq/platform";
import type { SubscriptionData } from "../clients/subscription.ts";
import { isTagType } from "../clients/subscription.ts";
import { DurableText, type TextFile } from "../durable_text.ts";
import { bracedLines, indentJson } from "../indent_json.ts";
import { JsonMembers } from "../json_members.ts";
import { Bloom } from "./bloom.ts";
import { CompiledFilters } from "./compiled_filters.ts";
import { type FilterData, filterDataJson, isDead, readFilterRow, SQL92 } from "./filter_data.ts";
import { SqlError } from "./sql_error.ts";
import type { SqlFilter } from "./sql_filter.ts";

/** Apache's period (`BrokerController`). */
const PERSIST_PERIOD_MS = 10_000;
/** All groups count as gone when a broker starts, since so long. */
const DEAD_BEFORE_START_MS = 30_000;

/** What of the configuration a filter table reads. */
export interface FilterSettings {
  /** A filter whose group left so long ago is forgotten, ms. */
  readonly filterDataCleanTimeSpan: number;
  /** Percent; for the bits in the file only. */
  readonly maxErrorRateOfBloomFilter: number;
  /** Consumers; for the bits in the file only. */
  readonly expectConsumerNumUseFilter: number;
  /** Longest expression, UTF-16 units. */
  readonly maxFilterLength: number;
  /** Deepest nesting of an expression. */
  readonly maxFilterDepth: number;
  /** How often one may look at properties. */
  readonly maxFilterTerms: number;
  /** Filters registered, and expressions kept compiled, at most. */
  readonly maxFilters: number;
}

/** What a filter table is made of. */
export interface FilterTableOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings: FilterSettings;
  /** config/consumerFilter.json */
  readonly file: TextFile;
}

/** Which group filters which topic by which expression, kept in config/consumerFilter.json (`ConsumerFilterManager`). */
export class FilterTable {
  readonly #options: FilterTableOptions;
  readonly #compiled: CompiledFilters;
  readonly #bloom: Bloom;
  readonly #file: DurableText;
  readonly #byTopic = new Map<string, Map<string, FilterData>>();
  /** Topics of each group, so that a heartbeat costs nothing when there are many. */
  readonly #topics = new Map<string, Set<string>>();
  #count = 0;
  #dirty = false;
  #timer: Timer | null = null;

  constructor(options: FilterTableOptions) {
    const { settings, file, clock, logger } = options;
    this.#options = options;
    const limits = { length: settings.maxFilterLength, depth: settings.maxFilterDepth, terms: settings.maxFilterTerms };
    this.#compiled = new CompiledFilters(limits, settings.maxFilters);
    this.#bloom = new Bloom(settings.maxErrorRateOfBloomFilter, settings.expectConsumerNumUseFilter);
    this.#file = new DurableText(file, clock, logger, () => this.#text());
  }

  /** Reads the file; from here on it is written each 10 s if something changed. */
  load(): void {
    const { file, clock } = this.#options;
    file.load((text) => this.#read(text));
    this.#timer = clock.every(PERSIST_PERIOD_MS, () => this.#persist());
  }

  /** Writes what changed since the last write. */
  close(done: () => void): void {
    this.#timer?.cancel();
    this.#persist();
    this.#file.close(done);
  }

  /** The filter of an expression, or what is wrong with it. */
  compile(expression: string): SqlFilter | SqlError {
    return this.#compiled.of(expression);
  }

  /** What a group filters a topic by; null: nothing, or an expression that does not compile. */
  get(topic: string, group: string): FilterData | null {
    return this.#byTopic.get(topic)?.get(group) ?? null;
  }

  /** Takes over the subscriptions of a heartbeat; filters of topics that are not among them are dead from now on. */
  register(group: string, subscriptions: readonly SubscriptionData[]): void {
    for (const data of subscriptions) {
      if (!isTagType(data.expressionType) && data.subString !== "") this.#register(group, data);
    }
    const topics = this.#topics.get(group);
    if (topics === undefined) return;
    const subscribed = new Set(subscriptions.map((data) => data.topic));
    for (const topic of topics) if (!subscribed.has(topic)) this.#die(this.get(topic, group));
  }

  /** The last member of a group left. */
  unregister(group: string): void {
    for (const topic of this.#topics.get(group) ?? []) this.#die(this.get(topic, group));
  }

  #register(group: string, { topic, subString, expressionType, subVersion }: SubscriptionData): void {
    const old = this.get(topic, group);
    if (old !== null && subVersion <= old.clientVersion) {
      if (subVersion === old.clientVersion) this.#revive(old);
      return;
    }
    if (old !== null && old.filter.expression === subString && expressionType === SQL92) {
      old.clientVersion = subVersion;
      this.#dirty = true;
      return this.#revive(old);
    }
    const filter = expressionType === SQL92 ? this.compile(subString) : null;
    if (filter === null || filter instanceof SqlError) {
      this.#options.logger.warn("a subscription's expression can't be used", {
        group,
        topic,
        cause: filter?.message ?? `the type ${expressionType} is unknown`,
      });
      // The old one must not stand in for it: pulls answer 27 from here on.
      return this.#remove(topic, group);
    }
    const bornTime = this.#options.clock.nowMs();
    const bloom = this.#bloom.of(group, topic);
    this.#set({ topic, group, filter, bloom, bornTime, deadTime: 0, clientVersion: subVersion });
  }

  #set(data: FilterData): void {
    const { topic, group } = data;
    if (this.get(topic, group) === null) {
      if (this.#count >= this.#options.settings.maxFilters) return;
      this.#count++;
    }
    let groups = this.#byTopic.get(topic);
    if (groups === undefined) this.#byTopic.set(topic, groups = new Map());
    groups.set(group, data);
    let topics = this.#topics.get(group);
    if (topics === undefined) this.#topics.set(group, topics = new Set());
    topics.add(topic);
    this.#dirty = true;
  }

  #remove(topic: string, group: string): void {
    const groups = this.#byTopic.get(topic);
    if (groups?.delete(group) !== true) return;
    this.#count--;
    this.#dirty = true;
    if (groups.size === 0) this.#byTopic.delete(topic);
    const topics = this.#topics.get(group);
    topics?.delete(topic);
    if (topics?.size === 0) this.#topics.delete(group);
  }

  #revive(data: FilterData): void {
    if (!isDead(data)) return;
    data.deadTime = 0;
    this.#dirty = true;
  }

  #die(data: FilterData | null): void {
    if (data === null || isDead(data)) return;
    data.deadTime = this.#options.clock.nowMs();
    this.#dirty = true;
  }

  #persist(): void {
    this.#clean();
    if (!this.#dirty) return;
    this.#dirty = false;
    this.#file.write();
  }

  #clean(): void {
    const { clock, settings } = this.#options;
    const oldest = clock.nowMs() - settings.filterDataCleanTimeSpan;
    for (const groups of this.#byTopic.values()) {
      for (const data of groups.values()) {
        if (isDead(data) && data.deadTime <= oldest) this.#remove(data.topic, data.group);
      }
    }
  }

  *#text(): IterableIterator<string> {
    yield `{\n\t"filterDataByTopic":`;
    yield* bracedLines(this.#lines());
    yield "\n}";
  }

  *#lines(): IterableIterator<{ indented: string }> {
    for (const [topic, groups] of this.#byTopic) {
      const rows = [...groups].map(([group, data]) => `${JSON.stringify(group)}:${filterDataJson(data)}`);
      const name = JSON.stringify(topic);
      const compact = `${name}:{"groupFilterData":{${rows.join(",")}},"topic":${name}}`;
      yield { indented: `\t\t${indentJson(compact, 2)}` };
    }
  }

  #read(text: string): boolean {
    const root = JsonMembers.parse(text);
    if (root === null) return false;
    const rows = root.members("filterDataByTopic").flatMap(([, inner]) =>
      inner.members("groupFilterData").map(([, json]) => readFilterRow(json))
    );
    const deadTime = this.#options.clock.nowMs() - DEAD_BEFORE_START_MS;
    for (const row of rows) {
      const filter = this.compile(row.expression);
      // Its group brings it again, and hears what is wrong with it.
      if (filter instanceof SqlError) continue;
      const { topic, group, bornTime, clientVersion } = row;
      this.#set({
        topic,
        group,
        filter,
        bloom: this.#bloom.of(group, topic),
        bornTime,
        deadTime: row.deadTime === 0 ? Math.max(deadTime, bornTime) : row.deadTime,
        clientVersion,
      });
    }
    this.#dirty = false;
    return true;
  }
}
