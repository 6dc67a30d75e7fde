/** Runs the load generator as a process of its own. */
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export interface LoadResult {
  mode: string;
  connections: number;
  inFlight: number;
  seconds: number;
  messages: number;
  /** Warm-up included. */
  allMessages: number;
  messagesPerSecond: number;
  requestsPerSecond: number;
  p50Ms: number;
  p99Ms: number;
  p999Ms: number;
  maxMs: number;
  errors: Record<string, number>;
  generatorCpu: number;
}

const load = join(dirname(fileURLToPath(import.meta.url)), "load.ts");

export interface RunningLoad {
  result: Promise<LoadResult>;
  kill(): void;
}

/** `options` as load.ts takes them, without the dashes. */
export function startLoad(address: string, options: Record<string, string | number>): RunningLoad {
  const flags = Object.entries({ address, ...options }).flatMap(([key, value]) => [`--${key}`, String(value)]);
  const child = spawn("bun", [load, "--json", ...flags], { stdio: ["ignore", "pipe", "pipe"] });
  const result = new Promise<LoadResult>((resolve, reject) => {
    let output = "";
    let errors = "";
    child.stdout.on("data", (chunk: Uint8Array) => output += new TextDecoder().decode(chunk));
    child.stderr.on("data", (chunk: Uint8Array) => errors += new TextDecoder().decode(chunk));
    child.once("error", (error) => reject(new Error(`the load generator needs bun on PATH: ${error.message}`)));
    child.once("close", (code) => {
      if (code === 0) resolve(JSON.parse(output));
      else reject(new Error(`load ${flags.join(" ")} failed (${code}): ${errors.slice(-1500)}`));
    });
  });
  return { result, kill: () => child.kill("SIGKILL") };
}

export function runLoad(address: string, options: Record<string, string | number>): Promise<LoadResult> {
  return startLoad(address, options).result;
}
