/** Apache RocketMQ 5.5.0's own name server and broker, from Maven Central, to develop against and to compare with. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Availability, classPath, javaAvailable } from "./jars.ts";
import { freePort, type ServerProcess, startServer } from "./server_process.ts";

export type ApacheServer = ServerProcess;

export interface NamesrvOptions {
  /** Holds home, data and log; made if it is missing. */
  directory: string;
  /** A free one is taken if absent. */
  port?: number;
  config?: Record<string, string>;
  heapMb?: number;
}

export interface BrokerOptions extends NamesrvOptions {
  /** Name server address, `host:port`. */
  namesrv: string;
  /** Where the store lies; `<directory>/store` if absent. */
  store?: string;
}

export function apacheAvailable(): Availability {
  return javaAvailable("servers-5.5.0");
}

function properties(entries: Record<string, string>): string {
  return Object.entries(entries).map(([key, value]) => `${key}=${value}\n`).join("");
}

function start(
  name: "namesrv" | "broker",
  mainClass: string,
  options: NamesrvOptions,
  port: number,
  config: Record<string, string>,
  heapMb: number,
  jvm: string[],
): Promise<ServerProcess> {
  const home = join(options.directory, `${name}-home`);
  mkdirSync(join(home, "conf"), { recursive: true });
  const file = join(options.directory, `${name}.conf`);
  writeFileSync(file, properties(config));
  return startServer({
    name: `Apache ${name} 5.5.0`,
    command: "java",
    // The servers log below user.home, which must not be the real one.
    args: [
      `-Xms${heapMb}m`,
      `-Xmx${heapMb}m`,
      ...jvm,
      `-Duser.home=${home}`,
      "-cp",
      classPath("servers-5.5.0"),
      mainClass,
      "-c",
      file,
    ],
    env: { ROCKETMQ_HOME: home, NAMESRV_ADDR: "" },
    log: join(options.directory, `${name}.log`),
    ready: /boot success/,
    address: `127.0.0.1:${port}`,
    readyTimeoutMs: 90_000,
  });
}

export async function startApacheNamesrv(options: NamesrvOptions): Promise<ApacheServer> {
  const port = options.port ?? await freePort();
  mkdirSync(options.directory, { recursive: true });
  const config = { listenPort: String(port), ...options.config };
  return await start(
    "namesrv",
    "org.apache.rocketmq.namesrv.NamesrvStartup",
    options,
    port,
    config,
    options.heapMb ?? 256,
    [],
  );
}

/**
 * The broker takes `port`, `port - 2` and `port + 1`. It writes its store below `directory`, so that a second start on
 * the same directory goes on with it.
 */
export async function startApacheBroker(options: BrokerOptions): Promise<ApacheServer> {
  const port = options.port ?? await freePort([-2, 1]);
  mkdirSync(options.directory, { recursive: true });
  const store = options.store ?? join(options.directory, "store");
  const config: Record<string, string> = {
    brokerName: "broker-a",
    brokerClusterName: "DefaultCluster",
    brokerId: "0",
    brokerIP1: "127.0.0.1",
    brokerIP2: "127.0.0.1",
    namesrvAddr: options.namesrv,
    listenPort: String(port),
    haListenPort: String(port + 1),
    storePathRootDir: store,
    storePathCommitLog: join(store, "commitlog"),
    ...options.config,
  };
  const direct = ["-XX:MaxDirectMemorySize=1g"];
  return await start(
    "broker",
    "org.apache.rocketmq.broker.BrokerStartup",
    options,
    port,
    config,
    options.heapMb ?? 512,
    direct,
  );
}
