/** `dist/rmq`, or what PEER_RMQ says, as processes of their own, started as the Apache ones are. */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { BrokerOptions, NamesrvOptions } from "./apache.ts";
import { type Availability, repositoryRoot } from "./jars.ts";
import { freePort, type ServerProcess, startServer } from "./server_process.ts";

export const rmqExecutable: string = join(repositoryRoot, "dist", process.platform === "win32" ? "rmq.exe" : "rmq");

/** PEER_RMQ="deno run -A main.ts" runs the sources. */
export const rmqCommand: string[] = process.env.PEER_RMQ?.split(" ") ?? [rmqExecutable];

export function rmqAvailable(): Availability {
  return process.env.PEER_RMQ || existsSync(rmqExecutable)
    ? { ok: true, reason: "" }
    : { ok: false, reason: "dist/rmq is not built (deno task build)" };
}

function flags(config: Record<string, string>): string[] {
  return Object.entries(config).flatMap(([key, value]) => [`--${key}`, value]);
}

export async function startRmqNamesrv(options: NamesrvOptions): Promise<ServerProcess> {
  const port = options.port ?? await freePort();
  mkdirSync(options.directory, { recursive: true });
  return await startServer({
    name: "rmq namesrv",
    command: rmqCommand[0],
    args: [...rmqCommand.slice(1), "namesrv", "-p", String(port), ...flags(options.config ?? {})],
    cwd: repositoryRoot,
    log: join(options.directory, "namesrv.log"),
    ready: /boot success/,
    address: `127.0.0.1:${port}`,
  });
}

/** Takes `port`, `port - 2` and `port + 1`; a second start on the same directory goes on with its store. */
export async function startRmqBroker(options: BrokerOptions): Promise<ServerProcess> {
  const port = options.port ?? await freePort([-2, 1]);
  mkdirSync(options.directory, { recursive: true });
  const config = {
    storePathRootDir: options.store ?? join(options.directory, "store"),
    brokerName: "broker-a",
    brokerIP1: "127.0.0.1",
    ...options.config,
  };
  return await startServer({
    name: "rmq broker",
    command: rmqCommand[0],
    args: [...rmqCommand.slice(1), "broker", "-n", options.namesrv, "-p", String(port), ...flags(config)],
    cwd: repositoryRoot,
    log: join(options.directory, "broker.log"),
    ready: /boot success/,
    address: `127.0.0.1:${port}`,
  });
}
