import { type Broker as RunningBroker, brokerOptions, startBroker } from "@rmq/broker";
import { connect, type ConnectOptions, type RocketMQ } from "@rmq/client";
import { resolve } from "@rmq/config";
import { type Namesrv, startNamesrv } from "@rmq/namesrv";
import {
  hostPlatform,
  localNet,
  type Logger,
  memoryFiles,
  type Platform,
  type TurnedClock,
  turnedClock,
} from "@rmq/platform";

const HOST = "127.0.0.1";
const FIRST_PORT = 9876;
const BROKER_PORT = 10911;
const QUIET: Logger = { info: () => {}, warn: () => {}, error: () => {} };

/** How a broker for tests is started. */
export interface InMemoryOptions {
  /** True: listens on free ports of 127.0.0.1, for clients of other processes and languages. Default: no port is taken. */
  readonly ports?: boolean;
  /** Keys of `broker.conf`, as text: `{ autoCreateTopicEnable: "false" }`. */
  readonly config?: Readonly<Record<string, string>>;
  /** Gets the broker's few lines; default nobody. */
  readonly logger?: Logger;
}

/** The time of a broker for tests; it runs by itself too. */
export interface BrokerClock {
  /** Milliseconds since 1970. */
  nowMs(): number;
  /**
   * Lets time pass at once: milliseconds, `"10s"`, `"2h"`, `"1h 30m"`. What is due meanwhile happens, in order: delayed
   * messages are delivered, transactions checked, members forgotten. Throws RangeError for what is no duration.
   */
  advance(duration: number | string): Promise<void>;
}

/** A name server and a broker in this process. */
export class Broker implements AsyncDisposable {
  /** Address of the name server, for `connect` of any client: `127.0.0.1:port`. Without ports only this process reaches it. */
  readonly address: string;
  /** Time, as broker, name server and the clients of {@link connect} see it. */
  readonly clock: BrokerClock;
  readonly #platform: Platform;
  readonly #namesrv: Namesrv;
  readonly #broker: RunningBroker;
  readonly #clients: RocketMQ[] = [];

  private constructor(platform: Platform, clock: TurnedClock, namesrv: Namesrv, broker: RunningBroker) {
    this.#platform = platform;
    this.#namesrv = namesrv;
    this.#broker = broker;
    this.clock = clock;
    this.address = `${HOST}:${namesrv.port}`;
  }

  /**
   * Starts both. Throws ConfigError for a key that is not known or a value that is not allowed, PlatformError when no
   * port can be had.
   */
  static async inMemory(options: InMemoryOptions = {}): Promise<Broker> {
    const host = hostPlatform();
    const clock = turnedClock(host.clock);
    const files = memoryFiles(clock);
    const ports = options.ports === true;
    const net = ports ? host.net : localNet((run) => clock.afterTurn(run));
    const platform: Platform = { ...host, clock, files, net };
    const logger = options.logger ?? QUIET;
    const namesrv = await startNamesrv(
      platform,
      { bindAddress: HOST, listenPort: ports ? 0 : FIRST_PORT, kvConfigPath: "/namesrv/kvConfig.json" },
      logger,
    );
    try {
      const listenPort = ports ? await freePort(platform) : BROKER_PORT;
      const broker = await startBroker(platform, configured(platform, namesrv.port, listenPort, options), logger);
      return new Broker(platform, clock, namesrv, broker);
    } catch (error) {
      await namesrv.close();
      throw error;
    }
  }

  /** A client of this broker on its clock; closed with the broker, if not before. Rejects with ClientError. */
  async connect(options: ConnectOptions = {}): Promise<RocketMQ> {
    const client = await connect(this.address, { ...options, platform: this.#platform });
    this.#clients.push(client);
    return client;
  }

  /** Closes its clients, the broker and the name server; what was stored is gone. A second call does nothing more. */
  async stop(): Promise<void> {
    await Promise.all(this.#clients.splice(0).map((client) => client.close()));
    await this.#broker.stop();
    await this.#namesrv.close();
  }

  /** Same as {@link stop}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/** Small files, nothing waits for a disk, and every feature is on. */
function configured(
  platform: Platform,
  namesrvPort: number,
  listenPort: number,
  options: InMemoryOptions,
): ReturnType<typeof brokerOptions> {
  const { settings } = resolve("broker", {
    machine: { home: "/memory", host: "broker-a", address: HOST },
    variables: {},
    defaults: {
      brokerName: "broker-a",
      bindAddress: HOST,
      brokerIP1: HOST,
      brokerIP2: HOST,
      listenPort: String(listenPort),
      namesrvAddr: `${HOST}:${namesrvPort}`,
      storePathRootDir: "/memory/store",
      mappedFileSizeCommitLog: String(64 * 1024 * 1024),
      minFreeBytes: String(256 * 1024 * 1024),
      enablePropertyFilter: "true",
      recallMessageEnable: "true",
    },
    flags: options.config ?? {},
  });
  return brokerOptions(settings, platform.process);
}

/** A port such that the one two below it is free too, which the broker also listens on. */
async function freePort(platform: Platform): Promise<number> {
  for (let tries = 0; tries < 20; tries++) {
    const listen = (port: number) => platform.net.listen({ host: HOST, port }, (made) => made.destroy(), () => {});
    const first = await listen(0);
    const { port } = first.address;
    const second = await listen(port - 2).catch(() => null);
    first.close();
    second?.close();
    if (second !== null) return port;
  }
  throw new Error("no two free ports were found, two apart");
}
