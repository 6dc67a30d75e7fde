/**
 * A store directory changes hands with timers, delayed messages, retries and half messages pending: what one broker took,
 * ours or Apache's 5.5.0, the other goes on with, after a clean stop and after a kill. A live producer is asked how its open
 * transactions ended by whichever broker has them now.
 *
 *   deno run -A tests/interop/pending_exchange.ts
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostPlatform } from "@rmq/platform";
import { startApacheBroker } from "../../scripts/peers/apache.ts";
import { startRmqBroker } from "../../scripts/peers/rmq.ts";
import { freePort, type ServerProcess } from "../../scripts/peers/server_process.ts";
import { load, settle } from "../crash/messaging_kill9.ts";
import { Messaging, messagingConfig } from "../messaging/messaging.ts";
import type { Owner, Turn } from "./directory_exchange.ts";

const LOAD_SECONDS = 4;
/** Longer than it takes the next owner to start. */
const LONGEST_TIMER_MS = 20_000;
/** Apache's timers may be a tick early. */
const TICK_MS = 1000;

export interface PendingResult {
  readonly acknowledged: number;
  /** Transactions whose producer was asked. */
  readonly checked: number;
  /** What was promised and not kept yet at the changes of hands, by the first word of the promise. */
  readonly handedOver: Record<string, number>;
  readonly violations: string[];
}

/** Lets the owners take turns on one directory; the last one must keep all that is still promised. */
export async function exchangePending(turns: readonly Turn[], log: (line: string) => void): Promise<PendingResult> {
  const directory = mkdtempSync(join(tmpdir(), "rmq-pending-"));
  const messaging = new Messaging(hostPlatform(), {
    longestMs: LONGEST_TIMER_MS,
    toleranceMs: TICK_MS,
    mayCheckEnded: true,
    delayedTransactions: false,
  });
  const { ledger } = messaging;
  const handedOver: Record<string, number> = {};
  let broker: ServerProcess | null = null;
  try {
    for (const [round, turn] of turns.entries()) {
      broker = await start(turn.owner, directory);
      messaging.connect(broker.address, true);
      if (round === turns.length - 1) break;
      await load(messaging, LOAD_SECONDS);
      if (turn.ending === "killed") await broker.kill();
      else await broker.stop();
      messaging.disconnect();
      const open = ledger.open();
      for (const promise of open) count(handedOver, /^[a-z]+/.exec(promise)?.[0] ?? promise);
      log(`turn ${round}: ${turn.owner} is ${turn.ending} with ${open.length} promises: ${JSON.stringify(handedOver)}`);
    }
    await settle(messaging);
    messaging.disconnect();
  } finally {
    messaging.disconnect();
    await broker?.kill();
    rmSync(directory, { recursive: true, force: true });
  }
  const entries = [...ledger.entries.values()];
  const acknowledged = entries.filter((entry) => entry.promised).length;
  const checked = entries.filter((entry) => entry.checks > 0).length;
  return { acknowledged, checked, handedOver, violations: [...ledger.broken, ...ledger.open()] };
}

function count(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

async function start(owner: Owner, directory: string): Promise<ServerProcess> {
  const port = await freePort([-2, 1]);
  const options = { directory, port, namesrv: "127.0.0.1:1" };
  const config = { ...messagingConfig, mappedFileSizeCommitLog: String(1024 * 1024) };
  if (owner === "rmq") return await startRmqBroker({ ...options, config });
  // Acknowledged must mean on disk here too, otherwise a kill proves nothing about the reader.
  return await startApacheBroker({ ...options, config: { ...config, flushDiskType: "SYNC_FLUSH" } });
}

/** Both directions, each after a clean stop and after a kill. */
export const turns: readonly Turn[] = [
  { owner: "rmq", ending: "stopped" },
  { owner: "apache", ending: "stopped" },
  { owner: "rmq", ending: "killed" },
  { owner: "apache", ending: "killed" },
  { owner: "rmq", ending: "stopped" },
];

if (import.meta.main) {
  const { acknowledged, checked, violations } = await exchangePending(turns, (line) => console.log(line));
  for (const what of violations.slice(0, 10)) console.error(what);
  console.log(`${acknowledged} acknowledged, ${checked} transactions checked, ${violations.length} violations`);
  process.exit(violations.length > 0 ? 1 : 0);
}
