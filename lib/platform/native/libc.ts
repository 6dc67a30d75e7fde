/** The few calls of the C library that no runtime offers. All return −1 on failure. Linux only. */
export interface Libc {
  /** `path` ends with NUL. */
  open(path: Uint8Array, flags: number, mode: number): number;
  close(descriptor: number): number;
  fcntl(descriptor: number, command: number, argument: Uint8Array): number;
  ftruncate(descriptor: number, length: number): number;
  pwrite(descriptor: number, bytes: Uint8Array, length: number, position: number): number;
  getrlimit(resource: number, limits: Uint8Array): number;
  setrlimit(resource: number, limits: Uint8Array): number;
}

/** Argument kinds and result of each call; both runtimes' bindings are made from it. */
export const LIBC_CALLS: Record<keyof Libc, { args: ("bytes" | "i32" | "i64")[]; result: "i32" | "i64" }> = {
  open: { args: ["bytes", "i32", "i32"], result: "i32" },
  close: { args: ["i32"], result: "i32" },
  fcntl: { args: ["i32", "i32", "bytes"], result: "i32" },
  ftruncate: { args: ["i32", "i64"], result: "i32" },
  pwrite: { args: ["i32", "bytes", "i64", "i64"], result: "i64" },
  getrlimit: { args: ["i32", "bytes"], result: "i32" },
  setrlimit: { args: ["i32", "bytes"], result: "i32" },
};

/** glibc, then musl on the two architectures that we ship for. */
export const LIBC_NAMES: readonly string[] = [
  "libc.so.6",
  "libc.musl-x86_64.so.1",
  "libc.musl-aarch64.so.1",
];

/** The first library that opens, or null. */
export function firstLibrary<T>(open: (name: string) => T): T | null {
  for (const name of LIBC_NAMES) {
    try {
      return open(name);
    } catch {
      // Absent here; the next name may be present, and without any the callers fall back.
    }
  }
  return null;
}
