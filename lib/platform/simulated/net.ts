import { type Address, type Connection, type Listener, type Net, PlatformError } from "../types.ts";
import { SimulatedConnection } from "./connection.ts";
import type { Life } from "./life.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Seeded } from "./seeded.ts";
import type { Port, Wires } from "./wires.ts";

const LOOPBACK = "127.0.0.1";

/** What the network of one process stands on. */
export interface NetWorld {
  readonly wires: Wires;
  readonly scheduler: Scheduler;
  readonly life: Life;
  readonly random: Seeded;
  /** This machine's address. */
  readonly host: string;
  /** Addresses of machines by name. */
  readonly hosts: ReadonlyMap<string, string>;
}

/** The network as one simulated process sees it; it knows no TLS. */
export function simulatedNet(world: NetWorld): Net {
  const { life, host, hosts, scheduler } = world;
  return {
    listen: (options, accept) => settled(scheduler, life, () => listen(world, options, accept)),
    connect: (options) => connect(world, options),
    startTls: (connection, _first, _options, _accept, failed) => {
      connection.destroy();
      scheduler.soon(life, () => failed(noTls()));
    },
    resolve: (name) =>
      settled(scheduler, life, () => {
        if (/^[\d.]+$/.test(name) || name.includes(":")) return [name];
        const address = name === "localhost" ? LOOPBACK : hosts.get(name);
        if (address === undefined) throw new PlatformError("ENOTFOUND", `${name}: no such host`);
        return [address];
      }),
    interfaces: () => [
      { name: "lo", address: LOOPBACK, family: 4, loopback: true },
      { name: "eth0", address: host, family: 4, loopback: false },
    ],
  };
}

function noTls(): PlatformError {
  return new PlatformError("ENOTSUP", "the simulated network knows no TLS");
}

function settled<T>(scheduler: Scheduler, life: Life, run: () => T): Promise<T> {
  return new Promise((fulfil, reject) => {
    scheduler.soon(life, () => {
      try {
        fulfil(run());
      } catch (error) {
        reject(error);
      }
    });
  });
}

function listen(
  { wires, life, host }: NetWorld,
  options: { host: string; port: number },
  accept: (connection: Connection) => void,
): Listener {
  // Machines share the wires but not their loopback, so each machine's loopback has a name of its own there.
  const address: Address = { host: options.host, port: options.port === 0 ? wires.freePort() : options.port };
  const port: Port = {
    life,
    address: { host: placeOf(options.host, host), port: address.port },
    accepting: true,
    accept,
  };
  wires.open(port);
  return {
    address,
    pause: () => void (port.accepting = false),
    resume: () => void (port.accepting = true),
    close: () => wires.close(port),
  };
}

function connect(
  world: NetWorld,
  { host, port, timeoutMs, tls }: { host: string; port: number; timeoutMs: number; tls?: unknown },
): Promise<Connection> {
  const { wires, scheduler, life } = world;
  return new Promise((fulfil, reject) => {
    const target = host === "localhost" ? LOOPBACK : world.hosts.get(host) ?? host;
    const from = target === LOOPBACK ? LOOPBACK : world.host;
    scheduler.after(life, wires.latencyMs.least, () => {
      if (tls !== undefined) return reject(noTls());
      if (wires.areParted(from, target)) {
        const late = new PlatformError("ETIMEDOUT", `no connection to ${host}:${port} within ${timeoutMs} ms`);
        return void scheduler.timer(life, timeoutMs, () => reject(late));
      }
      const listener = wires.listener({ host: placeOf(target, world.host), port });
      if (listener === undefined) return reject(new PlatformError("ECONNREFUSED", `${host}:${port} refused`));
      const near: Address = { host: from, port: wires.freePort() };
      const far: Address = { host: target, port };
      const client = new SimulatedConnection(wires, life, near, far);
      const server = new SimulatedConnection(wires, listener.life, far, near);
      client.peer = server;
      server.peer = client;
      wires.add(client);
      wires.add(server);
      fulfil(client);
      listener.accept(server);
    });
  });
}

function placeOf(host: string, machine: string): string {
  return host === LOOPBACK || host === "::1" ? `${machine}/${LOOPBACK}` : host;
}
