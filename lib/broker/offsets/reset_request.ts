import { messageQueueJson } from "./message_queue_json.ts";

/** What an operator asks with 222 (`ResetOffsetRequestHeader`). */
export interface ResetRequest {
  readonly topic: string;
  readonly group: string;
  /** Below 0: all queues of the topic. */
  readonly queueId: number;
  /** Store time to go back to, ms; -1: the end of each queue. */
  readonly timestampMs: number;
  /** Of one queue, in place of a time; -1: the time counts. */
  readonly offset: number;
  /** May move a group forward too; asked of pushed resets only. */
  readonly isForce: boolean;
  /** Members get a list where Java has a map with objects as keys. */
  readonly forC: boolean;
}

const encoder = new TextEncoder();

/** Where each queue of a topic goes, as `ResetOffsetBody`. */
export function resetBody(brokerName: string, topic: string, table: ReadonlyMap<number, number>): Uint8Array {
  const members = [...table].map(([queueId, offset]) => `${messageQueueJson(brokerName, topic, queueId)}:${offset}`);
  return encoder.encode(`{"offsetTable":{${members.join(",")}}}`);
}

/** The same as `ResetOffsetBodyForC`: a list, for readers that know no objects as keys. */
export function resetListBody(brokerName: string, topic: string, table: ReadonlyMap<number, number>): Uint8Array {
  const offsetTable = [...table].map(([queueId, offset]) => ({ brokerName, offset, queueId, topic }));
  return encoder.encode(JSON.stringify({ offsetTable }));
}
