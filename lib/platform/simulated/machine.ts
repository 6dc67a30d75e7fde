import { hostHashing } from "../node/hashing.ts";
import type { Platform } from "../types.ts";
import { simulatedClock, type WallClock } from "./clock.ts";
import { SimulatedDisk } from "./disk.ts";
import { SimulatedFiles } from "./files.ts";
import { Life } from "./life.ts";
import { simulatedNet } from "./net.ts";
import { simulatedProcess } from "./process.ts";
import type { Scheduler } from "./scheduler.ts";
import { Seeded } from "./seeded.ts";
import type { Machine, ProcessControl, ProcessOptions } from "./types.ts";
import type { Wires } from "./wires.ts";

/** What all machines of a simulation share. */
export interface World {
  readonly seed: number;
  readonly scheduler: Scheduler;
  readonly wall: WallClock;
  readonly wires: Wires;
  readonly hosts: Map<string, string>;
}

/** Implements `Machine`. */
export class SimulatedMachine implements Machine {
  readonly name: string;
  readonly host: string;
  readonly disk: SimulatedDisk;
  readonly #world: World;
  readonly #options: ProcessOptions;
  readonly #number: number;
  #starts = 0;
  #life!: Life;
  #platform!: Platform;
  #control!: ProcessControl;

  constructor(world: World, number: number, name: string, options: ProcessOptions) {
    this.#world = world;
    this.#number = number;
    this.#options = options;
    this.name = name;
    this.host = `10.0.0.${number + 1}`;
    this.disk = new SimulatedDisk(new Seeded(world.seed, 1000 + number));
    world.hosts.set(name, this.host);
    this.#start();
  }

  get platform(): Platform {
    return this.#platform;
  }

  get process(): ProcessControl {
    return this.#control;
  }

  crash({ powerCut }: { powerCut: boolean }): Platform {
    this.#life.die();
    this.#world.wires.bury(this.#life);
    if (powerCut) this.disk.powerCut();
    return this.#start();
  }

  #start(): Platform {
    const { seed, scheduler, wall, wires, hosts } = this.#world;
    const life = new Life();
    const start = this.#starts++;
    const random = new Seeded(seed, 2000 + this.#number * 97 + start * 7919);
    const pid = 1000 + this.#number * 100 + start;
    this.#life = life;
    this.#control = simulatedProcess(pid, this.name, life, this.#options);
    this.#platform = {
      clock: simulatedClock(scheduler, wall, life),
      files: new SimulatedFiles({ disk: this.disk, scheduler, life, nowMs: () => wall.nowMs() }),
      net: simulatedNet({ wires, scheduler, life, random, host: this.host, hosts }),
      random,
      process: this.#control.process,
      hashing: hostHashing,
    };
    life.atDeath(() => wires.bury(life));
    return this.#platform;
  }
}
