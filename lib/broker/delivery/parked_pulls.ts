import type { Clock, Timer } from "@rmq/platform";
import { type DispatchEntry, FilterPatience, type QueueState, type Store } from "@rmq/store";
import type { RemotingConnection } from "@rmq/remoting";
import type { TagsMatch } from "../filters/tags.ts";
import type { MessageMatch } from "./subscription_of_pull.ts";
import { stateOf } from "./connection_state.ts";

/** A pull that waits for a message: everything that is needed to run it again. */
export interface ParkedPull {
  readonly connection: RemotingConnection;
  readonly opaque: number;
  readonly group: string;
  readonly queue: QueueState;
  readonly offset: number;
  readonly maxCount: number;
  readonly maxBytes: number;
  readonly topicSysFlag: number;
  readonly groupSysFlag: number;
  readonly tags: TagsMatch | null;
  readonly matches: MessageMatch | null;
  /** Wall clock does not count here: monotonic microseconds. */
  readonly deadlineUs: number;
  /** Woken, answered or gone. */
  done: boolean;
  /** The quarter second in which it ends; set when it is parked. */
  bucket: number;
}

const BUCKET_US = 250_000;
/** Filtered reads of woken pulls take so long of a turn, microseconds; the others follow in the next ones. */
const SLICE_US = 2000;

/**
 * Long polling (Apache: PullRequestHoldService): pulls by the queue that they wait for. They are woken by the entry that
 * they want, in the turn in which it becomes visible, and answered empty at their deadline.
 */
export class ParkedPulls {
  private readonly byQueue = new Map<QueueState, ParkedPull[]>();
  /** Pulls by the quarter second in which they end, so that looking for ends costs nothing while none is due. */
  private readonly byEnd = new Map<number, Set<ParkedPull>>();
  private nextBucket: number;
  private woken: ParkedPull[] = [];
  private count = 0;
  /** Runs while pulls are parked. */
  private timer: Timer | null = null;
  /** Woken pulls with filters that wait for the next turn, and what begins it. */
  private left: ParkedPull[] = [];
  private rest: Timer | null = null;
  private stopped = false;
  private readonly patience: FilterPatience;
  /** Filters were asked in this turn, and have taken what they may of it. */
  private looking = false;
  private tired = false;

  /** `run` answers a pull that was taken out, without parking it again. */
  constructor(
    store: Store,
    private readonly clock: Clock,
    private readonly limit: number,
    private readonly run: (pull: ParkedPull) => void,
  ) {
    this.nextBucket = this.bucketOf(clock.monotonicUs());
    this.patience = new FilterPatience(clock);
    store.onEntry((entry) => {
      if (this.count !== 0) this.wake(entry);
    });
    store.onAdvance(() => this.runWoken());
  }

  /** Pulls that wait now. */
  get size(): number {
    return this.count;
  }

  /** Parks `pull`; false when too many are parked already. */
  park(pull: ParkedPull): boolean {
    if (this.count >= this.limit) return false;
    if (this.timer === null) this.arm();
    this.count++;
    listOf(this.byQueue, pull.queue).push(pull);
    pull.bucket = Math.max(this.nextBucket, this.bucketOf(pull.deadlineUs) + 1);
    let ending = this.byEnd.get(pull.bucket);
    if (ending === undefined) this.byEnd.set(pull.bucket, ending = new Set());
    ending.add(pull);
    stateOf(pull.connection).pulls.add(pull);
    return true;
  }

  /** Forgets what a closed connection had parked. */
  drop(connection: RemotingConnection): void {
    for (const pull of [...stateOf(connection).pulls]) this.remove(pull);
  }

  /** Runs a group's pulls of one queue again: the group's offset was moved. */
  wakeGroup(queue: QueueState, group: string): void {
    for (const pull of [...this.byQueue.get(queue) ?? []]) {
      if (pull.group === group) this.take(pull);
    }
    this.runWoken();
  }

  /** Answers all of them now and looks at no clock any more: the broker stops. */
  stop(): void {
    this.stopped = true;
    this.timer?.cancel();
    this.rest?.cancel();
    for (const pulls of [...this.byQueue.values()]) {
      for (const pull of [...pulls]) this.take(pull);
    }
    this.runLeft();
  }

  private wake(entry: DispatchEntry): void {
    if (entry.queue === null) return;
    const pulls = this.byQueue.get(entry.queue);
    if (pulls === undefined) return;
    // Members of a group ask the same: one look at the message is enough for them.
    let asked: MessageMatch | null = null;
    let answer = false;
    for (let i = pulls.length - 1; i >= 0; i--) {
      const pull = pulls[i];
      if (pull.tags !== null && !pull.tags(entry.tagsHigh, entry.tagsLow)) continue;
      if (pull.matches !== asked && pull.matches !== null) {
        asked = pull.matches;
        answer = this.wants(asked, entry);
      }
      if (pull.matches === null || answer) this.take(pull);
    }
  }

  private wants(asked: MessageMatch, entry: DispatchEntry): boolean {
    // Its read will look itself, and takes no more of a turn than it may.
    if (this.tired) return true;
    if (!this.looking) this.patience.begin();
    this.looking = true;
    const answer = asked(entry.message);
    this.tired = this.patience.isOver();
    return answer;
  }

  private arm(): void {
    if (this.stopped) return;
    // Nothing ended while nobody looked.
    if (this.count === 0) this.nextBucket = this.bucketOf(this.clock.monotonicUs());
    this.timer = this.clock.setTimer(BUCKET_US / 1000, () => {
      this.timer = null;
      this.expire();
      if (this.timer === null && this.count > 0) this.arm();
    });
  }

  private expire(): void {
    const now = this.bucketOf(this.clock.monotonicUs());
    for (; this.nextBucket <= now; this.nextBucket++) {
      const due = this.byEnd.get(this.nextBucket);
      if (due === undefined) continue;
      for (const pull of [...due]) this.take(pull);
    }
    this.runWoken();
  }

  /** Takes a pull out of the lists and lines it up to be run. */
  private take(pull: ParkedPull): void {
    this.remove(pull);
    this.woken.push(pull);
  }

  private remove(pull: ParkedPull): void {
    if (pull.done) return;
    pull.done = true;
    this.count--;
    stateOf(pull.connection).pulls.delete(pull);
    const ending = this.byEnd.get(pull.bucket);
    ending?.delete(pull);
    if (ending?.size === 0) this.byEnd.delete(pull.bucket);
    const pulls = this.byQueue.get(pull.queue);
    if (pulls === undefined) return;
    pulls.splice(pulls.indexOf(pull), 1);
    if (pulls.length === 0) this.byQueue.delete(pull.queue);
  }

  private runWoken(): void {
    this.looking = this.tired = false;
    if (this.woken.length === 0) return;
    const woken = this.woken;
    this.woken = [];
    let untilUs = -1;
    for (const pull of woken) {
      if (pull.connection.closed) continue;
      if (pull.matches === null || this.stopped) this.run(pull);
      else if (this.rest !== null) this.left.push(pull);
      else {
        this.run(pull);
        const nowUs = this.clock.monotonicUs();
        if (untilUs < 0) untilUs = nowUs + SLICE_US;
        else if (nowUs > untilUs) this.rest = this.clock.setTimer(0, () => this.runLeft());
      }
    }
  }

  private runLeft(): void {
    this.rest = null;
    this.woken = [...this.left, ...this.woken];
    this.left = [];
    this.runWoken();
  }

  private bucketOf(us: number): number {
    return Math.floor(us / BUCKET_US);
  }
}

function listOf(map: Map<QueueState, ParkedPull[]>, key: QueueState): ParkedPull[] {
  let list = map.get(key);
  if (list === undefined) map.set(key, list = []);
  return list;
}
