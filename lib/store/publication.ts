import type { Clock } from "@rmq/platform";
import type { DeletedTopics } from "./deleted_topics.ts";
import type { DispatchEntry } from "./dispatch.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { Ladder } from "./ladder.ts";
import type { Tail } from "./tail.ts";

/** How long one turn may dispatch, microseconds. */
const SLICE_US = 4000;
/** Entries between two looks at the clock. */
const LOOK_EVERY = 128;

/**
 * Moves `visible` towards its target: each entry goes to the followers, then to the listeners. Everything between the
 * two offsets is in the tail, as the tail keeps what is not visible.
 */
export class Publication {
  dispatched = 0;
  /** Store timestamp of the newest visible entry, ms. */
  lastTimestamp = 0;
  #continuing = false;
  #entryListeners: ((entry: DispatchEntry) => void)[] = [];
  #advanceListeners: (() => void)[] = [];

  constructor(
    private readonly clock: Clock,
    private readonly ladder: Ladder,
    private readonly tail: Tail,
    private readonly dispatcher: Dispatcher,
    private readonly deleted: DeletedTopics,
  ) {}

  onEntry(listener: (entry: DispatchEntry) => void): void {
    this.#entryListeners.push(listener);
  }

  onAdvance(listener: () => void): void {
    this.#advanceListeners.push(listener);
  }

  /** Called after written or durable moved. */
  advance(): void {
    if (!this.#continuing && this.ladder.visible < this.ladder.visibleTarget) this.#dispatch();
    const listeners = this.#advanceListeners;
    for (let i = 0; i < listeners.length; i++) listeners[i]();
  }

  #dispatch(): void {
    const deadline = this.clock.monotonicUs() + SLICE_US;
    let count = 0;
    while (this.ladder.visible < this.ladder.visibleTarget) {
      this.#one();
      if (++count % LOOK_EVERY === 0 && this.clock.monotonicUs() > deadline) {
        this.#continuing = true;
        this.clock.setTimer(0, () => {
          this.#continuing = false;
          this.advance();
        });
        return;
      }
    }
  }

  #one(): void {
    const offset = this.ladder.visible;
    const chunk = this.tail.chunkAt(offset);
    if (chunk === null) throw new Error(`entry at ${offset} left the tail before it was visible`);
    const dispatcher = this.dispatcher;
    const message = dispatcher.message;
    // `| 0`: beyond 2 GiB offsets are doubles, and a position that is one throws what is compiled for integers away.
    const size = message.parse(chunk.bytes, (offset - chunk.base) | 0, chunk.used, false);
    if (size === 0) return this.ladder.show(offset + message.size);
    if (size < 0) throw new Error(`entry at ${offset} does not parse (${size}) though we wrote it`);
    if (offset < this.deleted.newest && offset < this.deleted.below(message.topicText())) {
      return this.ladder.show(offset + size);
    }
    dispatcher.prepare();
    dispatcher.deliver();
    this.dispatched++;
    this.lastTimestamp = message.storeTimestamp;
    this.ladder.show(offset + size);
    const listeners = this.#entryListeners;
    for (let i = 0; i < listeners.length; i++) listeners[i](dispatcher.entry);
  }
}
