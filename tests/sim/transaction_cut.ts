/**
 * Transactions under way when the power fails or the process is killed: a broker takes half messages and their ends (37),
 * checks those that stay open (39), is cut off at any instant and opens again. What was to be committed must be delivered,
 * what was rolled back never, and an end that was answered stays, whatever its producer says later. Each seed is one
 * history of several lives.
 *
 *   deno run -A tests/sim/transaction_cut.ts [--seeds 500] [--from 1]
 */
import { hostPlatform, type Random } from "@rmq/platform";
import { type Simulation, simulation } from "@rmq/platform/simulated";
import { Peer, TestBroker } from "../../lib/broker/_test_broker.ts";
import { COMMIT, Producer, ROLLBACK } from "../../lib/broker/transactions/_test_producer.ts";
import { seenThrough } from "./retry_cut.ts";
import type { Sabotage } from "./sabotage.ts";

const LIVES = 4;
const TRANSACTIONS = 6;
const HALF_TOPIC = "RMQ_SYS_TRANS_HALF_TOPIC";
const KINDS = ["yes", "no", "open"] as const;

/** What a seed ended with. */
export interface TransactionOutcome {
  readonly seed: number;
  /** The promise that was broken, or null. */
  readonly broken: string | null;
  /** Half messages that the broker said it has, of transactions that are to be committed. */
  readonly committed: number;
  /** Ends that were answered. */
  readonly settled: number;
  readonly checks: number;
}

/** How a producer ends the transaction of a message; null: it never knows. */
function decisionOf(body: string): number | null {
  if (body.startsWith("yes")) return COMMIT;
  return body.startsWith("no") ? ROLLBACK : null;
}

/** Runs one history. */
export async function transactionCutRun(
  seed: number,
  sabotage: Sabotage = (files) => files,
): Promise<TransactionOutcome> {
  const history = new History(seed, sabotage);
  const broken = await history.run();
  return { seed, broken, ...history.counts };
}

class History {
  readonly #sim: Simulation;
  readonly #random: Random;
  readonly #stored: string[] = [];
  /** Who asked for the end of a transaction, and got the answer. */
  readonly #ends = new Map<string, Peer>();
  #checks = 0;

  constructor(seed: number, private readonly sabotage: Sabotage) {
    this.#sim = simulation({ seed });
    this.#random = this.#sim.random;
    this.#sim.disk.latencyMs.sync = 2;
  }

  get counts() {
    return {
      committed: this.#stored.filter((body) => decisionOf(body) === COMMIT).length,
      settled: [...this.#ends.keys()].filter((body) => this.#isSettled(body)).length,
      checks: this.#checks,
    };
  }

  /** Returns what was broken, or null. */
  async run(): Promise<string | null> {
    for (let life = 0; life < LIVES; life++) {
      const { broker, producer } = await this.#open();
      await this.#live(broker, producer, life);
      this.#checks += producer.checks.length;
      this.#sim.crash({ powerCut: this.#random.below(2) === 0 });
    }
    const { broker, producer } = await this.#open();
    await broker.world.advance("3m");
    this.#checks += producer.checks.length;
    const found = new Set((await broker.read("T", 1)).map(({ body }) => body));
    for (const body of this.#stored) {
      if (decisionOf(body) === COMMIT && !found.has(body)) return `"${body}" is not delivered`;
    }
    for (const body of found) if (decisionOf(body) !== COMMIT) return `"${body}" is delivered`;
    return null;
  }

  async #open(): Promise<{ broker: TestBroker; producer: Producer }> {
    const { platform } = this.#sim;
    const seen = { ...platform, files: this.sabotage(platform.files, platform.clock) };
    // Its producer has no heartbeats, and a small log makes more of its segments.
    const broker = await TestBroker.open(
      seenThrough(this.#sim, seen),
      { channelExpiredTimeout: 1_000_000_000 },
      { segmentBytes: 64 * 1024 },
    );
    const producer = await new Producer(broker, "PG").online();
    producer.decide = (body) => this.#decide(body);
    return { broker, producer };
  }

  /** Asked again after its end was answered, a producer says the contrary. */
  #decide(body: string): number | null {
    const how = decisionOf(body);
    return how === null || !this.#isSettled(body) ? how : COMMIT + ROLLBACK - how;
  }

  #isSettled(body: string): boolean {
    return this.#ends.get(body)?.answers[0]?.code === 0;
  }

  async #live(broker: TestBroker, producer: Producer, life: number): Promise<void> {
    const random = this.#random;
    const halfOffsets = new Map<number, number>();
    broker.state.store.onEntry(({ queue, message }) => {
      if (queue?.topic === HALF_TOPIC) halfOffsets.set(message.physicalOffset, message.queueOffset);
    });
    const later: (() => void)[] = [];
    for (let i = 0; i < TRANSACTIONS; i++) {
      const body = `${KINDS[random.below(KINDS.length)]} ${life} ${i}`;
      const at = await producer.send(body);
      this.#stored.push(body);
      const how = decisionOf(body);
      const end = () => {
        const peer = new Peer(body);
        this.#ends.set(body, peer);
        const half = { tranStateTableOffset: halfOffsets.get(at) ?? -1, commitLogOffset: at, msgId: "x" };
        broker.hand(37, { producerGroup: "PG", commitOrRollback: how, ...half }, "", peer);
      };
      const when = how === null ? 2 : random.below(3);
      if (when === 0) end();
      else if (when === 1) later.push(end);
      if (random.below(2) === 0) await this.#sim.advance(random.below(4));
    }
    // By then some are stored again and checked, and their producer still names the first copy.
    if (random.below(2) === 0) await this.#sim.advance(random.below(80_000));
    for (const end of later) end();
    await this.#sim.advance(random.below(2) === 0 ? random.below(4) : random.below(40_000));
  }
}

async function main(): Promise<void> {
  const { process, clock } = hostPlatform();
  const option = (name: string, usual: number) => {
    const at = process.args.indexOf(name);
    return at < 0 ? usual : Number(process.args[at + 1]);
  };
  const from = option("--from", 1);
  const to = from + option("--seeds", 500) - 1;
  const totals = { committed: 0, settled: 0, checks: 0 };
  const startedUs = clock.monotonicUs();
  for (let seed = from; seed <= to; seed++) {
    const outcome = await transactionCutRun(seed);
    if (outcome.broken !== null) {
      console.error(`seed ${seed}: ${outcome.broken}`);
      process.exit(1);
    }
    totals.committed += outcome.committed;
    totals.settled += outcome.settled;
    totals.checks += outcome.checks;
  }
  const seconds = Math.round((clock.monotonicUs() - startedUs) / 1e6);
  const { committed, settled, checks } = totals;
  console.log(
    `seeds ${from} to ${to}: ${committed} committed, ${settled} ends answered, ${checks} checks, ${seconds} s`,
  );
}

if (import.meta.main) await main();
