import type { MessageQueue } from "../../network/route.ts";
import { md5Start } from "./md5.ts";
import type { AllocationStrategy } from "./strategy.ts";

/**
 * Queues to the member that follows them on a ring, so that few of them move when one joins or leaves. `points` is how
 * often each member stands on the ring. (AllocateMessageQueueConsistentHash, ConsistentHashRouter)
 */
export function consistentHash(points: number = 10): AllocationStrategy {
  let known = "";
  let ring: [point: number, member: string][] = [];
  return {
    name: "CONSISTENT_HASH",
    allocate({ clientId, queues, members }) {
      const text = members.join("\n");
      if (text !== known) [known, ring] = [text, ringOf(members, points)];
      return queues.filter((queue) => memberFor(queue, ring) === clientId);
    },
  };
}

function ringOf(members: readonly string[], points: number): [point: number, member: string][] {
  const byPoint = new Map<number, string>();
  for (const member of members) {
    for (let i = 0; i < points; i++) byPoint.set(md5Start(`${member}-${i}`), member);
  }
  return [...byPoint].sort(([a], [b]) => a - b);
}

function memberFor({ topic, brokerName, queueId }: MessageQueue, ring: readonly [number, string][]): string | null {
  if (ring.length === 0) return null;
  // What Java hashes is the text of a MessageQueue.
  const point = md5Start(`MessageQueue [topic=${topic}, brokerName=${brokerName}, queueId=${queueId}]`);
  let low = 0;
  for (let high = ring.length; low < high;) {
    const middle = (low + high) >> 1;
    if (ring[middle][0] < point) low = middle + 1;
    else high = middle;
  }
  return ring[low % ring.length][1];
}
