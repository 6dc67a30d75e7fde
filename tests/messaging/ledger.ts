/** What a broker promised to whom, and whether it keeps it: kept by clients that outlive every crash of it. */
import type { Pulled } from "./wire.ts";

/** What a transaction's producer has decided; a half message that was not acknowledged is given up. */
export type Decision = "commit" | "rollback";

/** One message of the load. */
export interface Entry {
  readonly id: string;
  /** No delivery before it, ms since 1970; a delayed transaction's is set by its commit. */
  dueMs: number;
  /** Answered with code 0: it must not be lost. */
  promised: boolean;
  /** The send failed: it may be there or not. */
  refused: boolean;
  /** Null: no transaction. */
  decision: Decision | null;
  /** A transaction's delay after its commit, ms. */
  readonly delayMs: number;
  /** Checks (39) so far. */
  checks: number;
  /** The producer has said how the transaction ended, whether it heard an answer or not. */
  said: boolean;
  /** It was answered before there was any check; then none may come. */
  endedAtOnce: boolean;
  /** So many tries fail at the consumer. */
  readonly fails: number;
  /** The delay level that its consumer asks for when the first try fails; after that it leaves it to the broker. */
  readonly retryLevel: number;
  /** Deliveries to the topic it was sent to. */
  delivered: number;
}

/** A message that a consumer gives back, by id and tries so far. */
export interface SentBack {
  readonly entry: Entry;
  readonly reconsumeTimes: number;
  readonly physicalOffset: number;
  /** 0: the broker chooses; −1: to the dead letters. */
  readonly level: number;
  /** When it may come again, ms since 1970. */
  dueMs: number;
  acknowledged: boolean;
  /** It came again, or stands among the dead letters. */
  cameBack: boolean;
}

/** What the ledger must know of the broker's settings. */
export interface LedgerOptions {
  readonly topic: string;
  readonly group: string;
  /** Milliseconds of each delay level, the first one first. */
  readonly levelsMs: readonly number[];
  /** Tries after which a message goes to the dead letters. */
  readonly maxReconsumeTimes: number;
  /** How much too early a message may come, ms. */
  readonly toleranceMs?: number;
  /** The broker may answer the end of a transaction, and check it all the same, as Apache's does. */
  readonly mayCheckEnded?: boolean;
}

/** Level of the first retry when the broker chooses. */
const FIRST_RETRY_LEVEL = 3;

export class Ledger {
  /** Promises that were broken, in the order in which it showed. */
  readonly broken: string[] = [];
  readonly entries = new Map<string, Entry>();
  /** By `id/reconsumeTimes`. */
  readonly sentBack = new Map<string, SentBack>();
  readonly #options: LedgerOptions;
  /** Ids by place: what was visible once stays where it is. */
  readonly #places = new Map<string, string>();

  constructor(options: LedgerOptions) {
    this.#options = options;
  }

  /** A message that is about to be sent. */
  add(about: Pick<Entry, "id" | "dueMs"> & Partial<Entry>): Entry {
    const entry: Entry = {
      id: about.id,
      dueMs: about.dueMs,
      promised: false,
      refused: false,
      decision: about.decision ?? null,
      delayMs: about.delayMs ?? 0,
      checks: 0,
      said: false,
      endedAtOnce: false,
      fails: about.fails ?? 0,
      retryLevel: about.retryLevel ?? 0,
      delivered: 0,
    };
    this.entries.set(entry.id, entry);
    return entry;
  }

  /** The answer to the send: stored, or an error after which it may be there or not. */
  answered(entry: Entry, stored: boolean): void {
    if (stored) entry.promised = true;
    else entry.refused = true;
    if (!stored && entry.decision !== null) entry.decision = "rollback";
  }

  /** The broker asks how a transaction ended; null: its producer does not know yet. */
  check(id: string): Entry | null {
    const entry = this.entries.get(id);
    if (entry === undefined || entry.decision === null) {
      this.broken.push(`${id} is checked and is no transaction`);
      return null;
    }
    entry.checks++;
    if (entry.endedAtOnce && this.#options.mayCheckEnded !== true) {
      this.broken.push(`${id}: ${entry.decision} was answered, and it is checked again`);
    }
    // Visible before the answer to the send has come: the producer does not know that it exists.
    return entry.promised || entry.refused ? entry : null;
  }

  /** The end of a transaction is asked for at `nowMs`. */
  ending(entry: Entry, nowMs: number): void {
    entry.said = true;
    if (entry.decision === "commit") entry.dueMs = Math.min(entry.dueMs, nowMs + entry.delayMs);
  }

  /** The end of a transaction was answered with code 0. */
  ended(entry: Entry): void {
    if (entry.checks === 0) entry.endedAtOnce = true;
  }

  /**
   * A consumer got `message` at `nowMs`. Answers what it gives back to the broker, or null: it is consumed, or was seen at
   * this place before.
   */
  consumed(message: Pulled, nowMs: number): SentBack | null {
    const place = `${message.topic}@${message.queueId} ${message.queueOffset}`;
    const id = message.body.split(" ")[0];
    const known = this.#places.get(place);
    if (known !== undefined) {
      if (known !== id) this.broken.push(`${place} held ${known} and now holds ${id}`);
      return null;
    }
    this.#places.set(place, id);
    const entry = this.entries.get(id);
    if (entry === undefined) {
      this.broken.push(`${place} holds what nobody sent: ${id}`);
      return null;
    }
    const { topic, group } = this.#options;
    const seenMs = Math.min(nowMs, message.storeTimestamp);
    if (message.topic === topic) this.#delivered(entry, message, seenMs);
    else if (message.topic === `%RETRY%${group}`) this.#retried(entry, message, seenMs);
    else return this.#dead(entry, message);
    return entry.fails > message.reconsumeTimes ? this.#giveBack(entry, message) : null;
  }

  #delivered(entry: Entry, message: Pulled, seenMs: number): void {
    entry.delivered++;
    if (message.reconsumeTimes !== 0) this.broken.push(`${entry.id} begins with ${message.reconsumeTimes} tries`);
    if (entry.decision === "rollback") this.broken.push(`${entry.id} was rolled back and is delivered`);
    this.#notEarly(entry.id, entry.dueMs, seenMs);
  }

  #retried(entry: Entry, message: Pulled, seenMs: number): void {
    const asked = this.sentBack.get(`${entry.id}/${message.reconsumeTimes - 1}`);
    if (asked === undefined) {
      this.broken.push(`${entry.id} comes for try ${message.reconsumeTimes} and was not given back`);
      return;
    }
    if (this.isLast(asked)) this.broken.push(`${entry.id} comes for try ${message.reconsumeTimes} and should be dead`);
    asked.cameBack = true;
    this.#notEarly(`${entry.id}, try ${message.reconsumeTimes}`, asked.dueMs, seenMs);
  }

  #dead(entry: Entry, message: Pulled): null {
    const asked = this.sentBack.get(`${entry.id}/${message.reconsumeTimes - 1}`);
    if (asked !== undefined && this.isLast(asked)) asked.cameBack = true;
    else this.broken.push(`${entry.id} is among the dead letters after ${message.reconsumeTimes} tries`);
    return null;
  }

  #notEarly(what: string, dueMs: number, seenMs: number): void {
    const earlyMs = dueMs - seenMs;
    if (earlyMs > (this.#options.toleranceMs ?? 0)) this.broken.push(`${what} is delivered ${earlyMs} ms too early`);
  }

  /** Whether it goes to the dead letters. */
  isLast(asked: SentBack): boolean {
    return asked.level < 0 || asked.reconsumeTimes >= this.#options.maxReconsumeTimes;
  }

  #giveBack(entry: Entry, { reconsumeTimes, physicalOffset }: Pulled): SentBack {
    const key = `${entry.id}/${reconsumeTimes}`;
    // A second copy is given back as the first one was, so that the later of the two may come as early.
    const before = this.sentBack.get(key);
    if (before !== undefined) return { ...before, physicalOffset, acknowledged: false };
    const level = reconsumeTimes === 0 ? entry.retryLevel : 0;
    const asked: SentBack = {
      entry,
      reconsumeTimes,
      physicalOffset,
      level,
      dueMs: Infinity,
      acknowledged: false,
      cameBack: false,
    };
    this.sentBack.set(key, asked);
    return asked;
  }

  /** It is given back at `nowMs`. */
  givingBack(asked: SentBack, nowMs: number): void {
    const delayMs = this.isLast(asked) ? 0 : this.#delayMs(asked);
    const first = this.sentBack.get(`${asked.entry.id}/${asked.reconsumeTimes}`) ?? asked;
    first.dueMs = Math.min(first.dueMs, nowMs + delayMs);
  }

  #delayMs({ level, reconsumeTimes }: SentBack): number {
    const { levelsMs } = this.#options;
    const asked = level === 0 ? FIRST_RETRY_LEVEL + reconsumeTimes : level;
    return levelsMs[Math.min(asked, levelsMs.length) - 1];
  }

  /** The promises that are still to be kept, each in a few words. */
  open(): string[] {
    const found: string[] = [];
    for (const entry of this.entries.values()) {
      const { id, promised, decision, delivered, said } = entry;
      if (!promised) continue;
      if (decision !== "rollback" && delivered === 0) found.push(`${id} was acknowledged and does not come`);
      if (decision !== null && !said) found.push(`${id} is open and nobody asks`);
    }
    for (const [key, asked] of this.sentBack) {
      if (asked.cameBack) continue;
      const where = this.isLast(asked) ? "is not among the dead letters" : "does not come again";
      if (asked.acknowledged) found.push(`${key} was given back and ${where}`);
      else found.push(`${key} is still to be given back`);
    }
    return found;
  }
}
