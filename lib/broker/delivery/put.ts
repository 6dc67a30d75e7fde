import type { MessageDraft } from "@rmq/protocol";
import { storedSize } from "@rmq/protocol";
import { AppendStatus, type Store } from "@rmq/store";
import { appendTo, type Rewriters, type Target } from "./rewriters.ts";
import type { Topic } from "../topics/topic_table.ts";

/** Told how a message of the broker's own fared: an AppendStatus (0: stored and visible), and where it stands. */
export type PutDone = (status: number, physicalOffset: number, queueOffset: number) => void;

/** Puts messages that the broker makes itself: delayed deliveries, retries, dead letters. */
export interface Put {
  /**
   * Appends `draft` to queue `queueId` of `topic`; with `schedule`, after the rewriters (a DELAY property sends it by way
   * of the schedule topic). `done` is called once: with 0 when the message is visible, or with the AppendStatus of the
   * refusal (at once, or when its write was rolled back). BUSY too while `topic` is not on disk itself: a message in the
   * log whose topic a crash forgot would get in the way of those in the topic made anew. The draft may be reused when the
   * call returns.
   */
  put(draft: MessageDraft, topic: Topic, queueId: number, schedule: boolean, done: PutDone): void;
}

/** {@link Put} on the store: waiters stand in append order, so that one pass lets go all that became visible. */
export class StorePut implements Put {
  private readonly needs: number[] = [];
  private readonly offsets: number[] = [];
  private readonly queueOffsets: number[] = [];
  private readonly dones: PutDone[] = [];
  private first = 0;

  constructor(
    private readonly store: Store,
    private readonly rewriters: Rewriters,
  ) {
    store.onAdvance(() => this.release());
    store.onRollback((from) => this.rollback(from));
  }

  put(draft: MessageDraft, topic: Topic, queueId: number, schedule: boolean, done: PutDone): void {
    const target: Target = { topic, queueId };
    // A topic that was deleted meanwhile has no queues any more: nobody would ever read the message.
    if (topic.deleted || schedule && this.rewriters.apply(draft, target) !== null) {
      done(AppendStatus.MESSAGE_ILLEGAL, -1, -1);
      return;
    }
    const status = topic.durable ? appendTo(this.store, draft, target) : AppendStatus.BUSY;
    if (status !== AppendStatus.OK) {
      done(status, -1, -1);
      return;
    }
    this.needs.push(draft.physicalOffset + storedSize(draft));
    this.offsets.push(draft.physicalOffset);
    this.queueOffsets.push(draft.queueOffset);
    this.dones.push(done);
  }

  private release(): void {
    const visible = this.store.visible;
    while (this.first < this.needs.length && this.needs[this.first] <= visible) {
      const at = this.first++;
      this.dones[at](AppendStatus.OK, this.offsets[at], this.queueOffsets[at]);
    }
    if (this.first === this.needs.length) this.cut(0);
    else if (this.first > 4096) this.cut(this.first);
  }

  private rollback(from: number): void {
    let keep = this.needs.length;
    while (keep > this.first && this.offsets[keep - 1] >= from) keep--;
    const lost = this.dones.splice(keep);
    this.needs.length = this.offsets.length = this.queueOffsets.length = keep;
    for (const done of lost) done(AppendStatus.SERVICE_NOT_AVAILABLE, -1, -1);
  }

  /** Drops what was let go; 0 stands for all of it. */
  private cut(upTo: number): void {
    const count = upTo === 0 ? this.needs.length : upTo;
    for (const list of [this.needs, this.offsets, this.queueOffsets, this.dones]) list.splice(0, count);
    this.first = 0;
  }
}
