/** Reads back what tests stored. */
import type { Simulation } from "@rmq/platform/simulated";
import { StoredMessage } from "@rmq/protocol";
import type { Store } from "@rmq/store";

const decoder = new TextDecoder();

/** A stored message as tests compare it. */
export interface ReadMessage {
  readonly body: string;
  readonly properties: Record<string, string>;
  readonly reconsumeTimes: number;
  readonly sysFlag: number;
  readonly physicalOffset: number;
  readonly storeTimestamp: number;
}

/** All messages of a queue that are visible. */
export async function readQueue(
  world: Simulation,
  store: Store,
  topic: string,
  queueId: number,
): Promise<ReadMessage[]> {
  const queue = store.existingQueue(topic, queueId);
  if (queue === null) return [];
  const found: ReadMessage[] = [];
  for (let offset = queue.min; offset < queue.max;) {
    offset = await world.finish(
      new Promise<number>((resolve) => {
        const request = { queue, offset, maxCount: 32, maxBytes: 262_144, tags: null, matches: null };
        store.get(request, (result) => {
          for (let i = 0; i < result.pieces; i++) {
            found.push(...messagesIn(result.buffers[i], result.starts[i], result.ends[i]));
          }
          resolve(result.nextBeginOffset);
        });
      }),
    );
  }
  return found;
}

function messagesIn(bytes: Uint8Array, start: number, end: number): ReadMessage[] {
  const message = new StoredMessage();
  const found: ReadMessage[] = [];
  for (let at = start; at < end; at += message.size) {
    if (message.parse(bytes, at, end, true) <= 0) throw new Error("an entry does not parse");
    const text = decoder.decode(bytes.subarray(message.propertiesStart, message.propertiesEnd));
    found.push({
      body: decoder.decode(bytes.subarray(message.bodyStart, message.bodyEnd)),
      properties: Object.fromEntries(
        text.split("\x02").filter((pair) => pair !== "").map((pair) => pair.split("\x01")),
      ),
      reconsumeTimes: message.reconsumeTimes,
      sysFlag: message.sysFlag,
      physicalOffset: message.physicalOffset,
      storeTimestamp: message.storeTimestamp,
    });
  }
  return found;
}
