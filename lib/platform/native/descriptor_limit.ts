import type { Libc } from "./libc.ts";

const RLIMIT_NOFILE = 7;

/** Raises this process's soft limit of open files to the hard one; the limit now in force, 0 when it can't be told. */
export function raiseDescriptorLimit(libc: Libc): number {
  // struct rlimit: uint64 soft, uint64 hard.
  const limits = new BigUint64Array(2);
  const bytes = new Uint8Array(limits.buffer);
  if (libc.getrlimit(RLIMIT_NOFILE, bytes) < 0) return 0;
  if (limits[0] < limits[1]) {
    limits[0] = limits[1];
    libc.setrlimit(RLIMIT_NOFILE, bytes);
    if (libc.getrlimit(RLIMIT_NOFILE, bytes) < 0) return 0;
  }
  return Math.min(Number(limits[0]), Number.MAX_SAFE_INTEGER);
}
