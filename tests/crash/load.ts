/** A sender that remembers what was acknowledged, and a reader that looks whether it is still there. */
import { RequestCode, ResponseCode } from "@rmq/protocol";
import type { RemotingClient } from "@rmq/remoting";
import { messagesIn, pullRequest, quietClient, sendRequest } from "../messaging/wire.ts";

/** One message that the broker said it has. */
export interface Acknowledged {
  readonly id: string;
  readonly topic: string;
  readonly queueId: number;
  readonly queueOffset: number;
}

/** What stands in the broker now: bodies by topic@queue, in order of queue offsets. */
export interface Stored {
  readonly ids: Map<string, string[]>;
  /** Violations found while reading: gaps, entries that can't be parsed. */
  readonly problems: string[];
}

/**
 * Sends from `inFlight` loops until the broker is gone, or `limit` messages of each loop; each message is sent once.
 * Adds to `acknowledged` what was answered with code 0.
 */
export async function sendUntilGone(
  address: string,
  options: {
    topics: readonly string[];
    queues: number;
    inFlight: number;
    connections: number;
    round: number;
    limit?: number;
  },
  acknowledged: Acknowledged[],
): Promise<void> {
  const clients = Array.from({ length: options.connections }, () => quietClient());
  const filler = "x".repeat(700);
  const loop = async (worker: number) => {
    const client = clients[worker % clients.length];
    for (let n = 0; n < (options.limit ?? Infinity); n++) {
      const id = `R${options.round}W${worker}N${n}`;
      const topic = options.topics[(worker + n) % options.topics.length];
      const queueId = n % options.queues;
      try {
        const request = sendRequest({
          group: "crash",
          topic,
          queueId,
          body: `${id} ${filler.slice(0, (n * 37) % 700)}`,
          bornMs: Date.now(),
          properties: { UNIQ_KEY: id, WAIT: "true", TAGS: `T${queueId}`, KEYS: `k${id}` },
        });
        const answer = await client.request(address, request, 10_000);
        if (answer.code === ResponseCode.SUCCESS) {
          acknowledged.push({
            id,
            topic,
            queueId: Number(answer.fields.get("queueId")),
            queueOffset: Number(answer.fields.get("queueOffset")),
          });
        }
      } catch {
        return; // the broker is gone: this one was not acknowledged
      }
    }
  };
  await Promise.all(Array.from({ length: options.inFlight }, (_, worker) => loop(worker)));
  for (const client of clients) client.close();
}

async function offsetOf(client: RemotingClient, address: string, code: number, topic: string, queueId: number) {
  const answer = await client.request(address, { code, fields: { topic, queueId } }, 10_000);
  if (answer.code !== ResponseCode.SUCCESS) throw new Error(`code ${code} for ${topic}@${queueId}: ${answer.remark}`);
  return Number(answer.fields.get("offset"));
}

/** Reads everything that the broker serves of `topics`. */
export async function readAll(address: string, topics: readonly string[], queues: number): Promise<Stored> {
  const client = quietClient();
  const ids = new Map<string, string[]>();
  const problems: string[] = [];
  for (const topic of topics) {
    for (let queueId = 0; queueId < queues; queueId++) {
      const max = await offsetOf(client, address, RequestCode.GET_MAX_OFFSET, topic, queueId);
      const list: string[] = [];
      ids.set(`${topic}@${queueId}`, list);
      for (let offset = 0; offset < max;) {
        const answer = await client.request(address, pullRequest("crash-reader", topic, queueId, offset), 10_000);
        const next = Number(answer.fields.get("nextBeginOffset"));
        if (answer.code !== ResponseCode.SUCCESS || answer.body === null || next <= offset) {
          problems.push(`${topic}@${queueId}: pull at ${offset} of ${max} answers ${answer.code} ${answer.remark}`);
          break;
        }
        takeBodies(answer.body, offset, list, (what) => problems.push(`${topic}@${queueId}: ${what}`));
        offset = next;
      }
      if (list.length !== max) problems.push(`${topic}@${queueId}: ${list.length} messages up to offset ${max}`);
    }
  }
  client.close();
  return { ids, problems };
}

function takeBodies(bytes: Uint8Array, from: number, into: string[], problem: (what: string) => void): void {
  let expected = from;
  try {
    for (const { queueOffset, body } of messagesIn(bytes)) {
      if (queueOffset !== expected) problem(`queue offset ${queueOffset} where ${expected} is due`);
      into.push(body.slice(0, body.indexOf(" ")));
      expected++;
    }
  } catch (error) {
    problem(`the answer to offset ${from}: ${String(error)}`);
  }
}

/** What breaks the promise: acknowledged messages that are not at their place, or stand twice. */
export function violations(acknowledged: readonly Acknowledged[], stored: Stored): string[] {
  const found = [...stored.problems];
  const count = new Map<string, number>();
  for (const list of stored.ids.values()) for (const id of list) count.set(id, (count.get(id) ?? 0) + 1);
  for (const [id, times] of count) if (times > 1) found.push(`${id} was sent once and stands ${times} times`);
  for (const { id, topic, queueId, queueOffset } of acknowledged) {
    const there = stored.ids.get(`${topic}@${queueId}`)?.[queueOffset];
    if (there !== id) {
      found.push(`${id} was acknowledged at ${topic}@${queueId} offset ${queueOffset}; there stands ${there}`);
    }
  }
  return found;
}
