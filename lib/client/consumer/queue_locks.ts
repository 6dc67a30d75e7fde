import { RequestCode, toJson } from "@rmq/protocol";
import { ClientError, expectSuccess } from "../client_error.ts";
import type { JsonObject, JsonValue } from "@rmq/protocol";
import { parseJson } from "@rmq/protocol";
import type { Network } from "../network/network.ts";
import type { MessageQueue } from "../network/route.ts";
import { keyOf } from "./local_offsets.ts";
import { masterOf } from "./queue_offsets.ts";

const encoder = new TextEncoder();

/** Locks of a group that consumes in order: a queue is read by the member that holds its lock. (RebalanceImpl.lock …) */
export class QueueLocks {
  readonly #network: Network;
  readonly #group: string;

  constructor(network: Network, group: string) {
    this.#network = network;
    this.#group = group;
  }

  /** Locks, or locks anew, queues of one broker; those that are held now. (41) Rejects with ClientError. */
  async lock(queues: readonly MessageQueue[]): Promise<MessageQueue[]> {
    const response = await this.#ask(RequestCode.LOCK_BATCH_MQ, queues);
    const { lockOKMQSet } = objectOf(parseJson(response.body ?? new Uint8Array()));
    const held = new Set((Array.isArray(lockOKMQSet) ? lockOKMQSet : []).map((each) => keyOf(queueOf(each))));
    return queues.filter((queue) => held.has(keyOf(queue)));
  }

  /** Gives up locks of one broker. (42) Rejects with ClientError. */
  async unlock(queues: readonly MessageQueue[]): Promise<void> {
    await this.#ask(RequestCode.UNLOCK_BATCH_MQ, queues);
  }

  async #ask(code: number, queues: readonly MessageQueue[]): Promise<{ body: Uint8Array | null }> {
    const text = toJson({
      clientId: this.#network.clientId,
      consumerGroup: this.#group,
      mqSet: queues.map(({ topic, brokerName, queueId }) => ({ topic, brokerName, queueId })),
      onlyThisBroker: false,
    });
    const address = await masterOf(this.#network, queues[0]);
    return expectSuccess(
      `locks of ${this.#group}`,
      await this.#network.invoke(address, { code, fields: {}, body: encoder.encode(text) }),
    );
  }
}

/** Queues by the broker that has them. */
export function byBroker<Q extends MessageQueue>(queues: Iterable<Q>): Q[][] {
  const brokers = new Map<string, Q[]>();
  for (const queue of queues) {
    const there = brokers.get(queue.brokerName);
    if (there === undefined) brokers.set(queue.brokerName, [queue]);
    else there.push(queue);
  }
  return [...brokers.values()];
}

function objectOf(value: JsonValue): JsonObject {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new ClientError("BAD_ANSWER", "an answer that is no JSON object");
}

function queueOf(value: JsonValue): MessageQueue {
  const { topic, brokerName, queueId } = objectOf(value);
  return { topic: String(topic), brokerName: String(brokerName), queueId: Number(queueId) };
}
