/**
 * The only code that knows which runtime it is on: clock, files, network, randomness, process.
 *
 * @module
 */
export * from "./types.ts";
export { hostPlatform } from "./host.ts";
export { localNet, memoryFiles, type TurnedClock, turnedClock } from "./in_process/mod.ts";
