/** Brokers that break a promise about messages that are kept for later. Each must be caught. */
import type { Clock } from "@rmq/platform";
import { KnownProperty, MessageDraft } from "@rmq/protocol";
import { AppendStatus } from "@rmq/store";
import type { Broker } from "../../lib/broker/mod.ts";

/** What is broken in the broker. */
export interface MessagingSabotage {
  /** Gives it another clock. */
  readonly clock?: (clock: Clock) => Clock;
  /** Changes it when it has started. */
  readonly broker?: (broker: Broker, clock: Clock) => void;
}

/** How much later than it says it stores a message, ms. */
const LATE_MS = 400;
/** How far a clock is ahead, ms. */
const AHEAD_MS = 1500;

/** What the broker itself stores, as far as `isHit` picks it, counts as safe at once and is stored some time later. */
function storedLate(isHit: (topic: string, draft: MessageDraft, schedule: boolean) => boolean): MessagingSabotage {
  return {
    broker: ({ state: { put } }, clock) => {
      const honest = put.put.bind(put);
      put.put = (draft, topic, queueId, schedule, done) => {
        if (!isHit(topic.name, draft, schedule)) return honest(draft, topic, queueId, schedule, done);
        const kept = copyOf(draft);
        clock.setTimer(LATE_MS, () => honest(kept, topic, queueId, schedule, () => {}));
        done(AppendStatus.OK, 0, 0);
      };
    },
  };
}

function copyOf(draft: MessageDraft): MessageDraft {
  const copy = Object.assign(new MessageDraft(), draft);
  copy.body = draft.body.slice(draft.bodyStart, draft.bodyEnd);
  copy.bodyStart = 0;
  copy.bodyEnd = copy.body.length;
  copy.properties = new MessageDraft().properties;
  copy.properties.readText(draft.properties.bytes.slice(), 0, draft.properties.length);
  return copy;
}

/** A delayed message or a timer that is put where it was sent to. */
function isDelivery(draft: MessageDraft, schedule: boolean, timer: boolean): boolean {
  const { properties } = draft;
  return !schedule && properties.has(KnownProperty.REAL_TOPIC) && properties.has(KnownProperty.TIMER_OUT_MS) === timer;
}

export const messagingSabotages: Readonly<Record<string, MessagingSabotage>> = {
  "counts delayed messages as delivered before they are stored": storedLate((topic, draft, schedule) =>
    !topic.startsWith("RMQ_SYS_") && isDelivery(draft, schedule, false)
  ),
  "counts timers as delivered before they are stored": storedLate((topic, draft, schedule) =>
    !topic.startsWith("rmq_sys_") && isDelivery(draft, schedule, true)
  ),
  "answers the end of a transaction before it is written down": storedLate((topic) =>
    topic === "RMQ_SYS_TRANS_OP_HALF_TOPIC"
  ),
  "answers what is given back or committed before it is stored": storedLate((_topic, _draft, schedule) => schedule),
  "has a clock that is ahead": {
    clock: (clock) => ({
      nowMs: () => clock.nowMs() + AHEAD_MS,
      monotonicUs: () => clock.monotonicUs(),
      setTimer: (delayMs, run) => clock.setTimer(delayMs, run),
      every: (periodMs, run) => clock.every(periodMs, run),
      afterTurn: (run) => clock.afterTurn(run),
      localTime: (ms) => clock.localTime(ms),
    }),
  },
};
