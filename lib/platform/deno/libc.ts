import { firstLibrary, type Libc, LIBC_CALLS } from "../native/libc.ts";

/** What we use of Deno's own names, declared here so that the other runtimes' type checkers know it too. */
interface DenoNames {
  permissions: { querySync(descriptor: { name: "ffi" }): { state: string } };
  dlopen(
    name: string,
    symbols: Record<string, { parameters: string[]; result: string }>,
  ): { symbols: Record<string, (...args: unknown[]) => number | bigint> };
}

/** The C library through Deno's FFI, or null where `--allow-ffi` was not given (asking for it would prompt). */
export function denoLibc(): Libc | null {
  const deno = (globalThis as unknown as { Deno: DenoNames }).Deno;
  if (deno.permissions.querySync({ name: "ffi" }).state !== "granted") return null;
  const symbols: Record<string, { parameters: string[]; result: string }> = {};
  for (const [name, call] of Object.entries(LIBC_CALLS)) {
    symbols[name] = { parameters: call.args.map((kind) => kind === "bytes" ? "buffer" : kind), result: call.result };
  }
  const library = firstLibrary((name) => deno.dlopen(name, symbols).symbols);
  if (library === null) return null;
  const calls: Record<string, (...args: unknown[]) => number> = {};
  for (const [name, call] of Object.entries(LIBC_CALLS)) {
    calls[name] = (...args) =>
      Number(library[name](...args.map((value, i) => call.args[i] === "i64" ? BigInt(value as number) : value)));
  }
  return calls as unknown as Libc;
}
