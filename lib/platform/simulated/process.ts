import { PlatformError, type Process } from "../types.ts";
import type { Life } from "./life.ts";
import type { ProcessControl, ProcessOptions } from "./types.ts";

const RESIDENT_BYTES = 50 * 1024 * 1024;
const MEMORY_BYTES = 2 ** 34;
const DESCRIPTORS = 65_536;

/** A process that exits by dying: its timers and events are dropped, and `exit` throws to its caller. */
export function simulatedProcess(pid: number, name: string, life: Life, options: ProcessOptions): ProcessControl {
  const env = { ...options.env };
  const stops = new Set<(signal: string) => void>();
  const output: string[] = [];
  let exitCode: number | null = null;
  const process: Process = {
    runtime: "simulated",
    pid,
    hostName: name,
    homeDirectory: "/home/rmq",
    args: options.args ?? [],
    env: (key) => env[key],
    environment: () => ({ ...env }),
    onStop: (run) => {
      stops.add(run);
      return () => void stops.delete(run);
    },
    exit: (code) => {
      exitCode = code;
      life.die();
      throw new PlatformError("EEXIT", `exit ${code}`);
    },
    memoryBytes: MEMORY_BYTES,
    residentBytes: () => RESIDENT_BYTES,
    raiseDescriptorLimit: () => DESCRIPTORS,
    write: (_stream, text) => void output.push(text),
    columns: null,
  };
  return {
    process,
    output,
    get exitCode(): number | null {
      return exitCode;
    },
    signal: (signal) => {
      for (const run of [...stops]) run(signal);
    },
  };
}
