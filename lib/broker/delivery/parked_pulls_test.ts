import assert from "node:assert/strict";
import test from "node:test";
import type { Clock } from "@rmq/platform";
import type { RemotingConnection } from "@rmq/remoting";
import type { DispatchEntry, QueueState, Store } from "@rmq/store";
import { type ParkedPull, ParkedPulls } from "./parked_pulls.ts";

/** A filter that takes so long, microseconds. */
const SLOW_US = 1000;

/** Parked pulls on a clock that only filters move, and a queue whose entries they wait for. */
class Waiting {
  nowUs = 0;
  readonly ran: string[] = [];
  readonly timers: (() => void)[] = [];
  readonly queue = {} as QueueState;
  readonly parked: ParkedPulls;
  #entry: (entry: DispatchEntry) => void = () => {};
  #advance: () => void = () => {};

  constructor() {
    const store = {
      onEntry: (listener: (entry: DispatchEntry) => void) => this.#entry = listener,
      onAdvance: (listener: () => void) => this.#advance = listener,
    } as unknown as Store;
    const clock = {
      monotonicUs: () => this.nowUs,
      setTimer: (ms: number, run: () => void) => {
        if (ms === 0) this.timers.push(run);
        return { cancel: () => {} };
      },
    } as unknown as Clock;
    this.parked = new ParkedPulls(store, clock, 1000, (pull) => {
      this.ran.push(pull.group);
      // A read asks the filter as well.
      if (pull.matches !== null) this.nowUs += SLOW_US;
    });
  }

  park(group: string, wanted: boolean | null): void {
    const matches = wanted === null ? null : () => {
      this.nowUs += SLOW_US;
      return wanted;
    };
    const connection = { closed: false, remote: { host: "10.0.0.1", port: 1 }, proxied: null };
    const fields = { opaque: 1, offset: 0, maxCount: 32, maxBytes: 1000, topicSysFlag: 0, groupSysFlag: 0, tags: null };
    this.parked.park({
      ...fields,
      group,
      queue: this.queue,
      matches,
      connection: connection as unknown as RemotingConnection,
      deadlineUs: 1e9,
      done: false,
      bucket: 0,
    } as ParkedPull);
  }

  /** An entry becomes visible; what it cost, microseconds. */
  entry(): number {
    const before = this.nowUs;
    this.#entry({ queue: this.queue, tagsHigh: 0, tagsLow: 0, message: {} } as DispatchEntry);
    this.#advance();
    return this.nowUs - before;
  }

  /** One turn more; what it cost. */
  turn(): number {
    const before = this.nowUs;
    for (const run of this.timers.splice(0)) run();
    return this.nowUs - before;
  }
}

test("a filter that does not want a message leaves its pull parked", () => {
  const waiting = new Waiting();
  waiting.park("no", false);
  waiting.park("yes", true);
  waiting.entry();
  assert.deepEqual(waiting.ran, ["yes"]);
  assert.equal(waiting.parked.size, 1);
});

test("many slow filters are asked and run over several turns, and hold up nobody without one", () => {
  const waiting = new Waiting();
  for (let i = 0; i < 50; i++) waiting.park(`slow ${i}`, true);
  waiting.park("plain", null);
  assert.ok(waiting.entry() <= 8 * SLOW_US);
  assert.ok(waiting.ran.includes("plain"));
  assert.ok(waiting.ran.length < 51);
  for (let i = 0; i < 50 && waiting.ran.length < 51; i++) assert.ok(waiting.turn() <= 4 * SLOW_US);
  assert.equal(new Set(waiting.ran).size, 51);
});

test("at the stop those that wait for their turn are answered too", () => {
  const waiting = new Waiting();
  for (let i = 0; i < 50; i++) waiting.park(`slow ${i}`, true);
  waiting.entry();
  waiting.parked.stop();
  assert.equal(new Set(waiting.ran).size, 50);
});
