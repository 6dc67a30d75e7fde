/**
 * A platform for tests: time that is turned, a disk that forgets and tears what was not synced, a network that splits,
 * delays and parts, all in an order that a seed determines.
 *
 * @module
 */
export type {
  ClockControl,
  DiskControl,
  Fault,
  FaultyOperation,
  Machine,
  NetControl,
  ProcessControl,
  ProcessOptions,
  Simulation,
  SimulationOptions,
} from "./types.ts";
export { simulation } from "./simulation.ts";
