/** The cluster that the client is tried against, and a look at what it stored. */
import assert from "node:assert/strict";
import process from "node:process";
import { after, before } from "node:test";
import { connect, type ConnectOptions, type RocketMQ } from "@rmq/client";
import { hostPlatform } from "@rmq/platform";
import { RequestCode, StoredMessage } from "@rmq/protocol";
import { createClient, type RemotingClient } from "@rmq/remoting";
import { type Rmq, Scenario } from "../e2e/_rmq.ts";

const QUIET = { info: () => {}, warn: () => {}, error: () => {} };
const decoder = new TextDecoder();

/** A message as the broker has it. */
export interface Stored {
  readonly queueId: number;
  readonly body: string;
  readonly properties: ReadonlyMap<string, string>;
  readonly sysFlag: number;
  readonly bytes: Uint8Array;
}

/** A cluster of our own, or, by RMQ_TEST_NAMESRV and RMQ_TEST_BROKER, one that runs already. */
export class Cluster {
  namesrv = process.env.RMQ_TEST_NAMESRV ?? "";
  broker = process.env.RMQ_TEST_BROKER ?? "";
  /** Null for a cluster that is not ours. */
  rmq: Rmq | null = null;
  readonly ours: boolean = process.env.RMQ_TEST_NAMESRV === undefined;
  readonly #scenario = new Scenario();
  readonly #clients: RocketMQ[] = [];
  readonly #remoting: RemotingClient = createClient(hostPlatform(), {}, QUIET);
  #topics = 0;

  async start(): Promise<void> {
    if (!this.ours) return;
    const settings = { flushDiskType: "ASYNC_FLUSH", transactionTimeOut: 1000, transactionCheckInterval: 1000 };
    const flags = Object.entries(settings).flatMap(([key, value]) => [`--${key}`, String(value)]);
    const { rmq, namesrv, broker } = await this.#scenario.standalone(...flags);
    Object.assign(this, { rmq, namesrv, broker });
  }

  async end(): Promise<void> {
    await Promise.all(this.#clients.map((mq) => mq.close({ drain: 0 })));
    this.#remoting.close();
    await this.#scenario.end();
  }

  /** A client that is closed at the end. */
  async client(options: ConnectOptions = {}): Promise<RocketMQ> {
    const mq = await connect(this.namesrv, options);
    this.#clients.push(mq);
    return mq;
  }

  /** A name that nobody has used. */
  name(prefix: string): string {
    return `${prefix}-${process.pid}-${hostPlatform().random.below(1e9)}-${this.#topics++}`;
  }

  /** All messages of a topic, by queue, read without the client that is tried. */
  async stored(topic: string, queues = 4): Promise<Stored[]> {
    const all: Stored[] = [];
    for (let queueId = 0; queueId < queues; queueId++) all.push(...await this.#storedIn(topic, queueId));
    return all;
  }

  async #storedIn(topic: string, queueId: number): Promise<Stored[]> {
    const all: Stored[] = [];
    for (let offset = 0;;) {
      const fields = {
        consumerGroup: "TOOLS_CONSUMER",
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
      };
      const answer = await this.#remoting.request(this.broker, { code: RequestCode.PULL_MESSAGE, fields }, 10_000);
      if (answer.code !== 0 || answer.body === null) return all;
      all.push(...messagesIn(answer.body));
      offset = Number(answer.fields.get("nextBeginOffset"));
    }
  }
}

function messagesIn(bytes: Uint8Array): Stored[] {
  const stored = new StoredMessage();
  const all: Stored[] = [];
  for (let at = 0; at < bytes.length; at += stored.size) {
    assert.ok(stored.parse(bytes, at, bytes.length, true) > 0, "a message that does not parse");
    const text = decoder.decode(bytes.subarray(stored.propertiesStart, stored.propertiesEnd));
    const body = bytes.slice(stored.bodyStart, stored.bodyEnd);
    all.push({
      queueId: stored.queueId,
      body: decoder.decode(body),
      properties: new Map(
        text.split("\x02").filter((pair) => pair !== "").map((pair) => pair.split("\x01") as [string, string]),
      ),
      sysFlag: stored.sysFlag,
      bytes: body,
    });
  }
  return all;
}

/** One cluster for the tests of a file. */
export function cluster(): Cluster {
  const shared = new Cluster();
  before(() => shared.start());
  after(() => shared.end());
  return shared;
}

/** Asks again until the answer is right, for up to 45 s: members look at their shares and locks every 20 s. */
export async function eventually<T>(ask: () => Promise<T> | T, right: (answer: T) => boolean): Promise<T> {
  for (let i = 0;; i++) {
    const answer = await ask();
    if (right(answer) || i === 450) return answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
