import type { Clock, Logger } from "@rmq/platform";
import { type DataVersion, firstVersion, nextVersion, readVersion, versionJson } from "../data_version.ts";
import { DurableText, type TextFile } from "../durable_text.ts";
import { JsonMembers } from "../json_members.ts";

interface Count {
  count: number;
  timeStamp: number;
}

/** How many messages of each topic wait for their time: config/timermetrics (storage sheet §11, `TimerMetrics`). */
export class TimerMetrics {
  readonly #clock: Clock;
  readonly #counts = new Map<string, Count>();
  readonly #file: DurableText;
  #version: DataVersion;
  #changed = false;

  constructor(clock: Clock, logger: Logger, file: TextFile) {
    this.#clock = clock;
    this.#version = firstVersion(clock);
    this.#file = new DurableText(file, clock, logger, () => [this.json()].values());
    file.load((text) => this.#read(text));
  }

  /** Changes the count of a topic. */
  add(topic: string, change: number): void {
    let count = this.#counts.get(topic);
    if (count === undefined) this.#counts.set(topic, count = { count: 0, timeStamp: 0 });
    count.count += change;
    count.timeStamp = this.#clock.nowMs();
    this.#changed = true;
  }

  /** The topic is deleted. */
  remove(topic: string): void {
    if (this.#counts.delete(topic)) this.#changed = true;
  }

  /** The file's text, and the answer to 61. */
  json(): string {
    const counts = [...this.#counts].map(([topic, { count, timeStamp }]) =>
      `${JSON.stringify(topic)}:{"count":${count},"timeStamp":${timeStamp}}`
    );
    return `{"dataVersion":${versionJson(this.#version)},"timingCount":{${counts.join(",")}}}`;
  }

  /** Asks for a write when something changed. */
  save(): void {
    if (!this.#changed) return;
    this.#changed = false;
    this.#version = nextVersion(this.#version, this.#clock);
    this.#file.write();
  }

  close(done: () => void): void {
    this.save();
    this.#file.close(done);
  }

  #read(text: string): boolean {
    const root = JsonMembers.parse(text);
    const table = root?.object("timingCount") ?? null;
    if (root === null || table === null) return false;
    for (const topic of table.names()) {
      const count = table.object(topic);
      if (count !== null) {
        this.#counts.set(topic, { count: count.int("count", 0), timeStamp: count.time("timeStamp", 0) });
      }
    }
    this.#version = readVersion(root, this.#version);
    return true;
  }
}
