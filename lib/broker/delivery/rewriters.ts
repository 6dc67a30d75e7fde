import type { MessageDraft } from "@rmq/protocol";
import type { Store } from "@rmq/store";
import type { Topic } from "../topics/topic_table.ts";

/** Where a message is about to be stored; a rewriter may send it elsewhere. */
export interface Target {
  topic: Topic;
  queueId: number;
}

/** Why a message is not stored: response code and remark. */
export interface Refusal {
  readonly code: number;
  readonly remark: string;
}

/**
 * Changes a message before it is appended (half messages, delay levels, later property CRC, LMQ), or refuses it.
 * One that has nothing to do must find out by looking at a property's position.
 */
export type Rewriter = (draft: MessageDraft, target: Target) => Refusal | null;

/** What a rewriter answers after which no other may touch the message: a half message waits as it was sent. */
export const COMPLETE: Refusal = { code: 0, remark: "" };

/** The rewriters in their order: the single place where a message's way into the log forks. */
export class Rewriters {
  constructor(private readonly list: readonly Rewriter[]) {}

  /** Runs all until one refuses; null: append it to `target`. */
  apply(draft: MessageDraft, target: Target): Refusal | null {
    for (const rewrite of this.list) {
      const refusal = rewrite(draft, target);
      if (refusal !== null) return refusal === COMPLETE ? null : refusal;
    }
    return null;
  }
}

/** Appends `draft` to its target; an AppendStatus. */
export function appendTo(store: Store, draft: MessageDraft, target: Target): number {
  draft.topic = target.topic.nameBytes;
  draft.queueId = target.queueId;
  return store.append(draft, target.topic.queue(target.queueId));
}
