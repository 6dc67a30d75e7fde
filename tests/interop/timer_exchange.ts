/**
 * A store directory with timers that wait changes hands: what our broker left, stopped or killed, Apache's 5.5.0 broker
 * delivers, and the other way round.
 *
 *   deno run -A tests/interop/timer_exchange.ts
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startApacheBroker, startApacheNamesrv } from "../../scripts/peers/apache.ts";
import { createTopicAtBroker, request } from "../../scripts/peers/request.ts";
import { startRmqBroker } from "../../scripts/peers/rmq.ts";
import { freePort, type ServerProcess } from "../../scripts/peers/server_process.ts";
import { messagesIn, pullRequest, quietClient, sendRequest } from "../messaging/wire.ts";
import type { Ending, Owner } from "./directory_exchange.ts";

const TOPIC = "ExchangeTimers";
const COUNT = 200;
/** Ticks over which the messages are spread. */
const TICKS = 5;
/** How long the second broker has before the first message is due: a Java broker needs a while to start. */
const LEAD_MS = 15_000;
const PATIENCE_MS = 60_000;
const sizes = { mappedFileSizeCommitLog: String(1024 * 1024), flushDiskType: "SYNC_FLUSH" };
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));

export interface TimerExchangeResult {
  readonly violations: string[];
  /** Deliveries beyond the first one of a message. */
  readonly again: number;
}

/** `first` takes timers and ends, `second` goes on with its directory. */
export async function timerExchange(
  first: Owner,
  ending: Ending,
  second: Owner,
  log: (line: string) => void,
): Promise<TimerExchangeResult> {
  const directory = mkdtempSync(join(tmpdir(), "rmq-timer-exchange-"));
  const namesrv = await startApacheNamesrv({ directory });
  let broker: ServerProcess | null = null;
  try {
    broker = await start(first, directory, namesrv.address);
    await createTopicAtBroker(broker.address, TOPIC, 1);
    const due = await send(broker.address);
    // Some of it may be in the files of the timers, all of it is in the log.
    await wait(1500);
    if (ending === "stopped") await broker.stop();
    else await broker.kill();
    broker = await start(second, directory, namesrv.address);
    const left = Math.min(...due.values()) - Date.now();
    log(`${second} took over what ${first} left (${ending}), ${(left / 1000).toFixed(1)} s before the first is due`);
    return await check(broker.address, due);
  } finally {
    await broker?.kill();
    await namesrv.kill();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function start(owner: Owner, directory: string, namesrv: string): Promise<ServerProcess> {
  const port = await freePort([-2, 1]);
  const options = { directory, port, namesrv, config: sizes };
  return await (owner === "rmq" ? startRmqBroker(options) : startApacheBroker(options));
}

/** Sends the messages; answers when each is due. */
async function send(address: string): Promise<Map<string, number>> {
  const due = new Map<string, number>();
  const client = quietClient();
  const beginMs = Date.now() + LEAD_MS;
  for (let i = 0; i < COUNT; i++) {
    const dueMs = beginMs + i % (TICKS * 1000) * 37 % (TICKS * 1000);
    const properties = { UNIQ_KEY: `k${i}`, TIMER_DELIVER_MS: String(dueMs), WAIT: "true" };
    const message = { group: "exchange", topic: TOPIC, queueId: 0, body: `m${i}`, properties, bornMs: Date.now() };
    const answer = await client.request(address, sendRequest(message), 10_000);
    if (answer.code !== 0) throw new Error(`send: code ${answer.code}, ${answer.remark}`);
    due.set(`m${i}`, dueMs);
  }
  client.close();
  return due;
}

async function check(address: string, due: ReadonlyMap<string, number>): Promise<TimerExchangeResult> {
  const endMs = Math.max(...due.values()) + PATIENCE_MS;
  const violations: string[] = [];
  const times = new Map<string, number>();
  const client = quietClient();
  let offset = 0;
  let settledMs = Infinity;
  while (Date.now() < Math.min(endMs, settledMs)) {
    await wait(200);
    const { fields } = await request(address, 30, { topic: TOPIC, queueId: "0" });
    while (offset < Number(fields.offset)) {
      const answer = await client.request(address, pullRequest("exchange-reader", TOPIC, 0, offset), 10_000);
      if (answer.code !== 0 || answer.body === null) break;
      for (const { body, storeTimestamp, queueOffset } of messagesIn(answer.body)) {
        times.set(body, (times.get(body) ?? 0) + 1);
        const early = (due.get(body) ?? 0) - storeTimestamp;
        if (early > 0) violations.push(`${body} was delivered ${early} ms before its time`);
        offset = queueOffset + 1;
      }
    }
    // Once all are there, another second shows whether they come again.
    if (times.size === due.size && settledMs === Infinity) settledMs = Date.now() + 2000;
  }
  client.close();
  for (const body of due.keys()) if (!times.has(body)) violations.push(`${body} was not delivered`);
  const sum = [...times.values()].reduce((all, count) => all + count, 0);
  return { violations, again: sum - times.size };
}

/** Who hands over to whom, and how. */
export const timerExchanges: readonly (readonly [Owner, Ending, Owner])[] = [
  ["rmq", "stopped", "apache"],
  ["rmq", "killed", "apache"],
  ["apache", "stopped", "rmq"],
  ["apache", "killed", "rmq"],
];

if (import.meta.main) {
  let failed = false;
  for (const [first, ending, second] of timerExchanges) {
    const result = await timerExchange(first, ending, second, (line) => console.log(line));
    console.log(`  ${COUNT} timers, ${result.violations.length} violations, ${result.again} delivered again`);
    for (const what of result.violations.slice(0, 5)) console.error(`  ${what}`);
    failed ||= result.violations.length > 0;
  }
  process.exit(failed ? 1 : 0);
}
