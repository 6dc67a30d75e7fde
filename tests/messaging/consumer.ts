/** A consumer that reads on where it was whatever happens to the broker, and gives back what it can't consume. */
import type { Clock } from "@rmq/platform";
import { RequestCode, ResponseCode } from "@rmq/protocol";
import type { RemotingClient, Response } from "@rmq/remoting";
import type { Ledger, SentBack } from "./ledger.ts";
import { messagesIn, pullRequest } from "./wire.ts";

const PATIENCE_MS = 20_000;
/** A pull waits so long at the broker. */
const SUSPEND_MS = 5000;
/** What can't be had now is asked for again after this long. */
const RETRY_MS = 200;

/** What a consumer works with. */
export interface ConsumerOptions {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly group: string;
  /** Topics and how many queues of each; its retry topic and its dead letters among them. */
  readonly topics: readonly { readonly topic: string; readonly queues: number }[];
  readonly maxReconsumeTimes: number;
}

/** A queue that is read, and how far. */
interface Reading {
  readonly topic: string;
  readonly queueId: number;
  next: number;
}

export class Consumer {
  readonly #options: ConsumerOptions;
  readonly #readings: Reading[];
  /** What is still to be given back. */
  readonly #owed = new Set<SentBack>();
  #client: RemotingClient | null = null;
  #address = "";

  constructor(options: ConsumerOptions) {
    this.#options = options;
    this.#readings = options.topics.flatMap(({ topic, queues }) =>
      Array.from({ length: queues }, (_, queueId) => ({ topic, queueId, next: 0 }))
    );
  }

  /** Reads from the broker at `address`, until `end`. `again`: everything from the beginning. */
  begin(client: RemotingClient, address: string, again: boolean): void {
    this.#client = client;
    this.#address = address;
    for (const reading of this.#readings) {
      if (again) reading.next = 0;
      void this.#read(client, reading);
    }
    for (const asked of this.#owed) void this.#giveBack(client, asked);
  }

  end(): void {
    this.#client = null;
  }

  async #read(client: RemotingClient, reading: Reading): Promise<void> {
    while (this.#client === client) {
      const pause = await this.#pull(client, reading);
      if (pause) await this.#sleep();
    }
  }

  /** True: there is nothing to be had for now. */
  async #pull(client: RemotingClient, reading: Reading): Promise<boolean> {
    const { clock, ledger, group } = this.#options;
    const { topic, queueId, next } = reading;
    const answer = await this.#ask(client, pullRequest(group, topic, queueId, next, SUSPEND_MS));
    if (answer === null || this.#client !== client) return true;
    if (answer.code !== ResponseCode.SUCCESS || answer.body === null) {
      const begin = Number(answer.fields.get("nextBeginOffset") ?? next);
      if (answer.code === ResponseCode.PULL_OFFSET_MOVED && begin < next) {
        ledger.broken.push(`${topic}@${queueId} was read up to ${next} and ends at ${begin}`);
        reading.next = begin;
      }
      return answer.code !== ResponseCode.PULL_NOT_FOUND;
    }
    for (const message of messagesIn(answer.body)) {
      if (message.queueOffset !== reading.next) {
        ledger.broken.push(`${topic}@${queueId} has ${message.queueOffset} where ${reading.next} is due`);
      }
      reading.next = message.queueOffset + 1;
      const asked = ledger.consumed(message, clock.nowMs());
      if (asked === null) continue;
      this.#owed.add(asked);
      void this.#giveBack(client, asked);
    }
    return false;
  }

  async #giveBack(client: RemotingClient, asked: SentBack): Promise<void> {
    const { clock, ledger, group, topics, maxReconsumeTimes } = this.#options;
    while (this.#client === client && !asked.acknowledged) {
      ledger.givingBack(asked, clock.nowMs());
      const answer = await this.#ask(client, {
        code: RequestCode.CONSUMER_SEND_MSG_BACK,
        fields: {
          group,
          offset: asked.physicalOffset,
          delayLevel: asked.level,
          originMsgId: asked.entry.id,
          originTopic: topics[0].topic,
          unitMode: false,
          maxReconsumeTimes,
        },
      });
      if (answer?.code === ResponseCode.SUCCESS) {
        asked.acknowledged = true;
        this.#owed.delete(asked);
      } else if (answer?.remark?.includes("look message by offset failed") === true) {
        ledger.broken.push(`${asked.entry.id} was read at ${asked.physicalOffset} and can't be given back from there`);
        this.#owed.delete(asked);
        return;
      } else await this.#sleep();
    }
  }

  async #ask(client: RemotingClient, request: Parameters<RemotingClient["request"]>[1]): Promise<Response | null> {
    try {
      return await client.request(this.#address, request, PATIENCE_MS);
    } catch {
      return null;
    }
  }

  #sleep(): Promise<void> {
    return new Promise((resolve) => void this.#options.clock.setTimer(RETRY_MS, resolve));
  }
}
