/**
 * Timers under way when the power fails or the process is killed, with recalls and a clock that is set: what was acknowledged
 * is delivered, nothing before its time, and what was recalled in time not at all. Each seed is one history of several
 * lives.
 *
 *   deno run -A tests/sim/timer_cut.ts [--seeds 500] [--from 1]
 */
import { hostPlatform, type Random } from "@rmq/platform";
import { type Simulation, simulation } from "@rmq/platform/simulated";
import { MessageDraft } from "@rmq/protocol";
import { StoreError } from "@rmq/store";
import { Peer, TestBroker } from "../../lib/broker/_test_broker.ts";
import type { ReadMessage } from "../../lib/broker/_test_read.ts";
import { encodeRecallHandle } from "../../lib/broker/timers/recall_handle.ts";
import { seenThrough } from "./retry_cut.ts";
import type { Sabotage } from "./sabotage.ts";

const LIVES = 5;
const TOPIC = "T";
/** Files of the timer log end every so many units, so that there are several. */
const TIMER_LOG_BYTES = 52 * 80;
/** The window of the wheel, s: some are stored again on their way. */
const WINDOW_TICKS = 4;

/** What a seed ended with. */
export interface TimerOutcome {
  readonly seed: number;
  /** The promise that was broken, or null. */
  readonly broken: string | null;
  readonly promised: number;
  readonly delivered: number;
  /** Deliveries beyond the first one of a message. */
  readonly again: number;
  readonly recalled: number;
}

interface Timed {
  readonly id: string;
  readonly deliverMs: number;
  promised: boolean;
  /** Somebody asked to have it back: it may be delivered or not … */
  asked: boolean;
  /** … but not once the broker said so in time. */
  recalled: boolean;
}

class Broken extends Error {}

/** Runs one history. */
export async function timerCutRun(seed: number, sabotage: Sabotage = (files) => files): Promise<TimerOutcome> {
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
  readonly #timed = new Map<string, Timed>();
  #next = 0;
  #latestMs = 0;
  readonly counts = { promised: 0, delivered: 0, again: 0, recalled: 0 };

  constructor(seed: number, private readonly sabotage: Sabotage) {
    this.#sim = simulation({ seed });
    this.#random = this.#sim.random;
    this.#sim.disk.latencyMs.sync = 1 + this.#random.below(5);
    this.#sync = this.#random.below(100) < 70;
  }

  async run(): Promise<void> {
    for (let life = 0; life < LIVES; life++) {
      const broker = await this.#open();
      await this.#live(broker);
      if (this.#random.below(100) < 20) await broker.close();
      // ASYNC_FLUSH promises nothing over a power cut.
      this.#sim.crash({ powerCut: this.#sync && this.#random.below(100) < 80 });
    }
    const broker = await this.#open();
    await this.#sim.advance("25s");
    this.#check(await broker.read(TOPIC, 0));
  }

  #open(): Promise<TestBroker> {
    const { platform } = this.#sim;
    const files = this.sabotage(platform.files, platform.clock);
    return TestBroker.open(seenThrough(this.#sim, { ...platform, files }), {
      flushDiskType: this.#sync ? "SYNC_FLUSH" : "ASYNC_FLUSH",
      mappedFileSizeTimerLog: TIMER_LOG_BYTES,
      timerRollWindowSlot: WINDOW_TICKS,
      timerFlushIntervalMs: 50 + this.#random.below(1000),
      recallMessageEnable: true,
    });
  }

  /** Sends, recalls, lets time pass; stops anywhere, with much under way. */
  async #live(broker: TestBroker): Promise<void> {
    for (let rounds = 1 + this.#random.below(8); rounds > 0; rounds--) {
      for (let count = this.#random.below(20); count > 0; count--) this.#send(broker);
      if (this.#random.below(3) === 0) this.#recall(broker);
      this.#latestMs = Math.max(this.#latestMs, this.#sim.clock.nowMs());
      if (this.#random.below(10) === 0) this.#sim.clock.stepMs(this.#random.below(6000) - 3000);
      await this.#sim.advance(this.#random.below(2) === 0 ? this.#random.below(30) : this.#random.below(2500));
    }
  }

  #send(broker: TestBroker): void {
    const id = `m${this.#next++}`;
    const topic = broker.state.topics.get(TOPIC) ?? broker.state.topics.createOnSend(TOPIC, "TBW102", 4, 0, "");
    if (topic === null) throw new Error("no topic");
    const deliverMs = this.#sim.clock.nowMs() + this.#random.below(this.#random.below(4) === 0 ? 15_000 : 3000);
    const timed: Timed = { id, deliverMs, promised: false, asked: false, recalled: false };
    this.#timed.set(id, timed);
    const draft = new MessageDraft();
    const text = new TextEncoder().encode(`UNIQ_KEY\x01${id}\x02TIMER_DELIVER_MS\x01${deliverMs}\x02`);
    draft.properties.readText(text, 0, text.length);
    draft.body = new TextEncoder().encode(id);
    draft.bodyEnd = draft.body.length;
    broker.state.put.put(draft, topic, 0, true, (status) => {
      if (status !== 0) return;
      timed.promised = true;
      this.counts.promised++;
    });
  }

  /** Asks for a promised message back; it counts when the answer comes while it is still far from its time. */
  #recall(broker: TestBroker): void {
    // What was delivered before the clock was set back can't be had back.
    const nowMs = this.#latestMs = Math.max(this.#latestMs, this.#sim.clock.nowMs());
    const ones = [...this.#timed.values()].filter(({ promised, recalled, deliverMs }) =>
      promised && !recalled && deliverMs > nowMs + 1500
    );
    if (ones.length === 0) return;
    const timed = ones[this.#random.below(ones.length)];
    timed.asked = true;
    const timestamp = String(Math.floor((timed.deliverMs - 1) / 1000) * 1000 + 1);
    const recallHandle = encodeRecallHandle({ topic: TOPIC, brokerName: "broker-a", timestamp, messageId: timed.id });
    const peer = new Peer(timed.id);
    const later = peer.connection.later;
    peer.connection.later = (header) => {
      const token = later(header);
      return {
        ...token,
        answer: (value) => {
          token.answer(value);
          if (value.code !== 0 || this.#sim.clock.nowMs() >= timed.deliverMs - 1000) return;
          timed.recalled = true;
          this.counts.recalled++;
        },
      };
    };
    broker.hand(370, { topic: TOPIC, recallHandle }, "", peer);
  }

  #check(found: readonly ReadMessage[]): void {
    const times = new Map<string, number>();
    for (const { body, properties, storeTimestamp } of found) {
      const timed = this.#timed.get(body);
      if (timed === undefined) throw new Broken(`${body} was never sent`);
      times.set(body, (times.get(body) ?? 0) + 1);
      // One whose time was there when it was sent is not a timer.
      const deliveredMs = Number(properties.TIMER_DEQUEUE_MS ?? storeTimestamp);
      if (deliveredMs < timed.deliverMs) throw new Broken(`${body} came ${timed.deliverMs - deliveredMs} ms too early`);
    }
    for (const { id, promised, asked, recalled } of this.#timed.values()) {
      const there = times.get(id) ?? 0;
      if (recalled && there > 0) throw new Broken(`${id} was recalled and delivered`);
      if (promised && !asked && there === 0) throw new Broken(`${id} was acknowledged and is lost`);
      this.counts.again += Math.max(0, there - 1);
    }
    this.counts.delivered = found.length;
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
  const totals = { promised: 0, delivered: 0, again: 0, recalled: 0 };
  const startedUs = clock.monotonicUs();
  for (let seed = from; seed <= to; seed++) {
    const outcome = await timerCutRun(seed);
    if (outcome.broken !== null) {
      console.error(`seed ${seed}: ${outcome.broken}`);
      process.exit(1);
    }
    for (const name of ["promised", "delivered", "again", "recalled"] as const) totals[name] += outcome[name];
  }
  const seconds = Math.round((clock.monotonicUs() - startedUs) / 1e6);
  console.log(
    `seeds ${from} to ${to}: ${totals.promised} promised, ${totals.delivered} delivered, ${totals.again} of them again, ` +
      `${totals.recalled} recalled, ${seconds} s`,
  );
}

if (import.meta.main) await main();
