/** A sender that remembers what was acknowledged, and a reader that looks whether it is still there. */
import { hostPlatform, type Logger } from "@rmq/platform";
import { RequestCode, ResponseCode, StoredMessage } from "@rmq/protocol";
import { createClient, type RemotingClient } from "@rmq/remoting";

const quiet: Logger = { info() {}, warn() {}, error() {} };

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

/** A remoting client that complains to nobody: connections are cut on purpose here. */
export function quietClient(): RemotingClient {
  return createClient(hostPlatform(), {}, quiet);
}

function sendFields(topic: string, queueId: number, id: string): Record<string, string | number | boolean> {
  return {
    a: "crash",
    b: topic,
    c: "TBW102",
    d: 4,
    e: queueId,
    f: 0,
    g: Date.now(),
    h: 0,
    i: `UNIQ_KEY\u0001${id}\u0002WAIT\u0001true\u0002TAGS\u0001T${queueId}\u0002KEYS\u0001k${id}\u0002`,
    j: 0,
    k: false,
    m: false,
  };
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
  const clients = Array.from({ length: options.connections }, quietClient);
  const filler = "x".repeat(700);
  const loop = async (worker: number) => {
    const client = clients[worker % clients.length];
    for (let n = 0; n < (options.limit ?? Infinity); n++) {
      const id = `R${options.round}W${worker}N${n}`;
      const topic = options.topics[(worker + n) % options.topics.length];
      const queueId = n % options.queues;
      try {
        const answer = await client.request(address, {
          code: RequestCode.SEND_MESSAGE_V2,
          fields: sendFields(topic, queueId, id),
          body: new TextEncoder().encode(`${id} ${filler.slice(0, (n * 37) % 700)}`),
        }, 10_000);
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
        const answer = await pullOnce(client, address, topic, queueId, offset);
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

function pullOnce(client: RemotingClient, address: string, topic: string, queueId: number, offset: number) {
  return client.request(address, {
    code: RequestCode.PULL_MESSAGE,
    fields: {
      consumerGroup: "crash-reader",
      topic,
      queueId,
      queueOffset: offset,
      maxMsgNums: 32,
      sysFlag: 4,
      commitOffset: 0,
      suspendTimeoutMillis: 0,
      subscription: "*",
      subVersion: 0,
      expressionType: "TAG",
    },
  }, 10_000);
}

function takeBodies(bytes: Uint8Array, from: number, into: string[], problem: (what: string) => void): void {
  const message = new StoredMessage();
  let expected = from;
  for (let at = 0; at < bytes.length;) {
    const size = message.parse(bytes, at, bytes.length, true);
    if (size <= 0) return problem(`an entry in the answer to offset ${expected} does not parse (${size})`);
    if (message.queueOffset !== expected) problem(`queue offset ${message.queueOffset} where ${expected} is due`);
    const body = new TextDecoder().decode(bytes.subarray(message.bodyStart, message.bodyEnd));
    into.push(body.slice(0, body.indexOf(" ")));
    expected++;
    at += size;
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
