/**
 * A platform for tests: time that is turned, a disk that forgets and tears what was not synced, a network that splits,
 * delays and parts, all in an order that a seed determines.
 *
 * @module
 */
export { Simulation, simulation, type SimulationOptions } from "./simulation.ts";
export { Machine, type World } from "./machine.ts";
export { SimulatedDisk } from "./disk.ts";
export type { Fault, FaultyOperation } from "./faults.ts";
export { WallClock } from "./clock.ts";
export { Wires } from "./wires.ts";
export { Seeded } from "./seeded.ts";
export type { ProcessControl, ProcessOptions } from "./process.ts";
