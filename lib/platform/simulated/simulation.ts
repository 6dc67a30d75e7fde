import type { Platform } from "../types.ts";
import { WallClock } from "./clock.ts";
import { durationMs } from "./duration.ts";
import { SimulatedMachine, type World } from "./machine.ts";
import { Scheduler } from "./scheduler.ts";
import { Seeded } from "./seeded.ts";
import type { DiskControl, Machine, ProcessOptions, Simulation, SimulationOptions } from "./types.ts";
import { Wires } from "./wires.ts";

/** 2026-01-01T00:00:00Z: where simulated time begins unless told otherwise. */
const START_MS = 1_767_225_600_000;
/** How far `finish` looks for an outcome, simulated milliseconds. */
const PATIENCE_MS = 3_600_000;

class SeededWorld implements Simulation {
  readonly seed: number;
  readonly clock: WallClock;
  readonly net: Wires;
  readonly random: Seeded;
  readonly machine: Machine;
  readonly #scheduler: Scheduler;
  readonly #world: World;
  readonly #options: ProcessOptions;
  #machines = 0;

  constructor(options: SimulationOptions) {
    const { seed, startMs = START_MS } = options;
    this.seed = seed;
    this.#options = options;
    this.#scheduler = new Scheduler(new Seeded(seed, 1));
    this.clock = new WallClock(this.#scheduler, startMs);
    this.net = new Wires(this.#scheduler, new Seeded(seed, 2));
    this.random = new Seeded(seed, 3);
    this.#world = { seed, scheduler: this.#scheduler, wall: this.clock, wires: this.net, hosts: new Map() };
    this.machine = this.addMachine("main");
  }

  get platform(): Platform {
    return this.machine.platform;
  }

  get disk(): DiskControl {
    return this.machine.disk;
  }

  addMachine(name: string, options: ProcessOptions = this.#options): Machine {
    return new SimulatedMachine(this.#world, this.#machines++, name, options);
  }

  crash(how: { powerCut: boolean }): Platform {
    return this.machine.crash(how);
  }

  settle(): Promise<void> {
    return this.#scheduler.settle();
  }

  advance(duration: number | string): Promise<void> {
    return this.#scheduler.advance(durationMs(duration));
  }

  async finish<T>(outcome: Promise<T>): Promise<T> {
    let open = true;
    const close = (): void => void (open = false);
    outcome.then(close, close);
    const untilUs = this.#scheduler.nowUs + PATIENCE_MS * 1000;
    await this.settle();
    while (open) {
      const moved = await this.#scheduler.step();
      if (open && (!moved || this.#scheduler.nowUs > untilUs)) {
        throw new Error(`seed ${this.seed}: what is waited for does not happen`);
      }
    }
    return await outcome;
  }
}

/** Makes a world; see `Simulation`. */
export function simulation(options: SimulationOptions): Simulation {
  return new SeededWorld(options);
}
