import { RequestCode, ResponseCode } from "@rmq/protocol";
import { ClientError } from "../client_error.ts";
import { withNamespace } from "../namespace.ts";
import type { MessageQueue } from "../network/route.ts";
import { bodyOf, type Cluster, objectOf } from "./cluster.ts";

/** How far a group is in one queue. */
export interface GroupOffset {
  /** With the namespace. */
  readonly queue: MessageQueue;
  /** Offset that the next message of the queue gets. */
  readonly end: number;
  /** Offset up to which the group has consumed; −1: it has not begun. */
  readonly committed: number;
  /** Messages between the two. */
  readonly lag: number;
  /** When the last consumed message was stored, ms since 1970; 0 when it is not known. */
  readonly lastConsumedAt: number;
}

/** Where to set a group: the first message, behind the last, or the first that was stored at or after a time, ms. */
export type ResetTarget = "earliest" | "latest" | number;

/** Offsets of consumer groups. All methods reject with ClientError. */
export class OffsetAdmin {
  readonly #cluster: Cluster;

  /** Use `RocketMQ.admin`. */
  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** How far a group is in a topic, by broker and queue. (208) */
  async show(group: string, topic: string): Promise<GroupOffset[]> {
    const fields = { consumerGroup: this.#wire(group), topic: this.#wire(topic) };
    const found: GroupOffset[] = [];
    for (const { address } of await this.#cluster.mastersOf(fields.topic)) {
      const answer = await this.#cluster.network.invoke(address, { code: RequestCode.GET_CONSUME_STATS, fields });
      const { offsetTable } = bodyOf(`the offsets of ${group}`, answer);
      for (const [name, value] of Object.entries(objectOf(offsetTable))) found.push(offsetOf(name, objectOf(value)));
    }
    return found.sort((a, b) => compare(a.queue, b.queue));
  }

  /** Sets a group back or forward in a topic; members that are online go on from there. (222) */
  async reset(group: string, topic: string, to: ResetTarget): Promise<void> {
    const timestamp = to === "earliest" ? 0 : to === "latest" ? -1 : to;
    if (!Number.isSafeInteger(timestamp)) throw new ClientError("BAD_ARGUMENT", `${to} is no time`);
    const fields = { group: this.#wire(group), topic: this.#wire(topic), queueId: -1, timestamp, isForce: true };
    for (const { address } of await this.#cluster.mastersOf(fields.topic)) {
      const request = { code: RequestCode.INVOKE_BROKER_TO_RESET_OFFSET, fields };
      await this.#cluster.ask(`resetting ${group}`, address, request);
    }
  }

  /** The offset of a group in one queue, or null when it has none. (14) */
  async get(group: string, queue: MessageQueue): Promise<number | null> {
    const address = await this.#addressOf(queue);
    const fields = {
      consumerGroup: this.#wire(group),
      topic: queue.topic,
      queueId: queue.queueId,
      setZeroIfNotFound: false,
    };
    const answer = await this.#cluster.network.invoke(address, { code: RequestCode.QUERY_CONSUMER_OFFSET, fields });
    if (answer.code === ResponseCode.QUERY_NOT_FOUND) return null;
    return Number(expectOffset(answer.fields.get("offset"), answer.code, answer.remark));
  }

  /** Sets the offset of a group in one queue, while none of its members reads it. (15) */
  async set(group: string, queue: MessageQueue, offset: number): Promise<void> {
    const address = await this.#addressOf(queue);
    const { topic, queueId } = queue;
    const fields = { consumerGroup: this.#wire(group), topic, queueId, commitOffset: offset };
    await this.#cluster.ask(`setting ${group}`, address, { code: RequestCode.UPDATE_CONSUMER_OFFSET, fields });
  }

  async #addressOf({ topic, brokerName }: MessageQueue): Promise<string> {
    await this.#cluster.network.routes.route(topic);
    const address = this.#cluster.network.brokerAddress(brokerName);
    if (address !== null) return address;
    throw new ClientError("BROKER_UNREACHABLE", `broker ${brokerName} has no address`);
  }

  #wire(name: string): string {
    return withNamespace(this.#cluster.network.options.namespace, name);
  }
}

function offsetOf(name: string, value: Record<string, unknown>): GroupOffset {
  const { topic, brokerName, queueId } = JSON.parse(name) as MessageQueue;
  const end = Number(value.brokerOffset);
  const committed = Number(value.consumerOffset);
  const lag = end - Math.max(committed, 0);
  return {
    queue: { topic, brokerName, queueId },
    end,
    committed,
    lag,
    lastConsumedAt: Number(value.lastTimestamp ?? 0),
  };
}

function compare(a: MessageQueue, b: MessageQueue): number {
  if (a.brokerName !== b.brokerName) return a.brokerName < b.brokerName ? -1 : 1;
  return a.queueId - b.queueId;
}

function expectOffset(text: string | null | undefined, code: number, remark: string | null): string {
  if (code === ResponseCode.SUCCESS && text) return text;
  throw new ClientError("REFUSED", `the offset was refused with code ${code}: ${remark ?? ""}`, { responseCode: code });
}
