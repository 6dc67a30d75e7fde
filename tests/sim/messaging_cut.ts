/**
 * Power cuts under a whole broker on a simulated machine, with timers, delay levels, transactions and retries under way:
 * clients on another machine keep what they were promised, and hold each life of the broker to it.
 *
 *   deno run -A tests/sim/messaging_cut.ts [--seeds 500] [--from 1] [--sabotage "delivers early"]
 *
 * A failing run prints its seed; `--from SEED --seeds 1` replays it.
 */
import type { Platform, Random } from "@rmq/platform";
import { type Simulation, simulation } from "@rmq/platform/simulated";
import { defaultStoreOptions } from "@rmq/store";
import { KeptLog, settings } from "../../lib/broker/_test_broker.ts";
import { type Broker, type BrokerOptions, startBroker } from "../../lib/broker/mod.ts";
import { Messaging, messagingConfig } from "../messaging/messaging.ts";
import { type MessagingSabotage, messagingSabotages } from "./messaging_sabotage.ts";
import { type Outcome, runSeeds } from "./seeds.ts";

const PORT = 10911;
const LIVES = 5;
/** Everything that was promised must have come by then: the farthest timer, its retries, and some checks. */
const PATIENCE_MS = 60_000;

class Broken extends Error {}

/** Runs one history. */
export async function messagingCutRun(seed: number, sabotage: MessagingSabotage = {}): Promise<Outcome> {
  const history = new History(seed, sabotage);
  try {
    await history.run();
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    return history.outcome(error.message);
  }
  return history.outcome(null);
}

class History {
  readonly #sim: Simulation;
  readonly #random: Random;
  readonly #messaging: Messaging;
  readonly #flushDiskType: "SYNC_FLUSH" | "ASYNC_FLUSH";
  /** Some histories run on a disk that fails now and then. */
  readonly #faulty: boolean;
  #crashes = 0;

  constructor(readonly seed: number, private readonly sabotage: MessagingSabotage) {
    this.#sim = simulation({ seed });
    this.#random = this.#sim.random;
    this.#sim.disk.latencyMs.sync = this.#random.below(2) === 0 ? 2 : 15;
    this.#sim.net.latencyMs.most = this.#random.below(3);
    // With ASYNC_FLUSH a power cut may take what was answered; a killed process may not.
    this.#flushDiskType = this.#random.below(100) < 80 ? "SYNC_FLUSH" : "ASYNC_FLUSH";
    this.#faulty = this.#random.below(100) < 25;
    this.#messaging = new Messaging(this.#sim.addMachine("clients").platform);
  }

  outcome(broken: string | null): Outcome {
    const acknowledged = [...this.#messaging.ledger.entries.values()].filter((entry) => entry.promised).length;
    return { seed: this.seed, broken, acknowledged, crashes: this.#crashes };
  }

  async run(): Promise<void> {
    let platform = this.#sim.platform;
    for (let life = 0; life < LIVES; life++) {
      const broker = await this.#start(platform);
      if (broker !== null) {
        await this.#use();
        if (this.#random.below(100) < 15) await this.#sim.finish(broker.stop());
      }
      this.#messaging.disconnect();
      this.#crashes++;
      this.#sim.disk.clearFaults();
      platform = this.#sim.crash({ powerCut: this.#flushDiskType === "SYNC_FLUSH" && this.#random.below(100) < 80 });
      if (this.#random.below(100) < 25) await this.#sim.advance(this.#random.below(8000));
    }
    const broker = await this.#start(platform, true);
    await this.#settle();
    this.#messaging.disconnect();
    if (broker !== null) await this.#sim.finish(broker.stop());
  }

  /** Starts the broker; null when the power fails during that. */
  async #start(platform: Platform, toTheEnd = false): Promise<Broker | null> {
    const { clock } = this.sabotage;
    const machine = clock === undefined ? platform : { ...platform, clock: clock(platform.clock) };
    const starting = startBroker(machine, this.#options(), new KeptLog());
    starting.catch(() => {});
    if (!toTheEnd && this.#random.below(100) < 15) {
      await this.#sim.advance(this.#random.below(60));
      return null;
    }
    let broker: Broker;
    try {
      broker = await this.#sim.finish(starting);
    } catch (error) {
      throw new Broken(`the broker does not start: ${String(error)}`);
    }
    this.sabotage.broker?.(broker, platform.clock);
    this.#messaging.connect(`${this.#sim.machine.host}:${PORT}`, toTheEnd || this.#random.below(3) === 0);
    return broker;
  }

  #options(): BrokerOptions {
    const { messageDelayLevel, transactionCheckInterval, transactionTimeOut } = messagingConfig;
    const root = settings.storePathRootDir;
    return {
      broker: {
        ...settings,
        listenPort: PORT,
        bindAddress: "0.0.0.0",
        flushDiskType: this.#flushDiskType,
        messageDelayLevel,
        transactionCheckInterval: Number(transactionCheckInterval),
        transactionTimeOut: Number(transactionTimeOut),
        flushDelayOffsetInterval: 150,
        flushConsumerOffsetInterval: 400,
      },
      store: {
        ...defaultStoreOptions(root),
        flushDiskType: this.#flushDiskType,
        maxMessageSize: 16 * 1024,
        segmentBytes: 64 * 1024,
        consumeQueueFileBytes: 2000,
        maxHashSlotNum: 50,
        maxIndexNum: 200,
        checkpointIntervalMs: 300,
        checkpointBytes: 32 * 1024,
      },
    };
  }

  /** Sends, lets time pass, sends again; stops anywhere. */
  async #use(): Promise<void> {
    for (let rounds = 1 + this.#random.below(14); rounds > 0; rounds--) {
      for (let count = this.#random.below(5); count > 0; count--) this.#messaging.add();
      if (this.#faulty && this.#random.below(100) < 25) this.#breakDisk();
      const pause = this.#random.below(100);
      if (pause < 40) await this.#sim.advance(this.#random.below(40) / 2);
      else if (pause < 75) await this.#sim.advance(this.#random.below(600));
      else await this.#sim.advance(this.#random.below(3000));
      this.#look();
    }
  }

  #breakDisk(): void {
    const op = (["write", "write", "sync", "sync", "syncDirectory", "rename"] as const)[this.#random.below(6)];
    const code = this.#random.below(2) === 0 ? "EIO" : "ENOSPC";
    const path = ["commitlog", "timer", "config/", undefined][this.#random.below(4)];
    this.#sim.disk.failNext({ op, code, path, shortWrite: this.#random.below(3000), count: 1 + this.#random.below(3) });
  }

  #look(): void {
    const { broken } = this.#messaging.ledger;
    if (broken.length > 0) throw new Broken(broken.slice(0, 3).join("; "));
  }

  /** Lets everything come that is still to come. */
  async #settle(): Promise<void> {
    const { ledger } = this.#messaging;
    for (let passed = 0; passed < PATIENCE_MS && ledger.open().length > 0; passed += 1000) {
      await this.#sim.advance(1000);
      this.#look();
    }
    const open = ledger.open();
    if (open.length > 0) throw new Broken(`${open.length} promises are not kept: ${open.slice(0, 3).join("; ")}`);
    // What ought not to come has time to come.
    await this.#sim.advance(5000);
    this.#look();
  }
}

if (import.meta.main) await runSeeds(500, messagingSabotages, messagingCutRun);
