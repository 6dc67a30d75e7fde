/**
 * A platform within the process, for tests and for data that need not last: files in memory, connections without ports,
 * a clock that can be turned. Unlike the simulated platform it needs nobody to drive it.
 *
 * @module
 */
export { memoryFiles } from "./files.ts";
export { localNet } from "./net.ts";
export { type TurnedClock, turnedClock } from "./turned_clock.ts";
