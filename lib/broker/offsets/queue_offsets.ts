/** Offsets of one group in one topic, by queue id, with their text as the file holds it. */
export class QueueOffsets {
  readonly #offsets = new Map<number, number>();
  #indented: string | null = null;

  constructor(readonly topic: string, readonly group: string) {}

  get size(): number {
    return this.#offsets.size;
  }

  get(queueId: number): number | undefined {
    return this.#offsets.get(queueId);
  }

  set(queueId: number, offset: number): void {
    this.#offsets.set(queueId, offset);
    this.#indented = null;
  }

  delete(queueId: number): void {
    this.#offsets.delete(queueId);
    this.#indented = null;
  }

  entries(): IterableIterator<[number, number]> {
    return this.#offsets.entries();
  }

  /** `"topic@group":{0:12,1:7}` */
  get json(): string {
    return `${this.#name}:{${this.#members().join(",")}}`;
  }

  /** The same as a member of consumerOffset.json; made once for each change. */
  get indented(): string {
    return this.#indented ??= `\t\t${this.#name}:{\n${this.#members().map((one) => "\t\t\t" + one).join(",\n")}\n\t\t}`;
  }

  get #name(): string {
    return JSON.stringify(`${this.topic}@${this.group}`);
  }

  #members(): string[] {
    return [...this.#offsets].sort(([a], [b]) => a - b).map(([queueId, offset]) => `${queueId}:${offset}`);
  }
}

/** Queue ids that one group may have offsets for in one topic; requests can name any. */
const MAX_QUEUES = 65536;

/** Offsets by group and topic. */
export class OffsetMap {
  readonly #groups = new Map<string, Map<string, QueueOffsets>>();
  /** Groups of each topic, so that asking for them costs nothing when there are many. */
  readonly #byTopic = new Map<string, Set<string>>();

  find(group: string, topic: string): QueueOffsets | null {
    return this.#groups.get(group)?.get(topic) ?? null;
  }

  get(group: string, topic: string, queueId: number): number | undefined {
    return this.#groups.get(group)?.get(topic)?.get(queueId);
  }

  set(group: string, topic: string, queueId: number, offset: number): void {
    let topics = this.#groups.get(group);
    if (topics === undefined) this.#groups.set(group, topics = new Map());
    let queues = topics.get(topic);
    if (queues === undefined) {
      topics.set(topic, queues = new QueueOffsets(topic, group));
      const groups = this.#byTopic.get(topic);
      if (groups === undefined) this.#byTopic.set(topic, new Set([group]));
      else groups.add(group);
    }
    if (queues.size < MAX_QUEUES || queues.get(queueId) !== undefined) queues.set(queueId, offset);
  }

  delete(group: string, topic: string, queueId: number): void {
    const queues = this.find(group, topic);
    queues?.delete(queueId);
    if (queues?.size === 0) this.removeOne(group, topic);
  }

  removeOne(group: string, topic: string): void {
    const topics = this.#groups.get(group);
    topics?.delete(topic);
    if (topics?.size === 0) this.#groups.delete(group);
    const groups = this.#byTopic.get(topic);
    groups?.delete(group);
    if (groups?.size === 0) this.#byTopic.delete(topic);
  }

  removeGroup(group: string): void {
    for (const topic of this.topicsOf(group)) this.removeOne(group, topic);
  }

  removeTopic(topic: string): void {
    for (const group of this.groupsOf(topic)) this.removeOne(group, topic);
  }

  groupsOf(topic: string): string[] {
    return [...this.#byTopic.get(topic) ?? []];
  }

  topicsOf(group: string): string[] {
    return [...(this.#groups.get(group)?.keys() ?? [])];
  }

  groups(): IterableIterator<[string, ReadonlyMap<string, QueueOffsets>]> {
    return this.#groups.entries();
  }

  *all(): IterableIterator<QueueOffsets> {
    for (const topics of this.#groups.values()) yield* topics.values();
  }
}
