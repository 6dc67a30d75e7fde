import { writeSync } from "node:fs";
import { homedir, hostname, totalmem } from "node:os";
import process from "node:process";
import { readFileSync } from "node:fs";
import { codeOf } from "../errors.ts";
import { raiseDescriptorLimit } from "../native/descriptor_limit.ts";
import type { Libc } from "../native/libc.ts";
import type { Process } from "../types.ts";

const STOP_SIGNALS = process.platform === "win32"
  ? ["SIGINT", "SIGTERM"] as const
  : ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** This process. */
export function hostProcess(runtime: Process["runtime"], libc: () => Libc | null): Process {
  return {
    runtime,
    pid: process.pid,
    hostName: hostname(),
    homeDirectory: homedir(),
    args: process.argv.slice(2),
    env: (name) => process.env[name],
    environment,
    onStop,
    exit: (code) => process.exit(code),
    memoryBytes: totalmem(),
    residentBytes: () => process.memoryUsage.rss(),
    raiseDescriptorLimit: () => {
      const native = libc();
      return native === null ? presentDescriptorLimit() : raiseDescriptorLimit(native);
    },
    write: (stream, text) => writeAll(stream === "out" ? 1 : 2, new TextEncoder().encode(text)),
    get columns(): number | null {
      return process.stdout.isTTY ? process.stdout.columns ?? null : null;
    },
  };
}

function environment(): Record<string, string> {
  const all: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) if (value !== undefined) all[name] = value;
  return all;
}

function onStop(run: (signal: string) => void): () => void {
  const listener = (signal: string): void => run(signal);
  for (const signal of STOP_SIGNALS) process.on(signal, listener);
  return () => {
    for (const signal of STOP_SIGNALS) process.removeListener(signal, listener);
  };
}

/** The descriptor limit as Linux tells it in /proc; 0 when unknown. */
export function presentDescriptorLimit(): number {
  try {
    const line = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "latin1"));
    return line === null ? 0 : Number(line[1]);
  } catch {
    return 0;
  }
}

// Synchronous, so that what was said before `exit` is seen.
function writeAll(descriptor: number, bytes: Uint8Array): void {
  let from = 0;
  while (from < bytes.length) {
    try {
      from += writeSync(descriptor, bytes, from, bytes.length - from);
    } catch (error) {
      // A pipe that is full: its reader is a process of its own and will make room. A closed one can't be told anything.
      if (codeOf(error) !== "EAGAIN") return;
    }
  }
}
