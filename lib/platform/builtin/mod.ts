/**
 * Modules of the runtime's own that cost megabytes to load, loaded at their first use.
 *
 * @module
 */
import process from "node:process";

/** `node:zlib`. */
export function zlib(): typeof import("node:zlib") {
  return process.getBuiltinModule("node:zlib");
}

/** `node:crypto`. */
export function crypto(): typeof import("node:crypto") {
  return process.getBuiltinModule("node:crypto");
}

/** `node:tls`. */
export function tls(): typeof import("node:tls") {
  return process.getBuiltinModule("node:tls");
}
