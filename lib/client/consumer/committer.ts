import type { Logger } from "@rmq/platform";
import type { MessageQueue } from "../network/route.ts";
import { keyOf } from "./local_offsets.ts";
import type { CommittedOffset, OffsetStore } from "./offset_store.ts";

interface Entry {
  readonly queue: MessageQueue;
  offset: number;
  /** What the store has; −1: not known. */
  saved: number;
  /** How often the store has been doubted. */
  doubts: number;
}

/** How far the group is in the queues that are read here, and what of it the store knows. (OffsetStore of Java) */
export class Committer {
  readonly #group: string;
  readonly #store: OffsetStore;
  readonly #logger: Logger;
  readonly #entries = new Map<string, Entry>();
  #saving: Promise<void> = Promise.resolve();
  #failing = false;

  constructor(group: string, store: OffsetStore, logger: Logger) {
    this.#group = group;
    this.#store = store;
    this.#logger = logger;
  }

  /** What the store has, or null. Rejects when the store cannot say. */
  async load(queue: MessageQueue): Promise<number | null> {
    // What is still on its way to the store counts.
    await this.#saving;
    const offset = await this.#store.load(this.#group, queue);
    return offset === null || offset < 0 ? null : offset;
  }

  /** Notes how far the group is. */
  set(queue: MessageQueue, offset: number): void {
    const key = keyOf(queue);
    const entry = this.#entries.get(key);
    if (entry === undefined) this.#entries.set(key, { queue, offset, saved: -1, doubts: 0 });
    else entry.offset = offset;
  }

  /** Begins with what the store has. */
  begin(queue: MessageQueue, offset: number): void {
    this.#entries.set(keyOf(queue), { queue, offset, saved: offset, doubts: 0 });
  }

  /** The store may have lost what it had taken: a broker that is killed has not written its latest offsets yet. */
  doubt(queue: MessageQueue): void {
    const entry = this.#entries.get(keyOf(queue));
    if (entry === undefined) return;
    entry.saved = -1;
    entry.doubts++;
  }

  /** What was noted, or null. */
  get(queue: MessageQueue): number | null {
    return this.#entries.get(keyOf(queue))?.offset ?? null;
  }

  /** All that was noted, of one topic or of all. */
  all(topic?: string): CommittedOffset[] {
    return [...this.#entries.values()].filter(({ queue }) => topic === undefined || queue.topic === topic);
  }

  /** Saves what has changed, of these queues or of all. Failures are logged and tried again with the next call. */
  save(queues?: readonly MessageQueue[]): Promise<void> {
    return this.#saving = this.#saving.then(() => this.#save(queues));
  }

  /** Saves and forgets a queue that is read here no more. */
  async leave(queue: MessageQueue): Promise<void> {
    await this.save([queue]);
    this.#entries.delete(keyOf(queue));
  }

  async #save(queues: readonly MessageQueue[] | undefined): Promise<void> {
    const entries = queues === undefined
      ? [...this.#entries.values()]
      : queues.flatMap((queue) => this.#entries.get(keyOf(queue)) ?? []);
    const changed = entries.filter(({ offset, saved }) => offset !== saved);
    if (changed.length === 0) return;
    const offsets = changed.map(({ queue, offset }) => ({ queue, offset }));
    const doubts = changed.map((entry) => entry.doubts);
    try {
      await this.#store.save(this.#group, offsets);
      changed.forEach((entry, i) => {
        if (entry.doubts === doubts[i]) entry.saved = offsets[i].offset;
      });
      this.#failing = false;
    } catch (error) {
      const fields = { group: this.#group, error: String(error) };
      if (!this.#failing) this.#logger.warn("offsets were not saved; they will be tried again", fields);
      this.#failing = true;
    }
  }
}
