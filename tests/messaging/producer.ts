/** A producer that remembers what it was told, and answers for its transactions as long as it takes. */
import type { Clock, Random } from "@rmq/platform";
import { parseOffsetMessageId, RequestCode, ResponseCode, SysFlag } from "@rmq/protocol";
import type { Handler, PeerRequest, RemotingClient, Response } from "@rmq/remoting";
import type { Decision, Entry, Ledger } from "./ledger.ts";
import { messagesIn, sendRequest } from "./wire.ts";

/** Far beyond what an answer takes. */
const PATIENCE_MS = 20_000;
const HEARTBEAT_MS = 1000;

/** What a producer works with. */
export interface ProducerOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly ledger: Ledger;
  readonly topic: string;
  readonly queues: number;
  readonly group: string;
  /** Milliseconds of each delay level, the first one first. */
  readonly levelsMs: readonly number[];
}

/** When the producer of a transaction says how it ended: at once, some time later, or only when it is asked. */
export type Saying = "at once" | "later" | "when asked";

/** Where a half message stands. */
interface Half {
  readonly queueOffset: number;
  readonly physicalOffset: number;
}

export class Producer {
  readonly #options: ProducerOptions;
  #client: RemotingClient | null = null;
  #address = "";
  #count = 0;

  constructor(options: ProducerOptions) {
    this.#options = options;
  }

  /** What a client serves on its connections: checks of transactions. */
  handlers(): [code: number, handler: Handler][] {
    return [[RequestCode.CHECK_TRANSACTION_STATE, (header) => {
      const fields = new Map(header.extEntries());
      const half = {
        queueOffset: Number(fields.get("tranStateTableOffset")),
        physicalOffset: Number(fields.get("commitLogOffset")),
      };
      this.#check(header.bytes.slice(header.bodyStart, header.bodyEnd), half);
    }]];
  }

  /** Works with the broker at `address`, until `end` or the broker's. */
  begin(client: RemotingClient, address: string): void {
    this.#client = client;
    this.#address = address;
    void this.#beat(client);
  }

  end(): void {
    this.#client = null;
  }

  /** A message, due at once or with one of the delay levels. */
  send(about: Partial<Entry>, level = 0, size = 0): void {
    const { clock, ledger, levelsMs } = this.#options;
    const dueMs = clock.nowMs() + (level > 0 ? levelsMs[level - 1] : 0);
    const entry = ledger.add({ ...about, id: this.#id(level > 0 ? `delay${level}` : "plain"), dueMs });
    void this.#send(entry, size, level > 0 ? { DELAY: String(level) } : {});
  }

  /** A message with a time of its own, `delayMs` from now. */
  timer(about: Partial<Entry>, delayMs: number, property: "TIMER_DELAY_SEC" | "TIMER_DELAY_MS" | "TIMER_DELIVER_MS") {
    const { clock, ledger } = this.#options;
    const nowMs = clock.nowMs();
    const seconds = Math.ceil(delayMs / 1000);
    const dueMs = nowMs + (property === "TIMER_DELAY_SEC" ? seconds * 1000 : delayMs);
    const value = { TIMER_DELAY_SEC: seconds, TIMER_DELAY_MS: delayMs, TIMER_DELIVER_MS: dueMs }[property];
    const entry = ledger.add({ ...about, id: this.#id("timer"), dueMs });
    void this.#send(entry, 0, { [property]: String(value) });
  }

  /** A transaction; with a delay level its message is delayed from the commit on. */
  async transaction(about: Partial<Entry>, decision: Decision, saying: Saying, level = 0): Promise<void> {
    const { clock, ledger, levelsMs, group } = this.#options;
    const delayMs = level > 0 ? levelsMs[level - 1] : 0;
    const id = this.#id(decision);
    const entry = ledger.add({ ...about, id, dueMs: Infinity, decision, delayMs });
    const properties = { TRAN_MSG: "true", PGROUP: group, ...(level > 0 ? { DELAY: String(level) } : {}) };
    const answer = await this.#send(entry, 0, properties, SysFlag.TRANSACTION_PREPARED);
    if (answer === null || saying === "when asked") return;
    if (saying === "later") await new Promise<void>((resolve) => void clock.setTimer(700, resolve));
    const half = {
      queueOffset: Number(answer.fields.get("queueOffset")),
      physicalOffset: parseOffsetMessageId(answer.fields.get("msgId") ?? "").offset,
    };
    await this.#endTransaction(entry, half, false);
  }

  #id(kind: string): string {
    return `${kind}-${this.#count++}`;
  }

  /** Sends and writes down the answer; null: it was not stored as far as the producer knows. */
  async #send(
    entry: Entry,
    size: number,
    properties: Readonly<Record<string, string>>,
    sysFlag = 0,
  ): Promise<Response | null> {
    const { clock, random, ledger, topic, queues, group } = this.#options;
    const answer = await this.#ask(sendRequest({
      group,
      topic,
      queueId: random.below(queues),
      queues,
      body: `${entry.id} `.padEnd(size, "."),
      properties: { UNIQ_KEY: `UNIQ-${entry.id}`, KEYS: entry.id, WAIT: "true", ...properties },
      bornMs: clock.nowMs(),
      sysFlag,
    }));
    const stored = answer !== null && answer.code === ResponseCode.SUCCESS;
    ledger.answered(entry, stored);
    return stored ? answer : null;
  }

  #check(body: Uint8Array, half: Half): void {
    const { ledger } = this.#options;
    const [message] = messagesIn(body);
    const entry = ledger.check(message.body.split(" ")[0]);
    // Now and then a producer does not know yet.
    if (entry !== null && (entry.checks > 3 || this.#options.random.below(3) > 0)) {
      void this.#endTransaction(entry, half, true);
    }
  }

  async #endTransaction(entry: Entry, half: Half, fromCheck: boolean): Promise<void> {
    const { clock, ledger, group } = this.#options;
    ledger.ending(entry, clock.nowMs());
    const answer = await this.#ask({
      code: RequestCode.END_TRANSACTION,
      fields: {
        producerGroup: group,
        tranStateTableOffset: half.queueOffset,
        commitLogOffset: half.physicalOffset,
        commitOrRollback: entry.decision === "commit" ? SysFlag.TRANSACTION_COMMIT : SysFlag.TRANSACTION_ROLLBACK,
        fromTransactionCheck: fromCheck,
        msgId: `UNIQ-${entry.id}`,
        transactionId: `UNIQ-${entry.id}`,
      },
    });
    if (answer?.code === ResponseCode.SUCCESS) ledger.ended(entry);
  }

  /** Null: there was no answer. */
  async #ask(request: PeerRequest): Promise<Response | null> {
    try {
      return await this.#client?.request(this.#address, request, PATIENCE_MS) ?? null;
    } catch {
      return null;
    }
  }

  /** Heartbeats: by them the broker knows whom to ask. */
  async #beat(client: RemotingClient): Promise<void> {
    const { clock, group } = this.#options;
    const body = new TextEncoder().encode(JSON.stringify({
      clientID: "producer",
      producerDataSet: [{ groupName: group }],
      consumerDataSet: [],
    }));
    while (this.#client === client) {
      await this.#ask({ code: RequestCode.HEART_BEAT, fields: {}, body });
      await new Promise<void>((resolve) => void clock.setTimer(HEARTBEAT_MS, resolve));
    }
  }
}
