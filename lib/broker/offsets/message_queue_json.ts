import { type JsonValue, parseJson } from "@rmq/protocol";
import { JsonMembers } from "../json_members.ts";

/** A MessageQueue as fastjson prints it; also the unquoted key of a map by queue (remoting §10). */
export function messageQueueJson(brokerName: string, topic: string, queueId: number): string {
  return `{"brokerName":${JSON.stringify(brokerName)},"queueId":${queueId},"topic":${JSON.stringify(topic)}}`;
}

/** A table of numbers by queue, `{{"brokerName":…}:5}`, read from a peer and printed again. Throws BadJson. */
export function offsetsByQueueJson(value: JsonValue | undefined): string {
  const table = JsonMembers.of(value);
  const members = table?.names().flatMap((name) => {
    const queue = name.startsWith("{") ? JsonMembers.of(parseJson(name)) : null;
    if (queue === null) return [];
    const key = messageQueueJson(queue.text("brokerName") ?? "", queue.text("topic") ?? "", queue.int("queueId", 0));
    return [`${key}:${table.int(name, 0)}`];
  });
  return `{${(members ?? []).join(",")}}`;
}
