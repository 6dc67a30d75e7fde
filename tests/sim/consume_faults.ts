/**
 * A group that consumes while its broker and its members are killed, connections are reset and hosts lose sight of each
 * other: every message whose send was acknowledged must be handled, in order where order is asked for. Each seed is one
 * history.
 *
 *   deno run -A tests/sim/consume_faults.ts [--seeds 200] [--from 1]
 */
import { type Broker, brokerOptions, startBroker } from "@rmq/broker";
import { connect, type ReceivedMessage, type RocketMQ } from "@rmq/client";
import { resolve } from "@rmq/config";
import { type Namesrv, startNamesrv } from "@rmq/namesrv";
import type { Logger, Platform, Random } from "@rmq/platform";
import { type Machine, type Simulation, simulation } from "@rmq/platform/simulated";
import { runSeeds } from "./seeds.ts";

const QUIET: Logger = { info: () => {}, warn: () => {}, error: () => {} };
const TOPIC = "orders";
const GROUP = "billing";
const KEYS = 4;
const STEPS = 25;

/** What a seed ended with. */
export interface FaultsOutcome {
  readonly seed: number;
  /** The promise that was broken, or null. */
  readonly broken: string | null;
  readonly acknowledged: number;
  /** Messages that came more than once. */
  readonly repeated: number;
  readonly crashes: number;
}

/** Runs one history. */
export async function faultsRun(seed: number, ordered: boolean): Promise<FaultsOutcome> {
  const history = new History(seed, ordered);
  const broken = await history.run();
  return { seed, broken, ...history.counts };
}

class History {
  readonly #sim: Simulation;
  readonly #random: Random;
  readonly #ordered: boolean;
  readonly #members: Machine[];
  readonly #acknowledged = new Set<string>();
  /** Handled, in the order of the first time. */
  readonly #handled = new Map<string, number>();
  readonly #failed = new Set<string>();
  #sending = true;
  readonly counts = { acknowledged: 0, repeated: 0, crashes: 0 };

  constructor(seed: number, ordered: boolean) {
    this.#sim = simulation({ seed });
    this.#random = this.#sim.random;
    this.#ordered = ordered;
    this.#members = ["one", "two", "three"].map((name) => this.#sim.addMachine(name));
  }

  async run(): Promise<string | null> {
    await this.#startServers(this.#sim.platform);
    const sender = await this.#client(this.#sim.addMachine("sender").platform);
    await this.#sim.finish(sender.admin.topics.create(TOPIC, { queues: 8 }));
    for (const member of this.#members) await this.#join(member);
    for (let key = 0; key < KEYS; key++) void this.#send(sender, key);
    for (let step = 0; step < STEPS; step++) await this.#step();
    this.#sim.net.heal();
    this.#sending = false;
    await this.#sim.advance("5m");
    return this.#judge(await this.#sim.finish(sender.admin.offsets.show(GROUP, TOPIC)));
  }

  async #step(): Promise<void> {
    const { net } = this.#sim;
    const member = this.#members[this.#random.below(this.#members.length)];
    switch (this.#random.below(8)) {
      case 0:
        net.drop();
        break;
      case 1:
        net.partition(member.name);
        break;
      case 2:
      case 3:
        net.heal();
        break;
      case 4:
        this.counts.crashes++;
        await this.#startServers(this.#sim.crash({ powerCut: false }));
        break;
      case 5:
        this.counts.crashes++;
        member.crash({ powerCut: false });
        net.heal();
        await this.#join(member);
        break;
    }
    await this.#sim.advance(this.#random.below(3) === 0 ? this.#random.below(45_000) : this.#random.below(3000));
  }

  async #startServers(platform: Platform): Promise<void> {
    const { host } = this.#sim.machine;
    const { settings } = resolve("broker", {
      machine: { home: "/home", host: "broker-a", address: host },
      variables: {},
      defaults: {
        brokerName: "broker-a",
        brokerIP1: host,
        brokerIP2: host,
        listenPort: "10911",
        namesrvAddr: `${host}:9876`,
        storePathRootDir: "/store",
        mappedFileSizeCommitLog: String(16 * 1024 * 1024),
        flushDiskType: "ASYNC_FLUSH",
      },
      flags: {},
    });
    const starting = async (): Promise<[Namesrv, Broker]> => [
      await startNamesrv(platform, { listenPort: 9876, kvConfigPath: null }, QUIET),
      await startBroker(platform, brokerOptions(settings, platform.process), QUIET),
    ];
    await this.#sim.finish(starting());
  }

  #client(platform: Platform): Promise<RocketMQ> {
    const options = { platform, requestTimeout: "3s", sendTimeout: "2m", sendRetries: 100 } as const;
    return this.#sim.finish(this.#connected(options));
  }

  async #connected(options: Parameters<typeof connect>[1]): Promise<RocketMQ> {
    for (;;) {
      const mq = await connect(`${this.#sim.machine.host}:9876`, options).catch(() => null);
      if (mq !== null) return mq;
    }
  }

  async #join({ platform }: Machine): Promise<void> {
    const mq = await this.#client(platform);
    const handle = (message: ReceivedMessage) => this.#handle(message);
    const options = { group: GROUP, from: "first", ordered: this.#ordered } as const;
    await this.#sim.finish(mq.work(TOPIC, handle, options));
  }

  /** Some messages fail at first, some take their time. */
  #handle(message: ReceivedMessage): Promise<void> | void {
    const text = message.text();
    if (this.#random.below(20) === 0 && !this.#failed.has(text)) {
      this.#failed.add(text);
      throw new Error("at first");
    }
    this.#handled.set(text, (this.#handled.get(text) ?? 0) + 1);
  }

  /** Each key's messages one after the other; one that was not acknowledged may be there all the same. */
  async #send(mq: RocketMQ, key: number): Promise<void> {
    for (let step = 0; this.#sending; step++) {
      const body = `${key}-${String(step).padStart(6, "0")}`;
      await mq.send(TOPIC, body, { orderBy: `key-${key}` }).then(() => this.#acknowledged.add(body), () => {});
      await new Promise<void>((resolve) => this.#sim.platform.clock.setTimer(this.#random.below(800), resolve));
    }
  }

  #judge(offsets: readonly { lag: number }[]): string | null {
    this.counts.acknowledged = this.#acknowledged.size;
    this.counts.repeated = [...this.#handled.values()].filter((count) => count > 1).length;
    const lost = [...this.#acknowledged].filter((body) => !this.#handled.has(body));
    if (lost.length > 0) return `${lost.length} acknowledged messages were never handled: ${lost.slice(0, 3)}`;
    const lag = offsets.reduce((sum, each) => sum + each.lag, 0);
    if (lag > 0) return `the group is ${lag} messages behind what it has handled`;
    if (!this.#ordered) return null;
    const last = new Map<string, string>();
    for (const body of this.#handled.keys()) {
      const key = body.split("-")[0];
      if (body < (last.get(key) ?? "")) return `${body} was handled after ${last.get(key)}`;
      last.set(key, body);
    }
    return null;
  }
}

if (import.meta.main) await runSeeds(200, {}, (seed) => faultsRun(seed, seed % 2 === 0));
