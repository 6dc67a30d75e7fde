/**
 * A store directory changes hands: what our broker left, stopped or killed, Apache's 5.5.0 broker serves, and the
 * other way round.
 *
 *   deno run -A tests/interop/directory_exchange.ts
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startApacheBroker, startApacheNamesrv } from "../../scripts/peers/apache.ts";
import { freePort, type ServerProcess } from "../../scripts/peers/server_process.ts";
import { type Acknowledged, readAll, sendUntilGone, violations } from "../crash/load.ts";
import { startRmqBroker } from "../../scripts/peers/rmq.ts";

const topics = ["ExchangeA", "ExchangeB"];
const queues = 4;

// Small files, so that several segments, queue files and index files change hands.
const sizes = {
  mappedFileSizeCommitLog: String(1024 * 1024),
  mappedFileSizeConsumeQueue: "20000",
  maxHashSlotNum: "5000",
  maxIndexNum: "20000",
};

export type Owner = "rmq" | "apache";
export type Ending = "stopped" | "killed";

/** One broker's turn on the directory, in order. */
export interface Turn {
  readonly owner: Owner;
  readonly ending: Ending;
}

export interface ExchangeResult {
  readonly acknowledged: number;
  readonly violations: string[];
}

/** Lets the owners take turns on one directory; each first reads all that was acknowledged before, then sends more. */
export async function exchange(turns: readonly Turn[], log: (line: string) => void): Promise<ExchangeResult> {
  const directory = mkdtempSync(join(tmpdir(), "rmq-exchange-"));
  const acknowledged: Acknowledged[] = [];
  const found: string[] = [];
  const namesrv = await startApacheNamesrv({ directory });
  let broker: ServerProcess | null = null;
  try {
    for (const [round, turn] of turns.entries()) {
      broker = await start(turn.owner, directory, namesrv.address);
      if (round > 0) {
        const wrong = violations(acknowledged, await readAll(broker.address, topics, queues));
        found.push(...wrong.map((what) => `turn ${round} (${turn.owner}): ${what}`));
        log(
          `turn ${round}: ${turn.owner} serves ${acknowledged.length} acknowledged messages, ${wrong.length} violations`,
        );
      }
      if (round === turns.length - 1) break;
      const limit = turn.ending === "stopped" ? 120 : undefined;
      const sending = sendUntilGone(
        broker.address,
        { topics, queues, inFlight: 16, connections: 2, round, limit },
        acknowledged,
      );
      if (turn.ending === "killed") {
        await new Promise((resolve) => setTimeout(resolve, 1500));
        await broker.kill();
      }
      await sending;
      if (turn.ending === "stopped") await broker.stop();
    }
  } finally {
    await broker?.kill();
    await namesrv.kill();
    rmSync(directory, { recursive: true, force: true });
  }
  return { acknowledged: acknowledged.length, violations: found };
}

async function start(owner: Owner, directory: string, namesrv: string): Promise<ServerProcess> {
  const port = await freePort([-2, 1]);
  if (owner === "rmq") return await startRmqBroker({ directory, port, namesrv, config: sizes });
  // Acknowledged must mean on disk here too, otherwise a kill proves nothing about the reader.
  return await startApacheBroker({ directory, port, namesrv, config: { ...sizes, flushDiskType: "SYNC_FLUSH" } });
}

/** Both directions, after a clean stop and after a kill. */
export const exchanges: Record<string, Turn[]> = {
  "Apache 5.5.0 serves what rmq left": [
    { owner: "rmq", ending: "stopped" },
    { owner: "apache", ending: "killed" },
    { owner: "rmq", ending: "stopped" },
  ],
  "Apache 5.5.0 serves what a killed rmq left": [
    { owner: "rmq", ending: "killed" },
    { owner: "apache", ending: "stopped" },
    { owner: "rmq", ending: "stopped" },
  ],
};

if (import.meta.main) {
  let failed = false;
  for (const [name, turns] of Object.entries(exchanges)) {
    console.log(name);
    const result = await exchange(turns, (line) => console.log(`  ${line}`));
    for (const what of result.violations.slice(0, 10)) console.error(`  ${what}`);
    failed ||= result.violations.length > 0;
  }
  process.exit(failed ? 1 : 0);
}
