/** A main class of Apache's published examples (rocketmq-example 5.5.0), run unchanged as a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync } from "node:fs";
import { join } from "node:path";
import { classPath } from "../../scripts/peers/jars.ts";
import { smallJvm } from "./clients.ts";

export interface ExampleServers {
  namesrv: string;
  broker: string;
  /** For homes and logs. */
  directory: string;
}

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

export class ExampleProgram {
  /** Standard output and error so far. */
  output = "";
  readonly startedAt: number = Date.now();
  firstOutputAt = 0;
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #watchers = new Set<() => void>();
  #gone = false;

  constructor(servers: ExampleServers, name: string, args: string[] = []) {
    this.#name = name;
    mkdirSync(servers.directory, { recursive: true });
    // Logs and the offsets of broadcasting groups go to the home.
    const home = mkdtempSync(join(servers.directory, `${name}-`));
    const main = `org.apache.rocketmq.example.${name}`;
    const rebalance = "-Drocketmq.client.rebalance.waitInterval=2000";
    const jvm = [
      ...smallJvm,
      rebalance,
      "-Duser.timezone=UTC",
      `-Duser.home=${home}`,
      "-cp",
      classPath("examples-5.5.0"),
    ];
    this.#child = spawn("java", [...jvm, main, ...args], {
      cwd: home,
      env: { ...process.env, NAMESRV_ADDR: servers.namesrv, OMS_RMQ_DIRECT_NAME_SRV: "true" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    running.add(this.#child);
    const take = (decoder: TextDecoder) => (chunk: Uint8Array) => {
      if (this.output === "") this.firstOutputAt = Date.now();
      this.output += decoder.decode(chunk, { stream: true });
      this.#look();
    };
    this.#child.stdout!.on("data", take(new TextDecoder()));
    this.#child.stderr!.on("data", take(new TextDecoder()));
    this.#child.once("error", (error) => this.#end(error.message));
    this.#child.once("close", (code) => this.#end(`exited with ${code}`));
  }

  #end(why: string): void {
    this.output += `\n(${why})`;
    this.#gone = true;
    running.delete(this.#child);
    this.#look();
  }

  #look(): void {
    for (const watcher of this.#watchers) watcher();
  }

  /** Resolves as soon as the output is enough; an error when the program ends or the time is up before. */
  async until(enough: (output: string) => boolean, what: string, timeoutMs = 60_000): Promise<void> {
    await this.#wait(() => enough(this.output) || this.#gone, timeoutMs);
    if (!enough(this.output)) throw new Error(`${this.#name}: ${what}; its output ends:\n${this.output.slice(-4000)}`);
  }

  /** Resolves when the program has ended by itself. */
  async ended(timeoutMs = 60_000): Promise<string> {
    await this.#wait(() => this.#gone, timeoutMs);
    if (!this.#gone) throw new Error(`${this.#name} did not end; its output ends:\n${this.output.slice(-4000)}`);
    return this.output;
  }

  #wait(holds: () => boolean, timeoutMs: number): Promise<void> {
    if (holds()) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#watchers.delete(watch);
        resolve();
      };
      const watch = () => {
        if (holds()) done();
      };
      const timer = setTimeout(done, timeoutMs);
      this.#watchers.add(watch);
    });
  }

  async kill(): Promise<void> {
    if (this.#gone) return;
    this.#child.kill("SIGKILL");
    await this.ended();
  }
}

/** Ids of the messages that a producer's results say are stored. */
export function sentIds(output: string): string[] {
  return [...output.matchAll(/sendStatus=SEND_OK, msgId=([0-9A-F]+)/g)].map((match) => match[1]);
}

/** Ids of the messages that a consumer printed, each once. */
export function receivedIds(output: string): Set<string> {
  return new Set([...output.matchAll(/UNIQ_KEY=([0-9A-F]+)/g)].map((match) => match[1]));
}
