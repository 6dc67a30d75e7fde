/** The servers that the scenarios run against: Apache's own, to prove the scenarios, and ours. */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { apacheAvailable, startApacheBroker, startApacheNamesrv } from "../../scripts/peers/apache.ts";
import { type Availability, repositoryRoot } from "../../scripts/peers/jars.ts";
import { freePort, type ServerProcess, startServer } from "../../scripts/peers/server_process.ts";

export type TargetKind = "apache" | "rmq";

export interface Target {
  kind: TargetKind;
  namesrv: string;
  broker: string;
  /** Stops the broker cleanly and starts it again on the same store and port. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** Delay level 1 is 1 s, 2 is 2 s, all others (retries begin at 3) 1 s. */
export const delayLevels: string = ["1s", "2s", ...Array<string>(16).fill("1s")].join(" ");

export const rmqExecutable: string = join(repositoryRoot, "dist", process.platform === "win32" ? "rmq.exe" : "rmq");

export function targetAvailable(kind: TargetKind): Availability {
  if (kind === "apache") return apacheAvailable();
  return existsSync(rmqExecutable)
    ? { ok: true, reason: "" }
    : { ok: false, reason: "dist/rmq is not built (deno task build)" };
}

export async function startTarget(kind: TargetKind, directory: string): Promise<Target> {
  mkdirSync(directory, { recursive: true });
  const namesrv = kind === "apache" ? await startApacheNamesrv({ directory }) : await startRmqNamesrv(directory);
  const port = await freePort([-2, 1]);
  const start = (): Promise<ServerProcess> =>
    kind === "apache"
      ? startApacheBroker({ directory, port, namesrv: namesrv.address, config: { messageDelayLevel: delayLevels } })
      : startRmqBroker(directory, port, namesrv.address, { messageDelayLevel: delayLevels });
  let broker = await start();
  return {
    kind,
    namesrv: namesrv.address,
    broker: broker.address,
    async restart() {
      await broker.stop();
      broker = await start();
    },
    async close() {
      await Promise.all([broker.kill(), namesrv.kill()]);
    },
  };
}

export async function startRmqNamesrv(directory: string): Promise<ServerProcess> {
  const port = await freePort();
  return await startServer({
    name: "rmq namesrv",
    command: rmqExecutable,
    args: ["namesrv", "-p", String(port)],
    cwd: directory,
    log: join(directory, "namesrv.log"),
    ready: /boot success/,
    address: `127.0.0.1:${port}`,
  });
}

export function startRmqBroker(
  directory: string,
  port: number,
  namesrv: string,
  config: Record<string, string>,
): Promise<ServerProcess> {
  const keys = {
    storePathRootDir: join(directory, "store"),
    brokerName: "broker-a",
    brokerIP1: "127.0.0.1",
    ...config,
  };
  const flags = Object.entries(keys).flatMap(([key, value]) => [`--${key}`, value]);
  return startServer({
    name: "rmq broker",
    command: rmqExecutable,
    args: ["broker", "-n", namesrv, "-p", String(port), ...flags],
    cwd: directory,
    log: join(directory, "broker.log"),
    ready: /boot success/,
    address: `127.0.0.1:${port}`,
  });
}
