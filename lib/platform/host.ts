import process from "node:process";
import { hostCertificates } from "./node/certificates.ts";
import { hostClock } from "./node/clock.ts";
import { dataSync } from "./node/data_sync.ts";
import { hostFiles, type OpenFile, openOnNode } from "./node/files.ts";
import { hostHashing } from "./node/hashing.ts";
import { hostNet } from "./node/net.ts";
import { hostProcess } from "./node/process.ts";
import { hostRandom } from "./node/random.ts";
import { DenoFile } from "./deno/file.ts";
import { denoLibc } from "./deno/libc.ts";
import { bunNet } from "./bun/net.ts";
import { ConnectionBudget } from "./connection_budget.ts";
import { bunLibc } from "./bun/libc.ts";
import type { Libc } from "./native/libc.ts";
import type { Platform } from "./types.ts";

type Runtime = "deno" | "bun" | "node";

// Reads that may wait in the runtime's pool at once: Bun has as few threads as cores, Node four, Deno hundreds.
const POOL_READS: Record<Runtime, number> = { deno: 8, bun: 2, node: 2 };

let host: Platform | null = null;

/** The machine that this process runs on: Deno, Bun or Node, told apart at the first call. Always the same object. */
export function hostPlatform(): Platform {
  if (host !== null) return host;
  const runtime = runtimeNow();
  const libc = lazily(() => nativeLibc(runtime));
  const sync = dataSync(runtime === "bun");
  const open: OpenFile = runtime === "deno"
    ? (path, options, reads) => new DenoFile(path, options, reads)
    : openOnNode(sync);
  const files = hostFiles(open, sync, POOL_READS[runtime], libc);
  const ours = hostProcess(runtime, libc);
  const budget = new ConnectionBudget(lazily(ours.raiseDescriptorLimit));
  const net = runtime === "bun" ? bunNet(budget) : hostNet(budget);
  host = {
    clock: hostClock(),
    files,
    net,
    random: hostRandom(),
    process: ours,
    hashing: hostHashing,
    certificates: hostCertificates,
  };
  return host;
}

function runtimeNow(): Runtime {
  if ("deno" in process.versions) return "deno";
  if ("bun" in process.versions) return "bun";
  return "node";
}

function nativeLibc(runtime: Runtime): Libc | null {
  if (process.platform !== "linux") return null;
  if (runtime === "deno") return denoLibc();
  if (runtime === "bun") return bunLibc();
  return null;
}

function lazily<T>(make: () => T): () => T {
  let made: { value: T } | null = null;
  return () => (made ??= { value: make() }).value;
}
