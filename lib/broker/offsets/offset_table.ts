import type { Clock, Logger, Timer } from "@rmq/platform";
import type { Store } from "@rmq/store";
import { type DataVersion, firstVersion, nextVersion, readVersion, versionJson } from "../data_version.ts";
import { DurableText, type TextFile } from "../durable_text.ts";
import { bracedLines, indentJson } from "../indent_json.ts";
import { JsonMembers } from "../json_members.ts";
import { OffsetMap } from "./queue_offsets.ts";

/** Commits between two versions of the table (`consumerOffsetUpdateVersionStep`). */
const COMMITS_PER_VERSION = 500;

/** What an offset table is made of. */
export interface OffsetTableOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings: { readonly flushConsumerOffsetInterval: number };
  /** config/consumerOffset.json */
  readonly file: TextFile;
}

/** How far each group has got in each queue, kept in config/consumerOffset.json (`ConsumerOffsetManager`). */
export class OffsetTable {
  readonly #options: OffsetTableOptions;
  readonly #committed = new OffsetMap();
  /** Where groups last read, committed or not. */
  readonly #pulled = new OffsetMap();
  /** Where the next pull must begin, by an operator's reset; commits are ignored until then. */
  readonly #resets = new OffsetMap();
  readonly #file: DurableText;
  #version: DataVersion;
  #commits = 0;
  #dirty = false;
  #timer: Timer | null = null;
  #resetListener: ((group: string, topic: string, queueId: number) => void) | null = null;

  constructor(options: OffsetTableOptions) {
    this.#options = options;
    this.#version = firstVersion(options.clock);
    this.#file = new DurableText(options.file, options.clock, options.logger, () => this.#text());
  }

  /**
   * Reads the file, once the store is open: an offset beyond what a queue holds after recovery becomes the queue's max.
   * From here on the table is written each flushConsumerOffsetInterval if it changed.
   */
  load(store: Pick<Store, "existingQueue">): void {
    const { file, clock, settings } = this.#options;
    file.load((text) => this.#read(text));
    this.#cutToStore(store);
    this.#timer = clock.every(settings.flushConsumerOffsetInterval, () => {
      if (this.#dirty) this.flush();
    });
  }

  /** Moves a group; any offset is taken as Apache takes it, unless a reset is pending for the queue. */
  commit(group: string, topic: string, queueId: number, offset: number): void {
    if (this.hasReset(group, topic, queueId)) return;
    this.#committed.set(group, topic, queueId, offset);
    this.#dirty = true;
    if (++this.#commits % COMMITS_PER_VERSION === 0) this.#version = nextVersion(this.#version, this.#options.clock);
  }

  /** Where the group stands, or where it is about to be reset to; −1: unknown. */
  query(group: string, topic: string, queueId: number): number {
    return this.#resets.get(group, topic, queueId) ?? this.#committed.get(group, topic, queueId) ?? -1;
  }

  /** Notes where a group last read. */
  notePull(group: string, topic: string, queueId: number, offset: number): void {
    this.#pulled.set(group, topic, queueId, offset);
    this.#dirty = true;
  }

  /** Where the group last read; −1: unknown. */
  queryPull(group: string, topic: string, queueId: number): number {
    return this.#pulled.get(group, topic, queueId) ?? this.query(group, topic, queueId);
  }

  /** The next pull of the queue shall begin at `offset`. */
  reset(group: string, topic: string, queueId: number, offset: number): void {
    this.#committed.set(group, topic, queueId, offset);
    this.#resets.set(group, topic, queueId, offset);
    this.#dirty = true;
    this.#resetListener?.(group, topic, queueId);
  }

  /** `listener` hears of each reset, within the call that did it. */
  onReset(listener: (group: string, topic: string, queueId: number) => void): void {
    this.#resetListener = listener;
  }

  /** Whether the queue waits for its next pull to begin elsewhere. */
  hasReset(group: string, topic: string, queueId: number): boolean {
    return this.#resets.get(group, topic, queueId) !== undefined;
  }

  /** The pending reset of the queue, which is done with this call; −1: none. */
  takeReset(group: string, topic: string, queueId: number): number {
    const offset = this.#resets.get(group, topic, queueId);
    if (offset === undefined) return -1;
    this.#resets.delete(group, topic, queueId);
    return offset;
  }

  /** Groups that have offsets in a topic. */
  groupsOf(topic: string): string[] {
    return this.#committed.groupsOf(topic);
  }

  /** Topics that a group has offsets in. */
  topicsOf(group: string): string[] {
    return this.#committed.topicsOf(group);
  }

  /** Offsets of a group in a topic, by queue id. */
  queuesOf(group: string, topic: string): Iterable<[queueId: number, offset: number]> {
    return this.#committed.find(group, topic)?.entries() ?? [];
  }

  /** Puts `target` where `source` stands in the queues of a topic; what it had there is forgotten. */
  clone(source: string, target: string, topic: string): void {
    const offsets = [...this.queuesOf(source, topic)];
    if (offsets.length === 0 || source === target) return;
    this.#committed.removeOne(target, topic);
    for (const [queueId, offset] of offsets) this.#committed.set(target, topic, queueId, offset);
    this.#dirty = true;
  }

  removeTopic(topic: string): void {
    for (const map of [this.#committed, this.#pulled, this.#resets]) map.removeTopic(topic);
    this.#dirty = true;
  }

  removeGroup(group: string): void {
    for (const map of [this.#committed, this.#pulled, this.#resets]) map.removeGroup(group);
    this.#dirty = true;
  }

  get dataVersion(): DataVersion {
    return this.#version;
  }

  /** The whole table as one line of JSON, in parts (the answer to 43). */
  *snapshotJson(): IterableIterator<string> {
    yield `{"dataVersion":${versionJson(this.#version)},"groupTopicMap":{`;
    let comma = "";
    for (const [group, topics] of this.#committed.groups()) {
      yield `${comma}${JSON.stringify(group)}:${JSON.stringify([...topics.keys()])}`;
      comma = ",";
    }
    for (const [name, map] of [["offsetTable", this.#committed], ["pullOffsetTable", this.#pulled]] as const) {
      yield `},"${name}":{`;
      comma = "";
      for (const queues of map.all()) {
        yield comma + queues.json;
        comma = ",";
      }
    }
    yield "}}";
  }

  /** Writes the table; `done` when it is on disk. */
  flush(done?: () => void): void {
    this.#dirty = false;
    this.#file.write(done);
  }

  /** Writes what changed since the last write. */
  close(done: () => void): void {
    this.#timer?.cancel();
    if (this.#dirty) this.flush();
    this.#file.close(done);
  }

  *#text(): IterableIterator<string> {
    yield `{\n\t"dataVersion":${indentJson(versionJson(this.#version), 1)},\n\t"groupTopicMap":`;
    yield* bracedLines(groupLines(this.#committed));
    yield `,\n\t"offsetTable":`;
    yield* bracedLines(this.#committed.all());
    yield `,\n\t"pullOffsetTable":`;
    yield* bracedLines(this.#pulled.all());
    yield "\n}";
  }

  #read(text: string): boolean {
    const root = JsonMembers.parse(text);
    if (root === null) return false;
    const committed = readOffsets(root, "offsetTable");
    const pulled = readOffsets(root, "pullOffsetTable");
    this.#version = readVersion(root, this.#version);
    for (const [group, topic, queueId, offset] of committed) this.#committed.set(group, topic, queueId, offset);
    for (const [group, topic, queueId, offset] of pulled) this.#pulled.set(group, topic, queueId, offset);
    return true;
  }

  #cutToStore(store: Pick<Store, "existingQueue">): void {
    let cut = 0;
    for (const map of [this.#committed, this.#pulled]) {
      for (const queues of map.all()) {
        for (const [queueId, offset] of queues.entries()) {
          const max = store.existingQueue(queues.topic, queueId)?.max ?? 0;
          if (offset <= max) continue;
          queues.set(queueId, max);
          cut++;
        }
      }
    }
    if (cut === 0) return;
    this.#dirty = true;
    this.#options.logger.warn("offsets beyond the end of their queues were set back to it", { queues: cut });
  }
}

function* groupLines(committed: OffsetMap): IterableIterator<{ indented: string }> {
  for (const [group, topics] of committed.groups()) {
    yield { indented: `\t\t${JSON.stringify(group)}:${indentJson(JSON.stringify([...topics.keys()]), 2)}` };
  }
}

function readOffsets(root: JsonMembers, name: string): [string, string, number, number][] {
  const rows: [string, string, number, number][] = [];
  for (const [key, queues] of root.members(name)) {
    const at = key.indexOf("@");
    if (at <= 0) continue;
    for (const queueId of queues.names()) {
      const id = Number(queueId);
      if (Number.isSafeInteger(id)) rows.push([key.slice(at + 1), key.slice(0, at), id, queues.int(queueId, 0)]);
    }
  }
  return rows;
}
