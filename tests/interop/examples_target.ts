/** What the examples run on: `rmq standalone`, or Apache's servers with the same settings. */
import { createServer } from "node:net";
import { join } from "node:path";
import { startApacheBroker, startApacheNamesrv } from "../../scripts/peers/apache.ts";
import { repositoryRoot } from "../../scripts/peers/jars.ts";
import { rmqCommand } from "../../scripts/peers/rmq.ts";
import { freePort, startServer } from "../../scripts/peers/server_process.ts";
import type { ExampleServers } from "./example_program.ts";
import type { TargetKind } from "./target.ts";

export interface ExampleTarget extends ExampleServers {
  close(): Promise<void>;
}

/** Checks of transactions are due after half a minute otherwise. */
const brokerConfig: Record<string, string> = { transactionCheckInterval: "5000", transactionTimeOut: "4000" };

/** The port that most examples leave to the environment and some name. */
export const usualPort = 9876;

export function usualPortIsFree(): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(usualPort, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

export async function startExampleTarget(kind: TargetKind, directory: string, port: number): Promise<ExampleTarget> {
  const namesrv = `127.0.0.1:${port}`;
  const brokerPort = await freePort([-2, 1]);
  const broker = `127.0.0.1:${brokerPort}`;
  if (kind === "apache") {
    const server = await startApacheNamesrv({ directory, port });
    const config = { ...brokerConfig, enablePropertyFilter: "true", waitTimeMillsInSendQueue: "10000" };
    const started = await startApacheBroker({ directory, port: brokerPort, namesrv, config });
    return { namesrv, broker, directory, close: async () => void await Promise.all([started.kill(), server.kill()]) };
  }
  const flags = Object.entries(brokerConfig).flatMap(([key, value]) => [`--${key}`, value]);
  const ports = ["--namesrvPort", String(port), "-p", String(brokerPort)];
  const standalone = await startServer({
    name: "rmq standalone",
    command: rmqCommand[0],
    args: [...rmqCommand.slice(1), "standalone", "--data", join(directory, "data"), ...ports, ...flags],
    cwd: repositoryRoot,
    log: join(directory, "standalone.log"),
    ready: /The broker.*boot success/,
    address: broker,
  });
  return { namesrv, broker, directory, close: () => standalone.kill() };
}
