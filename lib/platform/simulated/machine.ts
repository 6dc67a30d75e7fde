import type { Platform } from "../types.ts";
import { simulatedClock, type WallClock } from "./clock.ts";
import { SimulatedDisk } from "./disk.ts";
import { SimulatedFiles } from "./files.ts";
import { Life } from "./life.ts";
import { simulatedNet } from "./net.ts";
import { type ProcessControl, type ProcessOptions, simulatedProcess } from "./process.ts";
import type { Scheduler } from "./scheduler.ts";
import { Seeded } from "./seeded.ts";
import type { Wires } from "./wires.ts";

/** What all machines of a simulation share. */
export interface World {
  readonly seed: number;
  readonly scheduler: Scheduler;
  readonly wall: WallClock;
  readonly wires: Wires;
  readonly hosts: Map<string, string>;
}

/** A simulated computer: a disk that stays, and one process after the other. */
export class Machine {
  readonly name: string;
  /** Its address; 127.0.0.1 reaches itself. */
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

  /** The platform of the process that runs now. */
  get platform(): Platform {
    return this.#platform;
  }

  /** What the process writes and exits with, and the way to send it signals. */
  get process(): ProcessControl {
    return this.#control;
  }

  /**
   * Ends the process where it stands: what is in flight never completes, its files and connections are dead. With
   * `powerCut` the disk keeps any part of what was not synced, else all that was written. Returns the platform of the
   * next process.
   */
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
    };
    life.atDeath(() => wires.bury(life));
    return this.#platform;
  }
}
