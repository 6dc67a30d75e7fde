/**
 * `kill -9` with timers, delay levels, transactions and retries under way, again and again on one directory: clients that
 * outlive the broker hold it to what it promised (tests/messaging).
 *
 *   deno run -A tests/crash/messaging_kill9.ts --rounds 8 --seconds 4 [--flush ASYNC_FLUSH]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { hostPlatform } from "@rmq/platform";
import { rmqAvailable, startRmqBroker } from "../../scripts/peers/rmq.ts";
import { freePort, type ServerProcess } from "../../scripts/peers/server_process.ts";
import { Messaging, messagingConfig } from "../messaging/messaging.ts";

/** Between two messages of the load, ms. */
const PAUSE_MS = 4;
/** All that was promised must have come by then, ms: the farthest timer, its retries, some checks. */
const PATIENCE_MS = 60_000;
/** The broker looks at the clock once a turn of its loop, so that what came in late in it counts as stored a little before. */
const TURN_MS = 50;
/** Then what ought not to come has as long to come, ms. */
const SILENCE_MS = 2500;

export interface MessagingKillOptions {
  readonly rounds: number;
  readonly seconds: number;
  /** Farthest timer, ms. */
  readonly longestMs: number;
  readonly config?: Record<string, string>;
  readonly log?: (line: string) => void;
}

export interface MessagingKillResult {
  readonly acknowledged: number;
  readonly violations: string[];
}

/** Runs `rounds` of start, load for about `seconds`, kill; at the end everything that was promised must come. */
export async function killWhileMessaging(options: MessagingKillOptions): Promise<MessagingKillResult> {
  const { rounds, seconds, longestMs, log = () => {} } = options;
  const directory = mkdtempSync(join(tmpdir(), "rmq-messaging-kill9-"));
  const messaging = new Messaging(hostPlatform(), {
    longestMs,
    toleranceMs: TURN_MS,
  });
  const { ledger } = messaging;
  let broker: ServerProcess | null = null;
  try {
    for (let round = 0; round < rounds && ledger.broken.length === 0; round++) {
      broker = await start(directory, options.config ?? {});
      messaging.connect(broker.address, round % 3 === 2);
      await load(messaging, seconds * (0.5 + Math.random()));
      await broker.kill();
      messaging.disconnect();
      log(`round ${round}: ${promised(messaging)} acknowledged, ${ledger.open().length} promises open at the kill`);
    }
    broker = await start(directory, options.config ?? {});
    messaging.connect(broker.address, true);
    await settle(messaging);
    messaging.disconnect();
    await broker.stop();
  } finally {
    messaging.disconnect();
    await broker?.kill();
    rmSync(directory, { recursive: true, force: true });
  }
  return { acknowledged: promised(messaging), violations: [...ledger.broken, ...ledger.open()] };
}

async function start(directory: string, config: Record<string, string>): Promise<ServerProcess> {
  return await startRmqBroker({
    directory,
    port: await freePort([-2, 1]),
    namesrv: "127.0.0.1:1",
    config: {
      ...messagingConfig,
      mappedFileSizeCommitLog: String(1024 * 1024),
      mappedFileSizeConsumeQueue: "20000",
      flushDelayOffsetInterval: "500",
      ...config,
    },
  });
}

/** Sends for so many seconds. */
export async function load(messaging: Messaging, seconds: number): Promise<void> {
  const until = performance.now() + seconds * 1000;
  while (performance.now() < until && messaging.ledger.broken.length === 0) {
    messaging.add();
    await sleep(PAUSE_MS);
  }
}

/** Waits until everything has come. */
export async function settle({ ledger }: Messaging): Promise<void> {
  const until = performance.now() + PATIENCE_MS;
  while (ledger.open().length > 0 && performance.now() < until) await sleep(250);
  await sleep(SILENCE_MS);
}

function promised({ ledger }: Messaging): number {
  return [...ledger.entries.values()].filter((entry) => entry.promised).length;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "8" },
      seconds: { type: "string", default: "4" },
      flush: { type: "string", default: "SYNC_FLUSH" },
    },
  });
  const available = rmqAvailable();
  if (!available.ok) {
    console.error(available.reason);
    process.exit(2);
  }
  const result = await killWhileMessaging({
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    longestMs: 15_000,
    config: { flushDiskType: values.flush },
    log: console.log,
  });
  for (const what of result.violations.slice(0, 20)) console.error(what);
  console.log(
    `${values.rounds} kills (${values.flush}): ${result.acknowledged} messages acknowledged, ${result.violations.length} violations`,
  );
  process.exit(result.violations.length === 0 ? 0 : 1);
}
