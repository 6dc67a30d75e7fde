/**
 * Retries under way when the power fails or the process is killed: a broker takes messages and takes them back (36), is
 * cut off at any instant, opens again, and what it promised must hold. Each seed is one history of several lives.
 *
 *   deno run -A tests/sim/retry_cut.ts [--seeds 500] [--from 1]
 */
import { hostPlatform, type Platform, type Random } from "@rmq/platform";
import { type Simulation, simulation } from "@rmq/platform/simulated";
import { StoreError } from "@rmq/store";
import type { ReadMessage } from "../../lib/broker/_test_read.ts";
import { Peer, TestBroker } from "../../lib/broker/_test_broker.ts";
import type { Sabotage } from "./sabotage.ts";

const LIVES = 5;
const LEVELS_MS = [1000, 2000, 4000];
/** A message is tried so often before it is a dead letter. */
const MAX_RECONSUME_TIMES = 3;
const TOPIC = "T";
const RETRY = "%RETRY%G";
const DEAD = "%DLQ%G";

/** What a seed ended with. */
export interface RetryOutcome {
  readonly seed: number;
  /** The promise that was broken, or null. */
  readonly broken: string | null;
  /** Messages that the broker said it took back. */
  readonly promised: number;
  /** Messages that came back. */
  readonly returned: number;
  readonly dead: number;
}

/** One request to take a message back. */
interface Back {
  readonly id: string;
  /** How often it had been tried. */
  readonly times: number;
  readonly askedAt: number;
  readonly delayMs: number;
  promised: boolean;
}

class Broken extends Error {}

/** Runs one history. */
export async function retryCutRun(seed: number, sabotage: Sabotage = (files) => files): Promise<RetryOutcome> {
  const history = new History(seed, sabotage);
  let broken: string | null = null;
  try {
    await history.run();
  } catch (error) {
    // A store that does not open has lost everything.
    if (!(error instanceof Broken || error instanceof StoreError)) throw error;
    broken = error.message;
  }
  return { seed, broken, ...history.counts };
}

class History {
  readonly #sim: Simulation;
  readonly #random: Random;
  readonly #sync: boolean;
  readonly #backs: Back[] = [];
  #next = 0;
  readonly counts = { promised: 0, returned: 0, dead: 0 };

  constructor(seed: number, private readonly sabotage: Sabotage) {
    this.#sim = simulation({ seed });
    this.#random = this.#sim.random;
    this.#sim.disk.latencyMs.sync = 1 + this.#random.below(5);
    this.#sync = this.#random.below(100) < 70;
  }

  async run(): Promise<void> {
    for (let life = 0; life < LIVES; life++) {
      await this.#live(await this.#open());
      // ASYNC_FLUSH promises nothing over a power cut.
      this.#sim.crash({ powerCut: this.#sync && this.#random.below(100) < 80 });
    }
    const broker = await this.#open();
    await this.#sim.advance(LEVELS_MS[LEVELS_MS.length - 1] + 3000);
    await this.#check(broker);
  }

  #open(): Promise<TestBroker> {
    const flushDiskType = this.#sync ? "SYNC_FLUSH" : "ASYNC_FLUSH";
    const messageDelayLevel = LEVELS_MS.map((ms) => `${ms / 1000}s`).join(" ");
    const { platform } = this.#sim;
    const files = this.sabotage(platform.files, platform.clock);
    return TestBroker.open(seenThrough(this.#sim, { ...platform, files }), { flushDiskType, messageDelayLevel }, {
      delayTimesMs: LEVELS_MS,
    });
  }

  /** Sends, gives back what it finds, lets time pass; stops anywhere, with much under way. */
  async #live(broker: TestBroker): Promise<void> {
    for (let rounds = 1 + this.#random.below(6); rounds > 0; rounds--) {
      for (let count = this.#random.below(3); count > 0; count--) {
        await broker.send(TOPIC, 0, `m${this.#next++}`);
      }
      await this.#giveBack(broker);
      await this.#sim.advance(this.#random.below(2) === 0 ? this.#random.below(20) : this.#random.below(2500));
    }
    await this.#giveBack(broker);
    await this.#sim.advance(this.#random.below(8));
  }

  /** Asks for some of the messages as they were last seen; the answers come when they come. */
  async #giveBack(broker: TestBroker): Promise<void> {
    const seen = new Map<string, ReadMessage>();
    for (const topic of [TOPIC, RETRY]) {
      for (const message of await broker.read(topic, 0)) {
        if ((seen.get(message.body)?.reconsumeTimes ?? -1) < message.reconsumeTimes) seen.set(message.body, message);
      }
    }
    for (const [id, message] of seen) {
      const times = message.reconsumeTimes;
      if (this.#backs.some((back) => back.id === id && back.times === times && back.promised)) continue;
      if (this.#random.below(100) < 60) this.#ask(broker, id, message);
    }
  }

  #ask(broker: TestBroker, id: string, message: ReadMessage): void {
    const level = 1 + this.#random.below(LEVELS_MS.length);
    const times = message.reconsumeTimes;
    const askedAt = this.#sim.platform.clock.nowMs();
    const back: Back = { id, times, askedAt, delayMs: LEVELS_MS[level - 1], promised: false };
    this.#backs.push(back);
    const peer = new Peer(id);
    const later = peer.connection.later;
    peer.connection.later = (header) => {
      const token = later(header);
      return {
        ...token,
        answer: (value) => {
          token.answer(value);
          if (value.code !== 0) return;
          back.promised = true;
          this.counts.promised++;
        },
      };
    };
    const fields = { offset: message.physicalOffset, group: "G", delayLevel: level, originTopic: TOPIC };
    broker.hand(36, { ...fields, maxReconsumeTimes: MAX_RECONSUME_TIMES }, "", peer);
  }

  async #check(broker: TestBroker): Promise<void> {
    const came = await broker.read(RETRY, 0);
    const dead = await broker.read(DEAD, 0);
    this.counts.returned = came.length;
    this.counts.dead = dead.length;
    for (const back of this.#backs) {
      if (!back.promised) continue;
      const place = back.times >= MAX_RECONSUME_TIMES ? dead : came;
      const found = place.some(({ body, reconsumeTimes }) => body === back.id && reconsumeTimes === back.times + 1);
      if (!found) throw new Broken(`${back.id} was taken back after ${back.times} tries and is lost`);
    }
    for (const message of came) this.#checkTime(message);
    for (const { body, reconsumeTimes } of dead) {
      if (reconsumeTimes !== MAX_RECONSUME_TIMES + 1) throw new Broken(`${body} is dead after ${reconsumeTimes} tries`);
    }
  }

  #checkTime(message: ReadMessage): void {
    const asked = this.#backs.filter(({ id, times }) => id === message.body && times === message.reconsumeTimes - 1);
    if (asked.length === 0) throw new Broken(`${message.body} came back, and nobody gave it back`);
    const earliest = Math.min(...asked.map(({ askedAt, delayMs }) => askedAt + delayMs));
    if (message.storeTimestamp >= earliest) return;
    throw new Broken(`${message.body} came back ${earliest - message.storeTimestamp} ms before its time`);
  }
}

/** The same world, on whose machine the broker sees another platform. */
export function seenThrough(sim: Simulation, platform: Platform): Simulation {
  return {
    platform,
    random: sim.random,
    seed: sim.seed,
    clock: sim.clock,
    net: sim.net,
    machine: sim.machine,
    disk: sim.disk,
    addMachine: (name) => sim.addMachine(name),
    advance: (duration) => sim.advance(duration),
    settle: () => sim.settle(),
    finish: (promise) => sim.finish(promise),
    crash: (how) => sim.crash(how),
  };
}

async function main(): Promise<void> {
  const { process, clock } = hostPlatform();
  const option = (name: string, usual: number) => {
    const at = process.args.indexOf(name);
    return at < 0 ? usual : Number(process.args[at + 1]);
  };
  const from = option("--from", 1);
  const to = from + option("--seeds", 500) - 1;
  const totals = { promised: 0, returned: 0, dead: 0 };
  const startedUs = clock.monotonicUs();
  for (let seed = from; seed <= to; seed++) {
    const outcome = await retryCutRun(seed);
    if (outcome.broken !== null) {
      console.error(`seed ${seed}: ${outcome.broken}`);
      process.exit(1);
    }
    totals.promised += outcome.promised;
    totals.returned += outcome.returned;
    totals.dead += outcome.dead;
  }
  const seconds = Math.round((clock.monotonicUs() - startedUs) / 1e6);
  console.log(
    `seeds ${from} to ${to}: ${totals.promised} taken back, ${totals.returned} returned, ${totals.dead} dead, ${seconds} s`,
  );
}

if (import.meta.main) await main();
