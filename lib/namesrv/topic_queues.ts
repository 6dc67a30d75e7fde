import type { QueueData, RegisteredTopic } from "./route_types.ts";

const PERM_WRITE = 2;

/** The queues of each topic by broker name. A topic without any is not there. */
export class TopicQueues {
  readonly #topics = new Map<string, Map<string, QueueData>>();
  /** Counts changes of which topics there are, where, and of their flags. */
  version = 0;

  get(topic: string): ReadonlyMap<string, QueueData> | undefined {
    return this.#topics.get(topic);
  }

  has(topic: string, brokerName: string): boolean {
    return this.#topics.get(topic)?.has(brokerName) ?? false;
  }

  names(): string[] {
    return [...this.#topics.keys()];
  }

  set(brokerName: string, topic: RegisteredTopic, readOnly: boolean): void {
    const { topicName, readQueueNums, topicSysFlag, writeQueueNums } = topic;
    const perm = readOnly ? topic.perm & ~PERM_WRITE : topic.perm;
    let byBroker = this.#topics.get(topicName);
    if (byBroker === undefined) this.#topics.set(topicName, byBroker = new Map());
    if (byBroker.get(brokerName)?.topicSysFlag !== topicSysFlag) this.version++;
    byBroker.set(brokerName, { brokerName, perm, readQueueNums, topicSysFlag, writeQueueNums });
  }

  drop(topic: string, brokerName: string): void {
    const byBroker = this.#topics.get(topic);
    if (byBroker === undefined || !byBroker.delete(brokerName)) return;
    this.version++;
    if (byBroker.size === 0) this.#topics.delete(topic);
  }

  /** Drops all that brokers of these names have. */
  dropBrokers(names: ReadonlySet<string>): void {
    for (const topic of this.#topics.keys()) for (const name of names) this.drop(topic, name);
  }

  /** Drops what a broker name has besides these topics. */
  dropExcept(brokerName: string, topics: readonly RegisteredTopic[]): void {
    const kept = new Set(topics.map((topic) => topic.topicName));
    for (const topic of this.#topics.keys()) if (!kept.has(topic)) this.drop(topic, brokerName);
  }

  /** Changes the permission of all topics of a broker name; returns how many there are. */
  setPerms(brokerName: string, change: (perm: number) => number): number {
    let count = 0;
    for (const byBroker of this.#topics.values()) {
      const queues = byBroker.get(brokerName);
      if (queues === undefined) continue;
      byBroker.set(brokerName, { ...queues, perm: change(queues.perm) });
      count++;
    }
    return count;
  }
}
