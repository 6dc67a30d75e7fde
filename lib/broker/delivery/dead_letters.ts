import { DLQ_PREFIX, Perm } from "@rmq/protocol";
import type { BrokerState } from "../state.ts";
import type { Topic } from "../topics/topic_table.ts";

/** From this MQVersion ordinal on (3.4.9) a client says itself how often its messages are tried. */
const SAYS_MAX_RECONSUME_TIMES = 121;

/** Dead letters of a group lie in one queue. */
export const DEAD_LETTER_QUEUE = 0;

/** The topic for messages that a group gave up; made when it is new. null: it can't be made. */
export function deadLetterTopic(state: Pick<BrokerState, "topics">, group: string): Topic | null {
  return state.topics.createOnSendBack(DLQ_PREFIX + group, 1, Perm.READ | Perm.WRITE, 0);
}

/** How often a group's messages are tried: what the client asks for (NaN: nothing), else what the group is set to. */
export function maxReconsumeTimes(clientVersion: number, asked: number, ofGroup: number): number {
  return clientVersion >= SAYS_MAX_RECONSUME_TIMES && !Number.isNaN(asked) ? asked : ofGroup;
}
