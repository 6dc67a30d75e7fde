import type { Done, Files } from "@rmq/platform";
import { readObject, replaceDurably } from "./small_file.ts";

const NAME = "deleted.json";

/**
 * Topics that were deleted, each with the end of the log at that time: entries below it never come back, neither by
 * recovery nor when the topic is made again.
 */
export class DeletedTopics {
  /** Largest of all recorded offsets: from there on nobody needs to ask. */
  newest = 0;
  readonly #directory: string;
  #below: Map<string, number> = new Map();
  #saving: Done[] | null = null;
  #waiting: Done[] = [];

  constructor(private readonly files: Files, root: string) {
    this.#directory = `${root}/rmq`;
  }

  load(): void {
    for (const [topic, offset] of Object.entries(readObject(this.files, `${this.#directory}/${NAME}`) ?? {})) {
      if (typeof offset === "number" && Number.isSafeInteger(offset)) this.#set(topic, offset);
    }
  }

  /** Physical offset below which entries of the topic don't count; 0: it was never deleted. */
  below(topic: string): number {
    return this.#below.get(topic) ?? 0;
  }

  /** Records durably that `topic` is gone below `physicalOffset`; drops what lies below `minOffset` anyway. */
  add(topic: string, physicalOffset: number, minOffset: number, done: Done): void {
    this.#set(topic, physicalOffset);
    for (const [name, offset] of this.#below) {
      if (offset <= minOffset) this.#below.delete(name);
    }
    this.#waiting.push(done);
    if (this.#saving === null) this.#save();
  }

  /**
   * Recovery ended the log at `end`: what is appended from there on is new, whatever stood there when a topic was
   * deleted. `unknown` are topics whose entries it passed over; these must not come back next time.
   */
  settle(end: number, unknown: readonly string[], done: Done): void {
    if (this.newest <= end && unknown.length === 0) return done(null);
    for (const [topic, offset] of this.#below) this.#below.set(topic, Math.min(offset, end));
    this.newest = Math.min(this.newest, end);
    for (const topic of unknown) this.#set(topic, end);
    this.#waiting.push(done);
    if (this.#saving === null) this.#save();
  }

  #set(topic: string, physicalOffset: number): void {
    this.#below.set(topic, physicalOffset);
    this.newest = Math.max(this.newest, physicalOffset);
  }

  #save(): void {
    const served = this.#saving = this.#waiting;
    this.#waiting = [];
    const text = JSON.stringify(Object.fromEntries(this.#below)) + "\n";
    replaceDurably(this.files, this.#directory, NAME, text, (error) => {
      this.#saving = null;
      for (const done of served) done(error);
      if (this.#waiting.length > 0 && this.#saving === null) this.#save();
    });
  }
}
