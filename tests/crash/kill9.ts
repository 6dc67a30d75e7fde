/**
 * `kill -9` in the middle of a load, again and again on one directory: each acknowledged message must be at its
 * acknowledged queue and offset, once, and queue offsets must have no gap.
 *
 *   deno run -A tests/crash/kill9.ts --rounds 10 --seconds 3 [--flush ASYNC_FLUSH]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { freePort } from "../../scripts/peers/server_process.ts";
import { rmqAvailable, startRmqBroker } from "../../scripts/peers/rmq.ts";
import { type Acknowledged, readAll, sendUntilGone, violations } from "./load.ts";

const topics = ["CrashA", "CrashB", "CrashC"];
const queues = 4;

export interface KillResult {
  readonly rounds: number;
  readonly acknowledged: number;
  readonly stored: number;
  readonly violations: string[];
}

/** Runs `rounds` of start, load for `seconds`, kill; after each restart everything acknowledged so far is looked up. */
export async function killAgainAndAgain(
  options: { rounds: number; seconds: number; config?: Record<string, string>; log?: (line: string) => void },
): Promise<KillResult> {
  const directory = mkdtempSync(join(tmpdir(), "rmq-kill9-"));
  const log = options.log ?? (() => {});
  const acknowledged: Acknowledged[] = [];
  const found: string[] = [];
  let stored = 0;
  try {
    for (let round = 0; round <= options.rounds; round++) {
      const port = await freePort([-2, 1]);
      // Segments of 4 MiB, so that each round crosses several ends of segments.
      const broker = await startRmqBroker({
        directory,
        port,
        namesrv: "127.0.0.1:1",
        config: {
          mappedFileSizeCommitLog: String(4 * 1024 * 1024),
          mappedFileSizeConsumeQueue: "20000",
          ...options.config,
        },
      });
      if (round > 0) {
        const all = await readAll(broker.address, topics, queues);
        stored = [...all.ids.values()].reduce((sum, list) => sum + list.length, 0);
        const wrong = violations(acknowledged, all);
        found.push(...wrong.map((what) => `round ${round}: ${what}`));
        log(
          `round ${round}: ${acknowledged.length} acknowledged, ${stored} stored, ${wrong.length} violations, ready after ${
            broker.readyMs.toFixed(0)
          } ms`,
        );
      }
      if (round === options.rounds || found.length > 0) {
        await broker.kill();
        break;
      }
      const sending = sendUntilGone(
        broker.address,
        { topics, queues, inFlight: 64, connections: 4, round },
        acknowledged,
      );
      await new Promise((resolve) => setTimeout(resolve, options.seconds * 1000 * (0.5 + Math.random())));
      await broker.kill();
      await sending;
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  return { rounds: options.rounds, acknowledged: acknowledged.length, stored, violations: found };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "10" },
      seconds: { type: "string", default: "3" },
      flush: { type: "string", default: "SYNC_FLUSH" },
    },
  });
  const available = rmqAvailable();
  if (!available.ok) {
    console.error(available.reason);
    process.exit(2);
  }
  const result = await killAgainAndAgain({
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    config: { flushDiskType: values.flush },
    log: console.log,
  });
  for (const what of result.violations.slice(0, 20)) console.error(what);
  console.log(
    `${result.rounds} kills (${values.flush}): ${result.acknowledged} messages acknowledged, ${result.violations.length} violations`,
  );
  process.exit(result.violations.length === 0 ? 0 : 1);
}
