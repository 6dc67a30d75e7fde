import type { Clock, Logger } from "@rmq/platform";
import { ByteNames } from "../byte_names.ts";
import { type DataVersion, firstVersion, nextVersion, readVersion, versionJson } from "../data_version.ts";
import { DurableText, type TextFile } from "../durable_text.ts";
import { bracedLines, indentJson } from "../indent_json.ts";
import { JsonMembers } from "../json_members.ts";
import { SortedNames } from "../sorted_names.ts";
import { groupNameProblem } from "../topics/topic_name.ts";
import { Group, type GroupConfig, newGroupConfig, readGroupConfig } from "./group_config.ts";

export { Group, type GroupConfig } from "./group_config.ts";
export { groupNameProblem } from "../topics/topic_name.ts";

/** Groups that every broker has (storage §17, `SubscriptionGroupManager.init`). */
const bootGroups = [
  "TOOLS_CONSUMER",
  "FILTERSRV_CONSUMER",
  "SELF_TEST_C_GROUP",
  "CID_ONS-HTTP-PROXY",
  "CID_ONSAPI_PULL",
  "CID_ONSAPI_PERMISSION",
  "CID_ONSAPI_OWNER",
  "CID_RMQ_SYS_TRANS",
];
const SYSTEM_GROUP_PREFIX = "CID_RMQ_SYS_";

/** What a group table is made of. */
export interface GroupTableOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings: {
    readonly autoCreateSubscriptionGroup: boolean;
    readonly enableCreateSysGroup: boolean;
    readonly maxGroups: number;
  };
  /** config/subscriptionGroup.json */
  readonly file: TextFile;
}

/** The broker's consumer groups, kept in config/subscriptionGroup.json (`SubscriptionGroupManager`). */
export class GroupTable {
  readonly #options: GroupTableOptions;
  readonly #names = new ByteNames<Group>();
  readonly #byName = new Map<string, Group>();
  /** Bits by group and topic; not 0: the group may not read the topic. */
  readonly #forbidden = new Map<string, Map<string, number>>();
  readonly #file: DurableText;
  #version: DataVersion;
  readonly #sorted = new SortedNames();

  constructor(options: GroupTableOptions) {
    this.#options = options;
    this.#version = firstVersion(options.clock);
    this.#file = new DurableText(options.file, options.clock, options.logger, () => this.#text());
  }

  /** Reads the file and adds what every broker has at boot. */
  load(): void {
    this.#options.file.load((text) => this.#read(text));
    for (const name of bootGroups) if (!this.#byName.has(name)) this.#put(newGroupConfig(name)).durable = true;
  }

  /** Hot: the group whose name is `bytes[start, end)`. */
  find(bytes: Uint8Array, start: number, end: number): Group | null {
    return this.#names.find(bytes, start, end);
  }

  get(name: string): Group | null {
    return this.#byName.get(name) ?? null;
  }

  /** The group, made with the defaults when it is new and that is allowed (`findSubscriptionGroupConfig`); else null. */
  ensure(name: string): Group | null {
    const known = this.get(name);
    if (known !== null) return known;
    const { settings, logger } = this.#options;
    const allowed = settings.autoCreateSubscriptionGroup ||
      (settings.enableCreateSysGroup && name.startsWith(SYSTEM_GROUP_PREFIX));
    if (!allowed || groupNameProblem(name) !== null || this.full) return null;
    logger.info("consumer group created", { group: name });
    return this.#changed(this.#put(newGroupConfig(name)));
  }

  /** Creates the group or gives it another set-up. */
  update(config: GroupConfig): Group {
    const known = this.get(config.groupName);
    if (known === null) return this.#changed(this.#put(config));
    known.config = config;
    return this.#changed(known);
  }

  /** Removes a group and what it was forbidden; false: there was none. */
  delete(name: string): boolean {
    const group = this.get(name);
    this.#forbidden.delete(name);
    if (group === null) return false;
    this.#byName.delete(name);
    this.#names.remove(group);
    this.#sorted.remove(group.name);
    this.#version = nextVersion(this.#version, this.#options.clock);
    this.#file.write();
    return true;
  }

  all(): Iterable<Group> {
    return this.#byName.values();
  }

  get size(): number {
    return this.#byName.size;
  }

  /** No more groups may be made (`maxGroups`). */
  get full(): boolean {
    return this.#byName.size >= this.#options.settings.maxGroups;
  }

  /** Names in Java's order of strings, for paging; the list changes with the table. */
  sortedNames(): readonly string[] {
    return this.#sorted.list(() => this.#byName.keys());
  }

  get dataVersion(): DataVersion {
    return this.#version;
  }

  /** Bits that forbid a group a topic; 0: nothing is forbidden. */
  forbidden(group: string, topic: string): number {
    return Math.max(0, this.#forbidden.get(group)?.get(topic) ?? 0);
  }

  /** The forbidden table in one line of JSON, of these groups only. */
  forbiddenJson(names: Iterable<string>): string {
    const groups: string[] = [];
    for (const name of names) {
      const topics = this.#forbidden.get(name);
      if (topics === undefined) continue;
      const members = [...topics].map(([topic, bits]) => `${JSON.stringify(topic)}:${bits}`);
      groups.push(`${JSON.stringify(name)}:{${members.join(",")}}`);
    }
    return `{${groups.join(",")}}`;
  }

  /** Calls `done` when every change so far is on disk. */
  whenDurable(done: () => void): void {
    this.#file.write(done);
  }

  /** Writes what is still to be written. */
  close(done: () => void): void {
    this.#file.close(done);
  }

  #put(config: GroupConfig): Group {
    const group = new Group(config);
    this.#byName.set(group.name, group);
    this.#names.add(group);
    this.#sorted.add(group.name);
    return group;
  }

  #changed(group: Group): Group {
    this.#version = nextVersion(this.#version, this.#options.clock);
    this.#file.write(() => group.durable = true);
    return group;
  }

  *#text(): IterableIterator<string> {
    yield `{\n\t"dataVersion":${indentJson(versionJson(this.#version), 1)},\n` +
      `\t"forbiddenTable":${indentJson(this.forbiddenJson(this.#forbidden.keys()), 1)},\n` +
      `\t"subscriptionGroupTable":`;
    yield* bracedLines(this.#byName.values());
    yield "\n}";
  }

  #read(text: string): boolean {
    const root = JsonMembers.parse(text);
    if (root === null) return false;
    const configs = root.members("subscriptionGroupTable").map(([name, json]) => readGroupConfig(json, name));
    this.#version = readVersion(root, this.#version);
    for (const config of configs) if (!this.#byName.has(config.groupName)) this.#put(config).durable = true;
    for (const [group, topics] of root.members("forbiddenTable")) {
      this.#forbidden.set(group, new Map(topics.names().map((topic) => [topic, topics.int(topic, 0)])));
    }
    return true;
  }
}
