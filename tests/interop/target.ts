/** The servers that the scenarios run against: Apache's own, to prove the scenarios, and ours. */
import { mkdirSync } from "node:fs";
import { apacheAvailable, startApacheBroker, startApacheNamesrv } from "../../scripts/peers/apache.ts";
import type { Availability } from "../../scripts/peers/jars.ts";
import { rmqAvailable, startRmqBroker, startRmqNamesrv } from "../../scripts/peers/rmq.ts";
import { freePort } from "../../scripts/peers/server_process.ts";

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

/** How often a transaction of unknown outcome is asked for. */
export const transactionCheckMax = 15;

/** What is due after minutes otherwise is due after a second; what is off otherwise is on. */
const brokerConfig: Record<string, string> = {
  messageDelayLevel: delayLevels,
  transactionTimeOut: "1000",
  transactionCheckInterval: "1000",
  transactionCheckMax: String(transactionCheckMax),
  recallMessageEnable: "true",
  enablePropertyFilter: "true",
  traceTopicEnable: "true",
};

/** Java refuses what waited longer than 200 ms otherwise, which happens while its code is cold. */
const patience: Record<string, string> = { waitTimeMillsInSendQueue: "10000" };

export function targetAvailable(kind: TargetKind): Availability {
  return kind === "apache" ? apacheAvailable() : rmqAvailable();
}

export async function startTarget(
  kind: TargetKind,
  directory: string,
  config: Record<string, string> = {},
): Promise<Target> {
  mkdirSync(directory, { recursive: true });
  const [startNamesrv, startBroker] = kind === "apache"
    ? [startApacheNamesrv, startApacheBroker]
    : [startRmqNamesrv, startRmqBroker];
  const namesrv = await startNamesrv({ directory });
  const port = await freePort([-2, 1]);
  const settings = { ...brokerConfig, ...kind === "apache" ? patience : {}, ...config };
  const start = () => startBroker({ directory, port, namesrv: namesrv.address, config: settings });
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
