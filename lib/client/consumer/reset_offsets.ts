import { type JsonObject, type JsonValue, parseJson } from "@rmq/protocol";
import { ClientError } from "../client_error.ts";
import { keyOf } from "./local_offsets.ts";

/**
 * Offsets by `keyOf` of the queue, of a broker's order to begin queues elsewhere (220): a map by queue, or the list that
 * clients in C++ get. Throws ClientError `BAD_ANSWER`. (ResetOffsetBody, ResetOffsetBodyForC)
 */
export function resetOffsets(topic: string, body: Uint8Array): Map<string, number> {
  const offsets = new Map<string, number>();
  const note = (queue: JsonObject, offset: JsonValue | undefined): void => {
    const at = Number(offset);
    if (!Number.isSafeInteger(at) || at < 0 || queue.topic !== topic) return;
    offsets.set(keyOf({ topic, brokerName: String(queue.brokerName), queueId: Number(queue.queueId) }), at);
  };
  try {
    const { offsetTable } = parseJson(body) as JsonObject;
    if (Array.isArray(offsetTable)) {
      for (const each of offsetTable) note(each as JsonObject, (each as JsonObject).offset);
    } else {
      for (const [name, offset] of Object.entries(offsetTable as JsonObject)) {
        note(parseJson(name) as JsonObject, offset);
      }
    }
  } catch (cause) {
    throw new ClientError("BAD_ANSWER", "an order to reset offsets that cannot be read", { cause });
  }
  return offsets;
}
