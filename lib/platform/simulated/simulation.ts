import type { Platform } from "../types.ts";
import { WallClock } from "./clock.ts";
import type { SimulatedDisk } from "./disk.ts";
import { durationMs } from "./duration.ts";
import { Machine, type World } from "./machine.ts";
import type { ProcessOptions } from "./process.ts";
import { Scheduler } from "./scheduler.ts";
import { Seeded } from "./seeded.ts";
import { Wires } from "./wires.ts";

/** 2026-01-01T00:00:00Z: where simulated time begins unless told otherwise. */
const START_MS = 1_767_225_600_000;
/** How far `finish` looks for an outcome, simulated milliseconds. */
const PATIENCE_MS = 3_600_000;

/** What a simulation begins with. */
export interface SimulationOptions extends ProcessOptions {
  /** Determines everything that is left to chance. */
  readonly seed: number;
  /** Wall clock at the start, milliseconds since 1970. */
  readonly startMs?: number;
}

/** A world under a seed: machines with disks, a network between them, and a clock that stands until it is turned. */
export class Simulation {
  readonly seed: number;
  /** The wall clock, to be read or set. */
  readonly clock: WallClock;
  /** The network: partitions, drops, latency. */
  readonly net: Wires;
  /** Chance for the test itself, from the same seed. */
  readonly random: Seeded;
  /** The machine that is there from the start. */
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

  /** The platform of the process that runs now on the first machine. */
  get platform(): Platform {
    return this.machine.platform;
  }

  /** The first machine's disk. */
  get disk(): SimulatedDisk {
    return this.machine.disk;
  }

  /** One more machine on the same network, reached by its name or its `host`. */
  addMachine(name: string, options: ProcessOptions = this.#options): Machine {
    return new Machine(this.#world, this.#machines++, name, options);
  }

  /** Crashes the first machine's process; see `Machine.crash`. */
  crash(how: { powerCut: boolean }): Platform {
    return this.machine.crash(how);
  }

  /** Runs completions and turns until nothing is ready; time stands still. */
  settle(): Promise<void> {
    return this.#scheduler.settle();
  }

  /** Lets time pass: milliseconds, or `"90s"`, `"2h"`. Every timer runs at its time, with all that comes of it. */
  advance(duration: number | string): Promise<void> {
    return this.#scheduler.advance(durationMs(duration));
  }

  /**
   * Turns the world until `outcome` is there, moving time from timer to timer where nothing else is left to happen.
   * Rejects when it does not come within a simulated hour, or when nothing could bring it any more.
   */
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
  return new Simulation(options);
}
