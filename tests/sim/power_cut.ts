/**
 * Power cuts on the simulated disk: a store takes messages, the power fails at any instant (in recovery too), the
 * store is opened again, and what it promised must hold. Each seed is one history of several lives.
 *
 *   deno run -A tests/sim/power_cut.ts [--seeds 300] [--from 1] [--sabotage "answers before fdatasync"]
 *
 * A failing run prints its seed; `--from SEED --seeds 1` replays it.
 */
import type { Platform, Random } from "@rmq/platform";
import { type Simulation, simulation } from "@rmq/platform/simulated";
import type { Store } from "@rmq/store";
import { draftOf, openSmall, readQueue, type Seen } from "../../lib/store/_test_store.ts";
import { type Sabotage, sabotages } from "./sabotage.ts";
import { type Outcome, runSeeds } from "./seeds.ts";

/**
 * What became of a message; the answer to a refused one was an error, so that it may be there or not; a deleted one
 * went with its topic.
 */
type Fate = "waiting" | "kept" | "refused" | "lost" | "deleted";

interface Sent {
  readonly id: string;
  readonly queue: string;
  readonly physical: number;
  readonly end: number;
  readonly offset: number;
  fate: Fate;
}

const TOPICS = ["Alpha", "Beta"];
const QUEUES = 2;
const LIVES = 8;
const BODY_BYTES = [40, 700, 2500];
const OPTIONS = { segmentBytes: 16 * 1024, checkpointIntervalMs: 40, checkpointBytes: 24 * 1024 };

class Broken extends Error {}

/** Runs one history. */
export async function powerCutRun(seed: number, sabotage: Sabotage = (files) => files): Promise<Outcome> {
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
  readonly #sent = new Map<string, Sent>();
  #waiting: Sent[] = [];
  #crashes = 0;
  /** How far the log was on disk when it was last open. */
  #durable = 0;
  /** Half of the histories send one size to one queue: what comes in place of what was cut off then fits exactly. */
  readonly #uniform: boolean;
  readonly #bodyBytes: number[];
  readonly #flushDiskType: "SYNC_FLUSH" | "ASYNC_FLUSH";
  /** Some histories run on a disk that fails now and then. */
  readonly #faulty: boolean;

  constructor(readonly seed: number, private readonly sabotage: Sabotage) {
    this.#sim = simulation({ seed });
    this.#random = this.#sim.random;
    this.#sim.disk.latencyMs.sync = 1 + this.#random.below(3);
    this.#flushDiskType = this.#chance(75) ? "SYNC_FLUSH" : "ASYNC_FLUSH";
    this.#faulty = this.#chance(30);
    this.#uniform = this.#chance(50);
    this.#bodyBytes = this.#uniform ? [BODY_BYTES[this.#random.below(2)]] : BODY_BYTES;
  }

  /** True in `percent` of a hundred cases. */
  #chance(percent: number): boolean {
    return this.#random.below(100) < percent;
  }

  outcome(broken: string | null): Outcome {
    const acknowledged = [...this.#sent.values()].filter((each) => each.fate === "kept").length;
    return { seed: this.seed, broken, acknowledged, crashes: this.#crashes };
  }

  async run(): Promise<void> {
    let platform = this.#sim.platform;
    for (let life = 0; life < LIVES; life++) {
      const store = await this.#open(platform);
      if (store !== null) {
        await this.#check(store);
        await this.#use(store);
        if (this.#chance(15)) await this.#close(store);
      }
      this.#crashes++;
      const powerCut = this.#chance(85);
      if (store !== null) this.#durable = store.durable;
      if (powerCut) this.#takeBack();
      this.#sim.disk.clearFaults();
      platform = this.#sim.crash({ powerCut });
    }
    const store = await this.#open(platform, true);
    if (store !== null) await this.#check(store);
  }

  /** Opens the store; null when the power fails during that. */
  async #open(platform: Platform, toTheEnd = false): Promise<Store | null> {
    const files = this.sabotage(platform.files, platform.clock);
    const opening = openSmall({ ...platform, files }, { ...OPTIONS, flushDiskType: this.#flushDiskType });
    opening.catch(() => {});
    if (!toTheEnd && this.#chance(20)) {
      await this.#sim.advance(this.#random.below(12));
      return null;
    }
    try {
      return await this.#sim.finish(opening);
    } catch (error) {
      throw new Broken(`the store does not open: ${String(error)}`);
    }
  }

  /** Sends, lets time pass, sends again; stops somewhere. */
  async #use(store: Store): Promise<void> {
    store.onAdvance(() => this.#acknowledge(store));
    store.onRollback((from) => this.#refuse(from));
    const short = this.#chance(30);
    for (let rounds = short ? 1 : this.#random.below(12); rounds > 0; rounds--) {
      if (this.#faulty && this.#chance(20)) this.#breakDisk();
      for (let count = 1 + this.#random.below(short ? 2 : 6); count > 0; count--) this.#send(store);
      if (this.#chance(70)) await this.#sim.advance(this.#random.below(8) / 2);
      else if (this.#chance(50)) await this.#sim.advance(60);
      else if (this.#chance(10) && !this.#faulty) await this.#deleteTopic(store);
      else await this.#sim.settle();
    }
    if (!short) await this.#endInFlight(store);
  }

  /** Batches that are written one after the other while one sync is under way: the power cut has much to choose from. */
  async #endInFlight(store: Store): Promise<void> {
    for (let batches = this.#random.below(6); batches > 0; batches--) {
      this.#send(store);
      await this.#sim.settle();
    }
  }

  #breakDisk(): void {
    const op = (["write", "write", "sync", "sync", "syncDirectory", "truncate"] as const)[this.#random.below(6)];
    const code = this.#chance(50) ? "EIO" : "ENOSPC";
    const path = this.#chance(80) ? "commitlog" : undefined;
    this.#sim.disk.failNext({ op, code, path, shortWrite: this.#random.below(3000), count: 1 + this.#random.below(2) });
  }

  /** A batch could not be written: its messages were answered with an error. */
  #refuse(from: number): void {
    for (const sent of this.#waiting) if (sent.physical >= from) sent.fate = "refused";
    this.#waiting = this.#waiting.filter((sent) => sent.physical < from);
  }

  /** With ASYNC_FLUSH what was answered but not synced is not promised over a power cut. */
  #takeBack(): void {
    if (this.#flushDiskType === "SYNC_FLUSH") return;
    for (const sent of this.#sent.values()) if (sent.fate === "kept" && sent.end > this.#durable) sent.fate = "waiting";
  }

  /** From the answer on nothing that was sent to the topic before may ever be seen again. */
  async #deleteTopic(store: Store): Promise<void> {
    const topic = TOPICS[this.#random.below(TOPICS.length)];
    const before = [...this.#sent.values()].filter((sent) => sent.queue.startsWith(`${topic}@`));
    await this.#sim.finish(new Promise<void>((resolve) => store.deleteTopic(topic, () => resolve())));
    for (const sent of before) sent.fate = "deleted";
    this.#waiting = this.#waiting.filter((sent) => sent.fate === "waiting");
  }

  async #close(store: Store): Promise<void> {
    await this.#sim.finish(store.close());
    this.#acknowledge(store);
    if (this.#waiting.length > 0 && !this.#faulty) {
      throw new Broken("a clean close leaves messages that are not on disk");
    }
  }

  #send(store: Store): void {
    const topic = this.#uniform ? TOPICS[0] : TOPICS[this.#random.below(TOPICS.length)];
    const queueId = this.#uniform ? 0 : this.#random.below(QUEUES);
    const id = `m${this.#sent.size}`;
    const body = id.padEnd(this.#bodyBytes[this.#random.below(this.#bodyBytes.length)], ".");
    const draft = draftOf(topic, queueId, body, `UNIQ_KEY\x01${id.padStart(8, "0")}\x02TAGS\x01T\x02`);
    if (store.append(draft, store.queue(topic, queueId)) !== 0) return;
    const sent: Sent = {
      id,
      queue: `${topic}@${queueId}`,
      physical: draft.physicalOffset,
      end: store.appended,
      offset: draft.queueOffset,
      fate: "waiting",
    };
    this.#sent.set(id, sent);
    this.#waiting.push(sent);
  }

  /** What is visible would be answered now, and could be consumed. */
  #acknowledge(store: Store): void {
    while (this.#waiting.length > 0 && this.#waiting[0].end <= store.visible) {
      const sent = this.#waiting.shift();
      if (sent !== undefined) sent.fate = "kept";
    }
  }

  /** Everything that was promised must be there, and nothing else but what was under way. */
  async #check(store: Store): Promise<void> {
    this.#waiting = [];
    const found = new Set<string>();
    for (const topic of TOPICS) {
      for (let queueId = 0; queueId < QUEUES; queueId++) {
        let messages: Seen[];
        try {
          messages = await this.#sim.finish(readQueue(store, topic, queueId));
        } catch (error) {
          throw new Broken(`${topic}@${queueId} can't be read: ${String(error)}`);
        }
        this.#checkQueue(`${topic}@${queueId}`, messages, found);
        const { max, nextOffset } = store.queue(topic, queueId);
        if (max !== messages.length || nextOffset !== max) {
          throw new Broken(`${topic}@${queueId} has ${messages.length} messages, max ${max}, next ${nextOffset}`);
        }
      }
    }
    for (const sent of this.#sent.values()) {
      if (found.has(sent.id)) sent.fate = "kept";
      else if (sent.fate === "kept") {
        throw new Broken(`${sent.id} at ${sent.queue} ${sent.offset} was acknowledged and is lost`);
      } else if (sent.fate !== "deleted") sent.fate = "lost";
    }
  }

  #checkQueue(queue: string, messages: Seen[], found: Set<string>): void {
    messages.forEach((seen, index) => {
      const id = seen.body.split(".")[0];
      const sent = this.#sent.get(id);
      const place = `${queue} ${index}`;
      if (sent === undefined) throw new Broken(`${place} holds what nobody sent: ${id}`);
      if (seen.offset !== index) throw new Broken(`${place} holds a message with queue offset ${seen.offset}`);
      if (sent.queue !== queue || sent.offset !== index || sent.physical !== seen.physical) {
        throw new Broken(
          `${id} is at ${place}, ${seen.physical} instead of ${sent.queue} ${sent.offset}, ${sent.physical}`,
        );
      }
      if (sent.fate === "lost" || sent.fate === "deleted") {
        throw new Broken(`${id} was ${sent.fate}, and came back at ${place}`);
      }
      if (found.has(id)) throw new Broken(`${id} is there twice`);
      found.add(id);
    });
  }
}

if (import.meta.main) await runSeeds(300, sabotages, powerCutRun);
