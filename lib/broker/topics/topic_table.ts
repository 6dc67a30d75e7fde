import type { Clock, Done, Logger, PlatformError } from "@rmq/platform";
import { AUTO_CREATE_TOPIC, Perm, SYSTEM_TOPIC_PREFIX } from "@rmq/protocol";
import type { Store } from "@rmq/store";
import { ByteNames } from "../byte_names.ts";
import { type DataVersion, firstVersion, nextVersion, readVersion, versionJson } from "../data_version.ts";
import { DurableText, type TextFile } from "../durable_text.ts";
import { bracedLines, indentJson } from "../indent_json.ts";
import { JsonMembers } from "../json_members.ts";
import { SortedNames } from "../sorted_names.ts";
import { type BootSettings, bootTopics } from "./system_topics.ts";
import { Topic } from "./topic.ts";
import { newTopicConfig, sameTopicConfig, type TopicConfig } from "./topic_config.ts";
import { readTopicConfig } from "./read_topic_config.ts";
import { systemTopics, topicNameProblem } from "./topic_name.ts";

export { Topic } from "./topic.ts";
export type { TopicConfig } from "./topic_config.ts";
export { topicNameProblem } from "./topic_name.ts";

/** What a topic table is made of. */
export interface TopicTableOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings: BootSettings & { readonly maxTopics: number };
  /** config/topics.json */
  readonly file: TextFile;
}

/**
 * The broker's topics, kept in config/topics.json (`TopicConfigManager`). Load it before the store is opened, whose
 * recovery asks which topics exist, and attach the store before the first request.
 */
export class TopicTable {
  readonly #options: TopicTableOptions;
  readonly #names = new ByteNames<Topic>();
  readonly #byName = new Map<string, Topic>();
  readonly #system: Set<string>;
  readonly #file: DurableText;
  readonly #listeners: ((topics: Topic[]) => void)[] = [];
  /** Names whose deletion is not on disk yet, and how many requests for it are under way. */
  readonly #deleting = new Map<string, number>();
  #version: DataVersion;
  readonly #sorted = new SortedNames();
  #store: Pick<Store, "queue" | "deleteTopic"> | null = null;

  constructor(options: TopicTableOptions) {
    this.#options = options;
    this.#version = firstVersion(options.clock);
    this.#system = new Set([...systemTopics, ...bootTopics(options.settings).map((config) => config.topicName)]);
    this.#file = new DurableText(options.file, options.clock, options.logger, () => this.#text());
  }

  /** Gives the topics their queues. */
  attach(store: Pick<Store, "queue" | "deleteTopic">): void {
    this.#store = store;
  }

  /** Reads the file and adds what every broker has at boot. */
  load(): void {
    this.#options.file.load((text) => this.#read(text));
    for (const config of bootTopics(this.#options.settings)) {
      // Made anew at each boot, so it is as durable as the configuration itself.
      if (!this.#byName.has(config.topicName)) this.#put(config).durable = true;
    }
  }

  /** Hot: the topic whose name is `bytes[start, end)`. */
  find(bytes: Uint8Array, start: number, end: number): Topic | null {
    return this.#names.find(bytes, start, end);
  }

  get(name: string): Topic | null {
    return this.#byName.get(name) ?? null;
  }

  all(): Iterable<Topic> {
    return this.#byName.values();
  }

  get size(): number {
    return this.#byName.size;
  }

  /** Names in Java's order of strings, for paging; the list changes with the table. */
  sortedNames(): readonly string[] {
    return this.#sorted.list(() => this.#byName.keys());
  }

  get dataVersion(): DataVersion {
    return this.#version;
  }

  /** No more topics may be made (`maxTopics`). */
  get full(): boolean {
    return this.#byName.size >= this.#options.settings.maxTopics;
  }

  /** A topic of this name was deleted and that is not on disk yet: none can be made until it is. */
  isBeingDeleted(name: string): boolean {
    return this.#deleting.has(name);
  }

  /** Whether clients must keep their hands off this name (`TopicValidator.isSystemTopic`). */
  isSystem(name: string): boolean {
    return this.#system.has(name) || name.startsWith(SYSTEM_TOPIC_PREFIX);
  }

  /** `listener` gets the topics that were made, changed or deleted, within the call that did it. */
  onChange(listener: (topics: Topic[]) => void): void {
    this.#listeners.push(listener);
  }

  /**
   * The topic, made in the image of `defaultTopic` when it is new (`createTopicInSendMessageMethod`).
   * null: that topic does not exist or gives nothing on, the name or the number of topics forbids it, or one of that name
   * is being deleted.
   */
  createOnSend(
    name: string,
    defaultTopic: string,
    clientQueueNums: number,
    sysFlag: number,
    from: string,
  ): Topic | null {
    const known = this.get(name);
    if (known !== null) return known;
    const image = this.get(defaultTopic)?.config;
    const inherits = image !== undefined && (image.perm & Perm.INHERIT) !== 0 &&
      (defaultTopic !== AUTO_CREATE_TOPIC || this.#options.settings.autoCreateTopicEnable);
    if (!inherits || !this.#mayCreate(name)) return null;
    const queues = Math.max(0, Math.min(clientQueueNums, image.writeQueueNums));
    this.#options.logger.info("topic created on send", { topic: name, image: defaultTopic, queues, from });
    return this.#changed(this.#put(newTopicConfig(name, {
      readQueueNums: queues,
      writeQueueNums: queues,
      perm: image.perm & ~Perm.INHERIT,
      topicSysFlag: sysFlag,
      topicFilterType: image.topicFilterType,
    })));
  }

  /**
   * A group's `%RETRY%` or `%DLQ%` topic (`createTopicInSendMessageBackMethod`); null as for {@link createOnSend}.
   * `order` null: it is for consumers to say whether theirs is ordered.
   */
  createOnSendBack(
    name: string,
    queueNums: number,
    perm: number,
    sysFlag: number,
    order: boolean | null = null,
  ): Topic | null {
    const known = this.get(name);
    if (known !== null) {
      if (order === null || known.config.order === order) return known;
      known.config = { ...known.config, order };
      return this.#changed(known);
    }
    if (!this.#mayCreate(name)) return null;
    return this.#changed(this.#put(newTopicConfig(name, {
      readQueueNums: queueNums,
      writeQueueNums: queueNums,
      perm,
      topicSysFlag: sysFlag,
      order: order ?? false,
    })));
  }

  /**
   * Creates the topic or gives it another set-up; nothing happens when it has that already. Ask {@link isBeingDeleted}
   * before: such a name is an error.
   */
  update(config: TopicConfig): Topic {
    const known = this.get(config.topicName);
    if (this.isBeingDeleted(config.topicName)) throw new Error(`the topic ${config.topicName} is being deleted`);
    if (known === null) return this.#changed(this.#put(config));
    if (sameTopicConfig(known.config, config)) return known;
    known.config = config;
    return this.#changed(known);
  }

  /**
   * Removes the topic and its queues; `done` is called when that is on disk. An unknown name only loses its queues.
   * `alongside` writes what else has to be forgotten before the name can be used again.
   */
  delete(name: string, done: Done, alongside: (done: () => void) => void = (done) => done()): void {
    const topic = this.get(name);
    if (topic !== null) this.#forget(topic);
    // Made again before its queues are gone, it would lose what is stored in the new ones.
    this.#deleting.set(name, (this.#deleting.get(name) ?? 0) + 1);
    let open = 3;
    let failure: PlatformError | null = null;
    const one: Done = (error) => {
      failure ??= error;
      if (--open > 0) return;
      const others = (this.#deleting.get(name) ?? 1) - 1;
      if (others === 0) this.#deleting.delete(name);
      else this.#deleting.set(name, others);
      done(failure);
    };
    if (this.#store === null) one(null);
    else this.#store.deleteTopic(name, one);
    if (topic === null) one(null);
    else this.#file.write(() => one(null));
    alongside(() => one(null));
  }

  /** Calls `done` once the topic stands in topics.json on disk; at once when it does already. */
  whenDurable(topic: Topic, done: () => void): void {
    if (topic.durable) done();
    else this.#file.write(done);
  }

  /** Calls `done` when every change so far is on disk. */
  whenWritten(done: () => void): void {
    this.#file.write(done);
  }

  /** Writes what is still to be written. */
  close(done: () => void): void {
    this.#file.close(done);
  }

  #mayCreate(name: string): boolean {
    return topicNameProblem(name) === null && !this.full && !this.isBeingDeleted(name);
  }

  #put(config: TopicConfig): Topic {
    const topic = new Topic(config, this.isSystem(config.topicName), () => this.#attached());
    this.#byName.set(topic.name, topic);
    this.#names.add(topic);
    this.#sorted.add(topic.name);
    return topic;
  }

  #attached(): Pick<Store, "queue"> {
    if (this.#store === null) throw new Error("the topic table has no store yet");
    return this.#store;
  }

  #forget(topic: Topic): void {
    topic.deleted = true;
    this.#byName.delete(topic.name);
    this.#names.remove(topic);
    this.#sorted.remove(topic.name);
    this.#version = nextVersion(this.#version, this.#options.clock);
    for (const listener of this.#listeners) listener([topic]);
  }

  #changed(topic: Topic): Topic {
    this.#version = nextVersion(this.#version, this.#options.clock);
    this.#file.write(() => topic.durable = true);
    for (const listener of this.#listeners) listener([topic]);
    return topic;
  }

  *#text(): IterableIterator<string> {
    yield `{\n\t"dataVersion":${indentJson(versionJson(this.#version), 1)},\n\t"topicConfigTable":`;
    yield* bracedLines(this.#byName.values());
    yield "\n}";
  }

  #read(text: string): boolean {
    const root = JsonMembers.parse(text);
    if (root === null) return false;
    const configs = root.members("topicConfigTable").map(([name, value]) => readTopicConfig(value, name));
    this.#version = readVersion(root, this.#version);
    for (const config of configs) if (!this.#byName.has(config.topicName)) this.#put(config).durable = true;
    return true;
  }
}
