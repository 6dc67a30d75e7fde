/** Apache RocketMQ 5.5.0 and dist/rmq under the same loads, in turn, in one run: `deno task compare --help`. */
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { apacheAvailable, startApacheBroker, startApacheNamesrv } from "../../scripts/peers/apache.ts";
import { rmqAvailable, startRmqBroker, startRmqNamesrv } from "../../scripts/peers/rmq.ts";
import { cpuSeconds } from "../../scripts/peers/server_process.ts";
import { type LoadResult, runLoad } from "./run_load.ts";
import { soak } from "./soak.ts";

const usage = `deno task compare [options]
  --only TEXTS     loads whose names contain one, of send-4x64 send-16x64 send-64x1 send-1x1 batch-4x4 pull-4x1
                   delay-4x64 timer-4x64 transaction-4x64 sql-4x1
  --flush MODES    ASYNC_FLUSH,SYNC_FLUSH (both)
  --seconds N      of each load, after 2 s of warm-up (8)
  --warm N         first load on Apache, not counted (20)
  --rmq-warm N     the same on rmq (20)
  --preload N      messages for pull (200000)
  --skip-apache    dist/rmq alone
  --skip-rmq       Apache alone
  --soak SECONDS   dist/rmq alone under send-4x64, resident memory watched
  --rate N         with --soak: sends a second (as the free disk allows)
  --directory DIR  for the stores (the system's temporary directory)
  --json FILE      the figures as JSON`;

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    flush: { type: "string", default: "ASYNC_FLUSH,SYNC_FLUSH" },
    seconds: { type: "string", default: "8" },
    warm: { type: "string", default: "20" },
    "rmq-warm": { type: "string", default: "20" },
    preload: { type: "string", default: "200000" },
    "skip-apache": { type: "boolean", default: false },
    "skip-rmq": { type: "boolean", default: false },
    soak: { type: "string" },
    rate: { type: "string" },
    directory: { type: "string", default: tmpdir() },
    json: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

type Server = "apache" | "rmq";

interface Case {
  name: string;
  options: Record<string, string | number>;
  /** What is sent to its topic first. */
  preload?: Record<string, string | number>;
}

interface Measured extends LoadResult {
  /** CPU that the broker used for a message, in microseconds: less disturbed by a busy machine than the rate. */
  cpuMicros: number;
  residentMb: number;
}

interface Figures {
  server: Server;
  flush: string;
  loads: Record<string, Measured>;
  residentMb: number;
  namesrvResidentMb: number;
  readyMs: number;
  namesrvReadyMs: number;
  stopMs: number;
  namesrvStopMs: number;
}

const everyCase: Case[] = [
  { name: "send-4x64", options: { mode: "send", connections: 4, "in-flight": 64 } },
  { name: "send-16x64", options: { mode: "send", connections: 16, "in-flight": 64 } },
  { name: "send-64x1", options: { mode: "send", connections: 64, "in-flight": 1 } },
  { name: "send-1x1", options: { mode: "send", connections: 1, "in-flight": 1 } },
  { name: "batch-4x4", options: { mode: "batch", connections: 4, "in-flight": 4 } },
  { name: "pull-4x1", options: { mode: "pull", connections: 4, topic: "PullTopic" }, preload: {} },
  // Due while the load goes on: what is measured pays for the deliveries too.
  { name: "delay-4x64", options: { mode: "send", topic: "DelayTopic", property: "DELAY=2" } },
  { name: "timer-4x64", options: { mode: "send", topic: "TimerTopic", property: "TIMER_DELAY_SEC=5" } },
  { name: "transaction-4x64", options: { mode: "transaction", topic: "TransactionTopic" } },
  {
    name: "sql-4x1",
    options: { mode: "pull", topic: "SqlTopic", sql: "age >= 5 AND TAGS IS NOT NULL" },
    preload: { property: "age=#" },
  },
];
const cases = everyCase.filter(({ name }) => values.only.split(",").some((text) => name.includes(text)));

/** What the ratio has to be at least, where that was decided. */
const bars: Record<string, number> = {
  "ASYNC_FLUSH send-4x64": 6,
  "SYNC_FLUSH send-4x64": 5,
  "ASYNC_FLUSH pull-4x1": 2,
  "SYNC_FLUSH pull-4x1": 2,
  ...Object.fromEntries(
    ["ASYNC_FLUSH", "SYNC_FLUSH"].flatMap((flush) =>
      ["delay-4x64", "timer-4x64", "transaction-4x64", "sql-4x1"].map((name) => [`${flush} ${name}`, 3])
    ),
  ),
};

function freeGb(): number {
  const disk = statfsSync(values.directory);
  return disk.bavail * disk.bsize / 1e9;
}

async function measure(server: Server, flush: string): Promise<Figures> {
  const directory = mkdtempSync(join(values.directory, `compare-${server}-`));
  const [startNamesrv, startBroker] = server === "apache"
    ? [startApacheNamesrv, startApacheBroker]
    : [startRmqNamesrv, startRmqBroker];
  try {
    const namesrv = await startNamesrv({ directory });
    const config = { flushDiskType: flush, enablePropertyFilter: "true" };
    const broker = await startBroker({ directory, namesrv: namesrv.address, config, heapMb: 2048 });
    const loads: Record<string, Measured> = {};
    const warm = Number(server === "apache" ? values.warm : values["rmq-warm"]);
    await runLoad(broker.address, { ...cases[0]?.options, mode: "send", topic: "WarmTopic", warm: 0, seconds: warm });
    for (const { name, options, preload } of cases) {
      if (freeGb() < 10) {
        console.log(`${flush} ${server} ${name}: left out, less than 10 GB free in ${values.directory}`);
        continue;
      }
      if (preload !== undefined) {
        const topic = String(options.topic);
        await runLoad(broker.address, { ...preload, topic, count: Number(values.preload) });
      }
      const cpu = cpuSeconds(broker.pid);
      const load = await runLoad(broker.address, { ...options, warm: 2, seconds: Number(values.seconds) });
      const cpuMicros = Number(((cpuSeconds(broker.pid) - cpu) * 1e6 / Math.max(1, load.allMessages)).toFixed(2));
      const result: Measured = { ...load, cpuMicros, residentMb: mb(broker.residentBytes()) };
      loads[name] = result;
      const errors = Object.entries(result.errors).map(([code, times]) => `, ${times} × ${code}`).join("");
      console.log(
        `${flush} ${server} ${name}: ${result.messagesPerSecond} messages/s, p50 ${result.p50Ms} p99 ${result.p99Ms} ` +
          `p99.9 ${result.p999Ms} ms, broker ${cpuMicros} µs CPU a message, resident ${result.residentMb} MB${errors}`,
      );
    }
    const residentMb = mb(broker.residentBytes());
    const namesrvResidentMb = mb(namesrv.residentBytes());
    const stopMs = await broker.stop();
    const namesrvStopMs = await namesrv.stop();
    return {
      server,
      flush,
      loads,
      residentMb,
      namesrvResidentMb,
      readyMs: broker.readyMs,
      namesrvReadyMs: namesrv.readyMs,
      stopMs,
      namesrvStopMs,
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function mb(bytes: number): number {
  return Math.round(bytes / 1e6);
}

function row(cells: (string | number)[]): string {
  return `| ${cells.join(" | ")} |`;
}

function cell(result: Measured | undefined): string {
  if (!result) return "–";
  const errors = Object.values(result.errors).reduce((sum, times) => sum + times, 0);
  const rest = errors > 0 ? `, ${errors} errors` : "";
  const { messagesPerSecond, p50Ms, p99Ms, p999Ms, cpuMicros, residentMb } = result;
  return `${messagesPerSecond} (${p50Ms} / ${p99Ms} / ${p999Ms}), ${cpuMicros} µs, ${residentMb} MB${rest}`;
}

function printTables(all: Figures[]): void {
  const of = (server: Server, flush: string) => all.find((f) => f.server === server && f.flush === flush);
  console.log(
    "\nMessages a second, latency of a request in ms (p50 / p99 / p99.9), CPU of the broker a message, its memory\n",
  );
  console.log(row(["load", "Apache 5.5.0", "rmq", "ratio", "bar", "CPU ratio"]));
  console.log(row(Array(6).fill("---")));
  for (const flush of new Set(all.map((figures) => figures.flush))) {
    for (const { name } of cases) {
      const theirs = of("apache", flush)?.loads[name];
      const ours = of("rmq", flush)?.loads[name];
      const ratio = theirs && ours ? `${(ours.messagesPerSecond / theirs.messagesPerSecond).toFixed(1)}×` : "–";
      const bar = bars[`${flush} ${name}`];
      const cpu = theirs && ours ? `${(theirs.cpuMicros / ours.cpuMicros).toFixed(1)}×` : "–";
      console.log(row([`${flush} ${name}`, cell(theirs), cell(ours), ratio, bar ? `${bar}×` : "", cpu]));
    }
  }
  console.log("\nProcesses\n");
  console.log(
    row(["", "broker ready ms", "stopped ms", "resident MB", "namesrv ready ms", "stopped ms", "resident MB"]),
  );
  console.log(row(Array(7).fill("---")));
  for (const f of all) {
    const times = [f.readyMs, f.stopMs, f.residentMb, f.namesrvReadyMs, f.namesrvStopMs, f.namesrvResidentMb];
    console.log(row([`${f.server} ${f.flush}`, ...times.map((value) => Math.round(value))]));
  }
}

function require_(available: { ok: boolean; reason: string }, what: string): void {
  if (available.ok) return;
  console.error(`compare: ${what}: ${available.reason}`);
  process.exit(2);
}

if (values.help) {
  console.log(usage);
  process.exit(0);
}
if (values.soak !== undefined) {
  require_(rmqAvailable(), "rmq");
  const rate = values.rate === undefined ? undefined : Number(values.rate);
  const flush = values.flush.split(",")[0];
  await soak({ seconds: Number(values.soak), rate, flush, directory: values.directory });
  process.exit(0);
}
const servers: Server[] = [];
if (!values["skip-apache"]) {
  require_(apacheAvailable(), "Apache RocketMQ");
  servers.push("apache");
}
if (!values["skip-rmq"]) {
  require_(rmqAvailable(), "rmq");
  servers.push("rmq");
}
console.log(
  `${availableParallelism()} cores, load average ${loadavg()[0].toFixed(1)}, ${Math.round(freeGb())} GB free`,
);
const all: Figures[] = [];
for (const flush of values.flush.split(",")) {
  for (const server of servers) all.push(await measure(server, flush));
}
printTables(all);
if (values.json) writeFileSync(values.json, JSON.stringify(all, null, 2) + "\n");
process.exit(0);
