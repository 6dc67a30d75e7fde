/**
 * A store directory with open and ended transactions changes hands between our broker and Apache's 5.5.0: what is open
 * is checked on by the other, what has ended is not.
 *
 *   deno run -A tests/interop/transaction_exchange.ts
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostPlatform } from "@rmq/platform";
import { type Header, RequestCode, StoredMessage } from "@rmq/protocol";
import { createClient, type RemotingClient } from "@rmq/remoting";
import { startApacheBroker, startApacheNamesrv } from "../../scripts/peers/apache.ts";
import { startRmqBroker } from "../../scripts/peers/rmq.ts";
import { freePort, type ServerProcess } from "../../scripts/peers/server_process.ts";
import { readAll } from "../crash/load.ts";
import type { Turn } from "./directory_exchange.ts";

const TOPIC = "TransactionExchange";
const GROUP = "transaction-exchange";
const COMMIT = 8;
const ROLLBACK = 12;
const quiet = { info() {}, warn() {}, error() {} };

// So that a turn takes seconds: half messages are checked soon and often, without being given up, but not before
// Apache has written down what has ended.
const config = {
  transactionCheckInterval: "1000",
  transactionTimeOut: "3000",
  transactionOpBatchInterval: "300",
  transactionCheckMax: "100",
  mappedFileSizeCommitLog: String(1024 * 1024),
};

/** Longer than Apache keeps op messages in memory, and than it takes for a check of what came last. */
const SETTLED_MS = 5000;
const CHECKED_MS = 30_000;

export interface TransactionExchangeResult {
  /** Transactions that the next owner was left to check. */
  readonly open: number;
  readonly violations: string[];
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A producer that says how a transaction ended when it is asked in a later turn than it was sent in. */
class Producer {
  readonly checked = new Set<string>();
  readonly #client: RemotingClient;

  constructor(private readonly address: string, private readonly turn: number) {
    const handlers = new Map([[RequestCode.CHECK_TRANSACTION_STATE, (header: Header) => this.#check(header)]]);
    this.#client = createClient(hostPlatform(), { handlers }, quiet);
  }

  async heartbeat(): Promise<void> {
    const body = { clientID: "exchange", producerDataSet: [{ groupName: GROUP }], consumerDataSet: [] };
    await this.#ask(RequestCode.HEART_BEAT, {}, JSON.stringify(body));
  }

  /** Sends a half message and ends it, unless it is to stay open. */
  async transaction(id: string): Promise<void> {
    const properties = `TRAN_MSG\x01true\x02PGROUP\x01${GROUP}\x02UNIQ_KEY\x01${id}\x02`;
    const fields = { a: GROUP, b: TOPIC, c: "TBW102", d: 1, e: 0, f: 4, g: Date.now(), h: 0, i: properties, j: 0 };
    const sent = await this.#ask(RequestCode.SEND_MESSAGE_V2, { ...fields, k: "false", m: "false" }, id);
    if (id.startsWith("open")) return;
    const offset = parseInt(String(sent.get("msgId")).slice(16), 16);
    await this.#end(id, Number(sent.get("queueOffset")), offset, false);
  }

  close(): void {
    this.#client.close();
  }

  #end(id: string, halfOffset: number, offset: number, fromTransactionCheck: boolean) {
    return this.#ask(RequestCode.END_TRANSACTION, {
      producerGroup: GROUP,
      tranStateTableOffset: halfOffset,
      commitLogOffset: offset,
      commitOrRollback: id.startsWith("no") ? ROLLBACK : COMMIT,
      fromTransactionCheck,
      msgId: id,
      topic: TOPIC,
    });
  }

  async #ask(code: number, fields: Record<string, string | number | boolean>, text = "") {
    const body = new TextEncoder().encode(text);
    const answer = await this.#client.request(this.address, { code, fields, body }, 10_000);
    if (answer.code !== 0) throw new Error(`code ${code} is answered with ${answer.code}: ${answer.remark}`);
    return answer.fields;
  }

  #check(header: Header): void {
    const message = new StoredMessage();
    const bytes = header.bytes.slice(header.bodyStart, header.bodyEnd);
    if (message.parse(bytes, 0, bytes.length, true) <= 0) throw new Error("the message of a check can't be parsed");
    const id = new TextDecoder().decode(bytes.subarray(message.bodyStart, message.bodyEnd));
    this.checked.add(id);
    if (id.split(" ")[1] === String(this.turn)) return;
    const fields = new Map(header.extEntries());
    this.#end(id, Number(fields.get("tranStateTableOffset")), Number(fields.get("commitLogOffset")), true)
      // Its broker may be stopped at any time; what is lost with the answer is checked again.
      .catch(() => {});
  }
}

/** Lets the owners take turns on one directory: each checks what it finds open, then leaves transactions of its own. */
export async function exchangeTransactions(turns: readonly Turn[]): Promise<TransactionExchangeResult> {
  const directory = mkdtempSync(join(tmpdir(), "rmq-transactions-"));
  const violations: string[] = [];
  const wanted: string[] = [];
  let open: string[] = [];
  let left = 0;
  const namesrv = await startApacheNamesrv({ directory });
  let broker: ServerProcess | null = null;
  try {
    for (const [round, turn] of turns.entries()) {
      const port = await freePort([-2, 1]);
      const options = { directory, port, namesrv: namesrv.address };
      broker = turn.owner === "rmq"
        ? await startRmqBroker({ ...options, config })
        : await startApacheBroker({ ...options, config: { ...config, flushDiskType: "SYNC_FLUSH" } });
      const producer = new Producer(broker.address, round);
      await producer.heartbeat();
      const until = Date.now() + CHECKED_MS;
      while (open.some((id) => !producer.checked.has(id)) && Date.now() < until) await pause(100);
      for (const id of open) if (!producer.checked.has(id)) violations.push(`turn ${round}: ${id} is not checked`);
      for (const id of producer.checked) {
        if (!open.includes(id)) violations.push(`turn ${round}: ${id} had ended, and is checked`);
      }
      left += open.length;
      if (round > 0) await pause(SETTLED_MS);
      open = [];
      if (round < turns.length - 1) {
        for (const kind of ["yes", "no", "open", "open", "no", "yes"]) {
          const id = `${kind} ${round} ${wanted.length}${open.length}${kind}`;
          await producer.transaction(id);
          if (kind !== "no") wanted.push(id);
          if (kind === "open") open.push(id);
        }
        await pause(SETTLED_MS);
      } else {
        const stored = await readAll(broker.address, [TOPIC], 1);
        const found = (stored.ids.get(`${TOPIC}@0`) ?? []).join("\n");
        for (const kind of ["yes", "open"]) {
          const count = wanted.filter((id) => id.startsWith(kind)).length;
          const seen = found.split("\n").filter((id) => id.startsWith(kind)).length;
          if (seen < count) violations.push(`${seen} of ${count} transactions "${kind}" are delivered`);
        }
        if (/^no/m.test(found)) violations.push("a transaction that was rolled back is delivered");
        violations.push(...stored.problems);
      }
      producer.close();
      if (turn.ending === "stopped") await broker.stop();
      else await broker.kill();
    }
  } finally {
    await broker?.kill();
    await namesrv.kill();
    rmSync(directory, { recursive: true, force: true });
  }
  return { open: left, violations };
}

/** Both directions, after a clean stop and after a kill. */
export const transactionExchanges: Record<string, Turn[]> = {
  "transactions go on in Apache 5.5.0 after rmq was stopped, and come back": [
    { owner: "rmq", ending: "stopped" },
    { owner: "apache", ending: "stopped" },
    { owner: "rmq", ending: "stopped" },
  ],
  "transactions go on in Apache 5.5.0 after rmq was killed, and come back killed": [
    { owner: "rmq", ending: "killed" },
    { owner: "apache", ending: "killed" },
    { owner: "rmq", ending: "stopped" },
  ],
};

if (import.meta.main) {
  let failed = false;
  for (const [name, turns] of Object.entries(transactionExchanges)) {
    console.log(name);
    const { open, violations } = await exchangeTransactions(turns);
    console.log(`  ${open} open transactions changed hands, ${violations.length} violations`);
    for (const what of violations.slice(0, 10)) console.error(`  ${what}`);
    failed ||= violations.length > 0;
  }
  process.exit(failed ? 1 : 0);
}
