import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The executable under test, made by `deno task build`; bundled tests are told where it is. */
const EXECUTABLE = process.env.RMQ_EXECUTABLE ??
  new URL(`../../dist/rmq${process.platform === "win32" ? ".exe" : ""}`, import.meta.url).pathname;
/** Far beyond what anything here takes; only a hang reaches it. */
const PATIENCE_MS = 20_000;

/** How a process ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly out: string;
  readonly err: string;
}

/** A process of the executable, with what it said so far. */
export class Rmq {
  out = "";
  err = "";
  readonly #child: ChildProcess;
  readonly #ended: Promise<Ended>;
  #wake: (() => void)[] = [];

  constructor(args: readonly string[], variables: Readonly<Record<string, string>> = {}) {
    assert.ok(existsSync(EXECUTABLE), `${EXECUTABLE} is missing: deno task build makes it`);
    const { NAMESRV_ADDR: _, ...environment } = process.env;
    // Not a flag of the executable's: it is started through nohup.
    const nohup = args.includes("--nohup");
    const words = args.filter((word) => word !== "--nohup");
    const command = nohup ? ["nohup", EXECUTABLE, ...words] : [EXECUTABLE, ...words];
    this.#child = spawn(command[0], command.slice(1), {
      env: { ...environment, ...variables },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => this.#said(this.out += text));
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => this.#said(this.err += text));
    this.#ended = new Promise((resolve) =>
      this.#child.on("close", (code, signal) => {
        resolve({ code, signal, out: this.out, err: this.err });
        this.#said("");
      })
    );
  }

  /** Resolves when the output matches; rejects when the process ends before that. */
  async said(pattern: RegExp): Promise<void> {
    const late = setTimeout(() => this.kill(), PATIENCE_MS);
    try {
      while (!pattern.test(this.out)) {
        if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
          const { code, out, err } = await this.#ended;
          throw new Error(`rmq ended with ${code} before it said ${pattern}:\n${out}${err}`);
        }
        await new Promise<void>((resolve) => this.#wake.push(resolve));
      }
    } finally {
      clearTimeout(late);
    }
  }

  /** Ends it in order and tells how it ended. */
  stop(signal: NodeJS.Signals = "SIGTERM"): Promise<Ended> {
    this.signal(signal);
    return this.ended();
  }

  /** Ends it as a power button would, if it still runs. */
  kill(): Promise<Ended> {
    return this.stop("SIGKILL");
  }

  /** Waits for the end. */
  async ended(): Promise<Ended> {
    const late = setTimeout(() => this.signal("SIGKILL"), PATIENCE_MS);
    const ended = await this.#ended;
    clearTimeout(late);
    return ended;
  }

  /** Sends a signal: by the process's id, since after ChildProcess.kill Deno reports it whatever the exit code was. */
  signal(signal: NodeJS.Signals): void {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    try {
      process.kill(pid, signal);
    } catch {
      // It ended in this very moment.
    }
  }

  #said(_: string): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const each of wake) each();
  }
}

/** Runs the executable to its end. */
export function run(args: readonly string[], variables: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return new Rmq(args, variables).ended();
}

/** What a scenario works with: a directory of its own, free ports, and processes that end with it. */
export class Scenario {
  readonly directory: string = mkdtempSync(join(tmpdir(), "rmq-e2e-"));
  readonly #running: Rmq[] = [];

  /** Starts a process that is killed at the end of the scenario if it is still there. */
  start(args: readonly string[], variables: Readonly<Record<string, string>> = {}): Rmq {
    const rmq = new Rmq(args, variables);
    this.#running.push(rmq);
    return rmq;
  }

  /** Starts `rmq standalone` on free ports with data in this directory and waits until it is up. */
  async standalone(...args: string[]): Promise<{ rmq: Rmq; namesrv: string; broker: string; port: number }> {
    const namesrvPort = await freePort();
    const port = await freePort();
    const data = args.includes("--memory") ? [] : ["--data", this.directory];
    const rmq = this.start(["standalone", ...data, "--namesrvPort", `${namesrvPort}`, "-p", `${port}`, ...args]);
    await rmq.said(/The broker\[.*boot success/);
    return { rmq, namesrv: `127.0.0.1:${namesrvPort}`, broker: `127.0.0.1:${port}`, port };
  }

  async end(): Promise<void> {
    await Promise.all(this.#running.map((rmq) => rmq.kill()));
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Runs a scenario and cleans up after it. */
export async function inScenario(body: (scenario: Scenario) => Promise<void>): Promise<void> {
  const scenario = new Scenario();
  try {
    await body(scenario);
  } finally {
    await scenario.end();
  }
}

/** A port that is free, and the one two below it too. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = await bind(0);
    if (port > 1026 && await bind(port - 2) === port - 2 && await bind(port + 1) === port + 1) return port;
  }
}

function bind(port: number): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on("error", () => resolve(-1));
    server.listen(port, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : -1));
    });
  });
}
