import { type Address, PlatformError } from "../types.ts";
import type { SimulatedConnection } from "./connection.ts";
import type { Life } from "./life.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Seeded } from "./seeded.ts";
import type { NetControl } from "./types.ts";

/** Somebody who listens. */
export interface Port {
  readonly life: Life;
  readonly address: Address;
  accepting: boolean;
  accept(connection: SimulatedConnection): void;
}

const FIRST_FREE_PORT = 40_000;
const LAST_PORT = 65_535;

/** The network between all simulated machines: who listens, what is connected, what is cut. */
export class Wires implements NetControl {
  readonly latencyMs: { least: number; most: number } = { least: 0, most: 0 };
  splits = true;
  readonly #scheduler: Scheduler;
  readonly #random: Seeded;
  readonly #ports: Port[] = [];
  readonly #connections = new Set<SimulatedConnection>();
  readonly #cuts = new Set<string>();
  #nextPort = FIRST_FREE_PORT;

  constructor(scheduler: Scheduler, random: Seeded) {
    this.#scheduler = scheduler;
    this.#random = random;
  }

  partition(a = "*", b = "*"): void {
    this.#cuts.add(`${a}|${b}`);
  }

  heal(): void {
    this.#cuts.clear();
    for (const connection of this.#connections) connection.wake();
  }

  areParted(a: string, b: string): boolean {
    if (this.#cuts.size === 0) return false;
    return ["*|*", `${a}|${b}`, `${b}|${a}`, `${a}|*`, `*|${a}`, `${b}|*`, `*|${b}`].some((cut) => this.#cuts.has(cut));
  }

  drop(port?: number): number {
    let dropped = 0;
    for (const connection of [...this.#connections]) {
      if (connection.isClosed || (port !== undefined && connection.local.port !== port)) continue;
      connection.reset();
      dropped++;
    }
    return dropped;
  }

  get connections(): number {
    return this.#connections.size / 2;
  }

  add(connection: SimulatedConnection): void {
    this.#connections.add(connection);
  }

  forget(connection: SimulatedConnection): void {
    this.#connections.delete(connection);
  }

  /** All of a dead process breaks off. */
  bury(life: Life): void {
    for (const connection of [...this.#connections]) if (connection.life === life) connection.reset();
    for (const port of this.#ports.filter((each) => each.life === life)) this.close(port);
  }

  open(port: Port): void {
    if (this.#find(port.address) !== undefined) {
      throw new PlatformError("EADDRINUSE", `${port.address.host}:${port.address.port} is in use`);
    }
    this.#ports.push(port);
  }

  close(port: Port): void {
    const at = this.#ports.indexOf(port);
    if (at >= 0) this.#ports.splice(at, 1);
  }

  /** Who accepts connections at `address`. */
  listener(address: Address): Port | undefined {
    const port = this.#find(address);
    return port?.accepting ? port : undefined;
  }

  freePort(): number {
    if (this.#nextPort > LAST_PORT) this.#nextPort = FIRST_FREE_PORT;
    return this.#nextPort++;
  }

  chunkBytes(most: number): number {
    if (!this.splits) return most;
    const kind = this.#random.below(10);
    if (kind === 0) return 1 + this.#random.below(16);
    return 1 + this.#random.below(kind < 3 ? 1500 : most);
  }

  deliver(to: SimulatedConnection, run: () => void): void {
    const { least, most } = this.latencyMs;
    this.#scheduler.after(to.life, least + this.#random.below(most - least + 1), run);
  }

  soon(life: Life, run: () => void): void {
    this.#scheduler.soon(life, run);
  }

  #find({ host, port }: Address): Port | undefined {
    return this.#ports.find((each) =>
      each.address.port === port && (each.address.host === host || isAny(each.address.host) || isAny(host))
    );
  }
}

function isAny(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}
