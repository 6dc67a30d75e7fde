import type { QueueState, Store } from "@rmq/store";
import { indentJson } from "../indent_json.ts";
import { type TopicConfig, topicConfigJson } from "./topic_config.ts";

const encoder = new TextEncoder();

/** One topic of this broker: how it is set up, its queues, and what went through it. */
export class Topic {
  readonly name: string;
  readonly nameBytes: Uint8Array;
  /** Stands in topics.json on disk: only then may sends to it be acknowledged. */
  durable = false;
  /** Taken out of the table; a topic of the same name made later is another object. */
  deleted = false;
  /** Messages and bytes stored and read since the start. */
  putCount = 0;
  putBytes = 0;
  getCount = 0;
  getBytes = 0;
  #config: TopicConfig;
  #json: string | null = null;
  #indented: string | null = null;
  readonly #queues = new Map<number, QueueState>();
  readonly #store: () => Pick<Store, "queue">;

  /** `system`: Apache's own, which clients can't create, change or delete. */
  constructor(config: TopicConfig, readonly system: boolean, store: () => Pick<Store, "queue">) {
    this.name = config.topicName;
    this.nameBytes = encoder.encode(config.topicName);
    this.#config = config;
    this.#store = store;
  }

  get config(): TopicConfig {
    return this.#config;
  }

  set config(config: TopicConfig) {
    this.#config = config;
    this.#json = null;
    this.#indented = null;
  }

  /** The queue's state in the store, made there when it is new. */
  queue(queueId: number): QueueState {
    const known = this.#queues.get(queueId);
    if (known !== undefined && !known.deleted) return known;
    const queue = this.#store().queue(this.name, queueId);
    this.#queues.set(queueId, queue);
    return queue;
  }

  /**
   * Number of the queue that a message was sent to, as REAL_QID says it; −1: that says none. A queue that a later set-up
   * took away gives way to one that consumers read.
   */
  realQueueId(text: string | null): number {
    if (text === null || !/^\d{1,10}$/.test(text)) return -1;
    return Number(text) % Math.max(1, this.#config.readQueueNums, this.#config.writeQueueNums);
  }

  /** The set-up in one line, made once for each change. */
  get json(): string {
    return this.#json ??= topicConfigJson(this.#config);
  }

  /** The set-up as a member of topics.json. */
  get indented(): string {
    return this.#indented ??= `\t\t${JSON.stringify(this.name)}:${indentJson(this.json, 2)}`;
  }
}
