import process from "node:process";
import { firstLibrary, type Libc, LIBC_CALLS } from "../native/libc.ts";

/** What we use of `bun:ffi`. */
interface BunFfi {
  dlopen(
    name: string,
    symbols: Record<string, { args: string[]; returns: string }>,
  ): { symbols: Record<string, (...args: unknown[]) => number | bigint> };
}

/** The C library through Bun's FFI, or null. */
export function bunLibc(): Libc | null {
  // Not an import: the other runtimes read this file too and know no `bun:` module.
  const modules = process as unknown as { getBuiltinModule(name: string): BunFfi | undefined };
  const ffi = modules.getBuiltinModule("bun:ffi");
  if (ffi === undefined) return null;
  const symbols: Record<string, { args: string[]; returns: string }> = {};
  for (const [name, call] of Object.entries(LIBC_CALLS)) {
    symbols[name] = { args: call.args.map((kind) => kind === "bytes" ? "ptr" : kind), returns: call.result };
  }
  const library = firstLibrary((name) => ffi.dlopen(name, symbols).symbols);
  if (library === null) return null;
  const calls: Record<string, (...args: unknown[]) => number> = {};
  for (const name of Object.keys(LIBC_CALLS)) calls[name] = (...args) => Number(library[name](...args));
  return calls as unknown as Libc;
}
