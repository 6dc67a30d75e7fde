import type { Clock, Logger } from "@rmq/platform";
import { type DataVersion, firstVersion, nextVersion, readVersion, versionJson } from "./data_version.ts";
import { DurableText, type TextFile } from "./durable_text.ts";
import { JsonMembers } from "./json_members.ts";

interface Count {
  count: number;
  /** ms since 1970 of the last change. */
  timeStamp: number;
}

/**
 * How many messages of each topic wait for something, kept in a file that is written when it is asked for (Apache:
 * `TimerMetrics`, `TransactionMetrics`): after a crash the numbers are near the truth, as Apache's are.
 */
export class TopicCounts {
  readonly #clock: Clock;
  readonly #member: string;
  readonly #counts = new Map<string, Count>();
  readonly #file: DurableText;
  #version: DataVersion;
  #changed = false;

  /** `member`: what the file calls them. */
  constructor(clock: Clock, logger: Logger, file: TextFile, member: string) {
    this.#clock = clock;
    this.#member = member;
    this.#version = firstVersion(clock);
    this.#file = new DurableText(file, clock, logger, () => this.text());
    file.load((text) => this.#read(text));
  }

  /** `change` messages more wait in the topic. */
  add(topic: string, change: number): void {
    let count = this.#counts.get(topic);
    if (count === undefined) this.#counts.set(topic, count = { count: 0, timeStamp: 0 });
    count.count += change;
    count.timeStamp = this.#clock.nowMs();
    this.#changed = true;
  }

  /** Messages of a topic that wait, as counted. */
  get(topic: string): number {
    return this.#counts.get(topic)?.count ?? 0;
  }

  /** The topic was deleted. */
  remove(topic: string): void {
    if (this.#counts.delete(topic)) this.#changed = true;
  }

  /** The file's text, in parts. */
  *text(): IterableIterator<string> {
    yield `{"dataVersion":${versionJson(this.#version)},"${this.#member}":{`;
    let comma = "";
    for (const [topic, { count, timeStamp }] of this.#counts) {
      yield `${comma}${JSON.stringify(topic)}:{"count":${count},"timeStamp":${timeStamp}}`;
      comma = ",";
    }
    yield "}}";
  }

  /** Asks for a write if something changed since the last one. */
  save(): void {
    if (!this.#changed) return;
    this.#changed = false;
    this.#version = nextVersion(this.#version, this.#clock);
    this.#file.write();
  }

  /** Writes what changed since the last write. */
  close(done: () => void): void {
    this.save();
    this.#file.close(done);
  }

  #read(text: string): boolean {
    const root = JsonMembers.parse(text);
    if (root === null) return false;
    for (const [topic, members] of root.members(this.#member)) {
      this.#counts.set(topic, { count: members.int("count", 0), timeStamp: members.time("timeStamp", 0) });
    }
    this.#version = readVersion(root, this.#version);
    return true;
  }
}
