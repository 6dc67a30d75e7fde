/**
 * Ill-behaved peers beside a well-behaved one: random bytes, truncated frames, absurd lengths, headers of wrong types,
 * megabytes of JSON, connections that say nothing or half a frame. The good client must see no error and no slow send,
 * and the broker's memory must come back; the run ends with 1 otherwise.
 *
 *   deno run -A tests/hostile/hostile.ts --half-open 2000 --idle 10000
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { freePort } from "../../scripts/peers/server_process.ts";
import { rmqAvailable, startRmqBroker } from "../../scripts/peers/rmq.ts";
import { jsonFrame, largeAttacks, smallAttacks } from "./attacks.ts";
import type { GoodReport } from "./good_client.ts";

/** A slower send of the good client fails the run. */
export const SLOW_MS = 100;
/** So much more than before may be resident in the end. */
export const MEMORY_LEFT: number = 64 * 1024 * 1024;
/** How long memory may take to come back. */
const SETTLE_MS = 30_000;

export interface HostileResult {
  readonly goodSends: number;
  readonly errors: string[];
  /** Slowest send of the good client, milliseconds. */
  readonly slowestMs: number;
  readonly connections: number;
  /** Resident bytes before, with all connections open, and after they are gone. */
  readonly before: number;
  readonly during: number;
  readonly after: number;
}

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const mb = (bytes: number) => `${(bytes / 1048576).toFixed(0)} MB`;

/** The good client's process, and what it has said so far. */
class GoodClient {
  readonly errors: string[] = [];
  sends = 0;
  slowestMs = 0;
  readonly #child: ChildProcess;
  #phase = { sends: 0, slowestMs: 0, ownLagMs: 0 };
  #ended = false;

  constructor(address: string) {
    const script = fileURLToPath(new URL("good_client.ts", import.meta.url));
    const run = "deno" in process.versions ? ["run", "-A", script] : [script];
    this.#child = spawn(process.execPath, [...run, address], { stdio: ["ignore", "pipe", "inherit"] });
    createInterface({ input: this.#child.stdout! }).on("line", (line) => this.#add(JSON.parse(line) as GoodReport));
    this.#child.on("exit", (code) => {
      this.#ended = true;
      this.errors.push(`the good client ended with ${code}`);
    });
  }

  #add(report: GoodReport): void {
    const phase = this.#phase;
    phase.sends += report.sends;
    phase.slowestMs = Math.max(phase.slowestMs, report.slowestMs);
    phase.ownLagMs = Math.max(phase.ownLagMs, report.ownLagMs);
    this.sends += report.sends;
    this.slowestMs = Math.max(this.slowestMs, report.slowestMs);
    this.errors.push(...report.errors);
  }

  /** What happened since the last call, including what is being reported now. */
  async phase(): Promise<{ sends: number; slowestMs: number; ownLagMs: number }> {
    await wait(100);
    const phase = this.#phase;
    this.#phase = { sends: 0, slowestMs: 0, ownLagMs: 0 };
    return phase;
  }

  /** Waits until the client has sent: its start belongs to no figure. */
  async sending(): Promise<void> {
    while (!this.#ended && (await this.phase()).sends < 10);
    this.sends = this.slowestMs = 0;
  }

  end(): void {
    this.#child.removeAllListeners("exit");
    this.#child.kill("SIGKILL");
  }
}

/** Connects and, when given, sends all of `bytes`, as far as the broker takes them. */
function open(port: number, bytes?: Uint8Array): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.off("error", reject);
      socket.on("error", () => resolve(socket));
      socket.on("close", () => resolve(socket));
      if (bytes === undefined) resolve(socket);
      else socket.write(bytes, () => resolve(socket));
    });
    socket.once("error", reject);
    socket.on("data", () => {});
  });
}

async function openMany(port: number, count: number, bytes?: Uint8Array): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const some = Math.min(100, count - sockets.length);
    sockets.push(...await Promise.all(Array.from({ length: some }, () => open(port, bytes))));
  }
  return sockets;
}

/** One connection for each of `streams`, all at once, given up after a while. */
async function attack(port: number, streams: readonly Uint8Array[]): Promise<void> {
  const sockets = await Promise.all(streams.map((bytes) => open(port, bytes)));
  await wait(100);
  for (const socket of sockets) socket.destroy();
}

/** Runs all of it against a broker of its own. */
export async function beHostile(
  options: { halfOpen: number; idle: number; rounds: number; log?: (line: string) => void },
): Promise<HostileResult> {
  const log = options.log ?? (() => {});
  const directory = mkdtempSync(join(tmpdir(), "rmq-hostile-"));
  const port = await freePort([-2, 1]);
  const config = { flushDiskType: "ASYNC_FLUSH" };
  const broker = await startRmqBroker({ directory, port, namesrv: "127.0.0.1:1", config });
  const good = new GoodClient(broker.address);
  const tell = async (phase: string) => {
    const { sends, slowestMs, ownLagMs } = await good.phase();
    const own = `${ownLagMs.toFixed(1)} ms late itself`;
    const resident = mb(broker.residentBytes());
    log(`${phase}: ${sends} good sends, slowest ${slowestMs.toFixed(1)} ms (${own}), resident ${resident}`);
  };
  try {
    await good.sending();
    const before = broker.residentBytes();
    await wait(1000);
    await tell("nobody else");
    for (let round = 0; round < options.rounds; round++) await attack(port, smallAttacks());
    await tell(`${options.rounds} rounds of ${smallAttacks().length} small attacks`);
    for (const { name, bytes } of largeAttacks()) {
      for (let round = 0; round < options.rounds; round++) await attack(port, [bytes]);
      await tell(`${options.rounds} times ${name}`);
    }
    const half = jsonFrame('{"code":105,"opaque":1}').subarray(0, 11);
    const sockets = await openMany(port, options.halfOpen, half);
    await tell(`${sockets.length} half-open`);
    sockets.push(...await openMany(port, options.idle));
    await tell(`${sockets.length} idle and half-open`);
    const during = broker.residentBytes();
    for (const socket of sockets) socket.destroy();
    const closed = performance.now();
    do await wait(1000); while (
      broker.residentBytes() >= before + MEMORY_LEFT && performance.now() - closed < SETTLE_MS
    );
    await tell(`${((performance.now() - closed) / 1000).toFixed(0)} s after all were closed`);
    const errors = broker.running() ? good.errors : [...good.errors, "the broker is gone"];
    const { sends: goodSends, slowestMs } = good;
    const after = broker.residentBytes();
    return { goodSends, errors, slowestMs, connections: sockets.length, before, during, after };
  } finally {
    good.end();
    await broker.kill();
    rmSync(directory, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      "half-open": { type: "string", default: "2000" },
      idle: { type: "string", default: "10000" },
      rounds: { type: "string", default: "20" },
    },
  });
  const available = rmqAvailable();
  if (!available.ok) {
    console.error(available.reason);
    process.exit(2);
  }
  const result = await beHostile({
    halfOpen: Number(values["half-open"]),
    idle: Number(values.idle),
    rounds: Number(values.rounds),
    log: console.log,
  });
  const { goodSends, errors, slowestMs, connections, before, during, after } = result;
  for (const error of errors.slice(0, 10)) console.error(error);
  console.log(
    `${goodSends} good sends, ${errors.length} errors, slowest ${slowestMs.toFixed(1)} ms; resident ${mb(before)} ` +
      `before, ${mb(during)} with ${connections} connections, ${mb(after)} after`,
  );
  const slow = slowestMs > SLOW_MS;
  const kept = after > before + MEMORY_LEFT;
  if (slow) console.error(`a good send took more than ${SLOW_MS} ms`);
  if (kept) console.error(`memory did not come back: more than ${mb(MEMORY_LEFT)} are left`);
  process.exit(errors.length > 0 || slow || kept ? 1 : 0);
}
