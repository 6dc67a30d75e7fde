/** A server that runs as a process of its own beside a test or a bench: started, awaited, stopped, killed. */
import { type ChildProcess, spawn } from "node:child_process";
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname } from "node:path";

export interface ServerCommand {
  /** What error messages call it. */
  name: string;
  command: string;
  args: string[];
  env?: Record<string, string>;
  cwd?: string;
  /** File that takes standard output and standard error. */
  log: string;
  /** The server is ready when a line of its output matches. */
  ready: RegExp;
  /** What `address` shall be, `host:port`. */
  address: string;
  readyTimeoutMs?: number;
}

export interface ServerProcess {
  address: string;
  pid: number;
  log: string;
  /** Milliseconds from spawn to the ready line. */
  readyMs: number;
  /** SIGTERM; SIGKILL after `timeoutMs`. Answers the milliseconds until the process was gone. */
  stop(timeoutMs?: number): Promise<number>;
  kill(): Promise<void>;
  /** Resident bytes now (Linux), 0 where it cannot be told. */
  residentBytes(): number;
  running(): boolean;
}

const alive = new Set<ChildProcess>();
let exitHookSet = false;

/** No server outlives the process that started it. */
function killAtExit(): void {
  if (exitHookSet) return;
  exitHookSet = true;
  process.on("exit", () => {
    for (const child of alive) child.kill("SIGKILL");
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => process.exit(130));
  }
}

export function residentBytes(pid: number): number {
  try {
    const match = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return match ? Number(match[1]) * 1024 : 0;
  } catch {
    return 0;
  }
}

/** Seconds of CPU that a process has used so far (Linux, with its usual 100 ticks a second), 0 where it cannot be told. */
export function cpuSeconds(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return 0;
  }
}

export function startServer(spec: ServerCommand): Promise<ServerProcess> {
  killAtExit();
  mkdirSync(dirname(spec.log), { recursive: true });
  writeFileSync(spec.log, `$ ${spec.command} ${spec.args.join(" ")}\n`);
  const started = performance.now();
  const child = spawn(spec.command, spec.args, {
    cwd: spec.cwd,
    env: { ...process.env, ...spec.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  alive.add(child);
  const gone = new Promise<void>((resolve) => {
    child.once("exit", () => {
      alive.delete(child);
      resolve();
    });
  });
  return new Promise((resolve, reject) => {
    let tail = "";
    let settled = false;
    const fail = (why: string) => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      child.kill("SIGKILL");
      reject(new Error(`${spec.name} ${why}; its output (${spec.log}) ends:\n${tail.slice(-2000)}`));
    };
    const timer = setTimeout(() => fail("was not ready in time"), spec.readyTimeoutMs ?? 60_000);
    child.once("error", (error) => fail(`did not start: ${error.message}`));
    child.once("exit", (code, signal) => fail(`exited at start (code ${code}, signal ${signal})`));
    const take = (chunk: Uint8Array) => {
      appendFileSync(spec.log, chunk);
      if (settled) return;
      tail = (tail + new TextDecoder().decode(chunk)).slice(-20_000);
      if (!spec.ready.test(tail)) return;
      settled = true;
      clearTimeout(timer);
      resolve(handle(spec, child, gone, performance.now() - started));
    };
    child.stdout!.on("data", take);
    child.stderr!.on("data", take);
  });
}

function handle(spec: ServerCommand, child: ChildProcess, gone: Promise<void>, readyMs: number): ServerProcess {
  const pid = child.pid!;
  return {
    address: spec.address,
    pid,
    log: spec.log,
    readyMs,
    async stop(timeoutMs = 60_000) {
      const asked = performance.now();
      if (!alive.has(child)) return 0;
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
      await gone;
      clearTimeout(timer);
      return performance.now() - asked;
    },
    async kill() {
      if (alive.has(child)) child.kill("SIGKILL");
      await gone;
    },
    residentBytes: () => residentBytes(pid),
    running: () => alive.has(child),
  };
}

function portIsFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/** A port p on 127.0.0.1 such that p + each of `offsets` is free too. Below the range of outgoing connections. */
export async function freePort(offsets: number[] = []): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const port = 12_000 + Math.floor(Math.random() * 18_000);
    let free = true;
    for (const offset of [0, ...offsets]) {
      if (!(await portIsFree(port + offset))) {
        free = false;
        break;
      }
    }
    if (free) return port;
  }
  throw new Error("no free port found on 127.0.0.1");
}
