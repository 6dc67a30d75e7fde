import type { Clock, Done, Files, Logger, PlatformError, Timer } from "@rmq/platform";
import { type MessageDraft, MIN_STORED_SIZE, StoredMessage } from "@rmq/protocol";
import type { CommitLog } from "./commit_log.ts";
import type { ConsumeQueue } from "./consume_queue.ts";
import type { ConsumeQueues } from "./consume_queues.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { DeletedTopics } from "./deleted_topics.ts";
import type { DispatchEntry, Follower } from "./dispatch.ts";
import type { GetRequest, GetResult } from "./get.ts";
import type { GroupCommit } from "./group_commit.ts";
import type { IndexFiles } from "./index_files.ts";
import type { Ladder } from "./ladder.ts";
import type { LogView } from "./log_view.ts";
import type { StoreOptions } from "./options.ts";
import type { ProgressRecorder } from "./progress_recorder.ts";
import type { Publication } from "./publication.ts";
import type { QueueReader } from "./queue_reader.ts";
import type { QueueState } from "./queue_state.ts";
import type { Retention } from "./retention.ts";
import { type Segments, settled } from "./segments.ts";
import type { Session } from "./session.ts";
import type { Store, StoreStats } from "./store.ts";
import type { Tail } from "./tail.ts";
import { searchByTime, storeTimeAt } from "./time_search.ts";
import type { Writability } from "./writability.ts";

/** The parts that `openStore` puts together. */
export interface StoreParts {
  readonly clock: Clock;
  readonly files: Files;
  readonly options: StoreOptions;
  readonly logger: Logger;
  readonly ladder: Ladder;
  readonly tail: Tail;
  readonly segments: Segments;
  readonly log: CommitLog;
  readonly view: LogView;
  readonly groupCommit: GroupCommit;
  readonly publication: Publication;
  readonly writability: Writability;
  readonly queues: ConsumeQueues;
  readonly reader: QueueReader;
  readonly index: IndexFiles | null;
  readonly followers: readonly Follower[];
  readonly deleted: DeletedTopics;
  readonly checkpoint: Checkpoint;
  readonly recorder: ProgressRecorder;
  readonly retention: Retention;
  readonly session: Session;
  readonly timers: readonly Timer[];
  readonly unlock: () => void;
}

/** Size field at the head of an entry: enough to parse how long it says that it is. */
const SIZE_PROBE_BYTES = MIN_STORED_SIZE;

/** The store on files: passes each question to the part that knows. */
export class FileStore implements Store {
  readonly #parts: StoreParts;
  readonly #message = new StoredMessage();
  #earliest = { offset: -1, timestamp: -1 };
  #closing: Promise<void> | null = null;

  constructor(parts: StoreParts) {
    this.#parts = parts;
  }

  append(draft: MessageDraft, queue: QueueState): number {
    return this.#parts.log.append(draft, queue);
  }

  reserve(bytes: number): number {
    return this.#parts.log.reserve(bytes);
  }

  get refusal(): string | null {
    return this.#parts.writability.refusal;
  }

  setFenced(on: boolean): void {
    this.#parts.writability.set("fenced", on ? "the broker is fenced" : null);
  }

  setReadOnly(on: boolean): void {
    this.#parts.writability.set("readOnly", on ? "the broker is a slave" : null);
  }

  get appended(): number {
    return this.#parts.ladder.appended;
  }

  get written(): number {
    return this.#parts.ladder.written;
  }

  get durable(): number {
    return this.#parts.ladder.durable;
  }

  get visible(): number {
    return this.#parts.ladder.visible;
  }

  get minOffset(): number {
    return this.#parts.segments.minOffset;
  }

  onAdvance(listener: () => void): void {
    this.#parts.publication.onAdvance(listener);
  }

  onRollback(listener: (from: number, cause: string) => void): void {
    this.#parts.log.onRollback(listener);
  }

  onEntry(listener: (entry: DispatchEntry) => void): void {
    this.#parts.publication.onEntry(listener);
  }

  queue(topic: string, queueId: number): QueueState {
    return this.#parts.queues.queue(topic, queueId);
  }

  existingQueue(topic: string, queueId: number): QueueState | null {
    return this.#parts.queues.existing(topic, queueId);
  }

  topics(): string[] {
    return this.#parts.queues.topics();
  }

  queueIds(topic: string): number[] {
    return this.#parts.queues.queueIds(topic);
  }

  deleteTopic(topic: string, done: Done): void {
    const { deleted, ladder, segments, queues, log, clock } = this.#parts;
    // A batch that is taken back would leave a mark beyond the end of the log, so it is written first.
    if (log.pending) return clock.afterTurn(() => this.deleteTopic(topic, done));
    const before = this.#assigned(topic);
    deleted.add(topic, ladder.appended, segments.minOffset, (error) => {
      if (error !== null) return done(error);
      // What was sent meanwhile got offsets that the queues are about to forget: it must lie below the mark too.
      if (this.#assigned(topic) !== before) return this.deleteTopic(topic, done);
      queues.deleteTopic(topic, done);
    });
  }

  /** Queue offsets given out in a topic. */
  #assigned(topic: string): number {
    const { queues } = this.#parts;
    return queues.queueIds(topic).reduce((sum, queueId) => sum + queues.queue(topic, queueId).nextOffset, 0);
  }

  get(request: GetRequest, done: (result: GetResult) => void): void {
    this.#parts.reader.get(request, done);
  }

  entryAt(
    physicalOffset: number,
    size: number,
    done: (bytes: Uint8Array | null, start: number, end: number, unreadable: boolean) => void,
  ): void {
    const { view } = this.#parts;
    if (!(physicalOffset >= view.minOffset && physicalOffset + SIZE_PROBE_BYTES <= view.visible)) {
      return done(null, 0, 0, false);
    }
    const wanted = size > 0 ? size : SIZE_PROBE_BYTES;
    view.read(physicalOffset, wanted, (error, bytes, start) => {
      if (error !== null) return done(null, 0, 0, isOfTheDisk(error));
      this.#message.parse(bytes, start, start + wanted, false);
      const announced = this.#message.size;
      if (announced === wanted) return this.#checked(physicalOffset, bytes, start, wanted, done);
      if (size > 0 || announced < MIN_STORED_SIZE || announced > this.#parts.segments.segmentBytes) {
        return done(null, 0, 0, false);
      }
      view.read(physicalOffset, announced, (error, bytes, start) => {
        if (error !== null) return done(null, 0, 0, isOfTheDisk(error));
        this.#checked(physicalOffset, bytes, start, announced, done);
      });
    });
  }

  /** An offset that a client names may point anywhere: only what parses and knows its own place is an entry. */
  #checked(
    physicalOffset: number,
    bytes: Uint8Array,
    start: number,
    size: number,
    done: (bytes: Uint8Array | null, start: number, end: number, unreadable: boolean) => void,
  ): void {
    const parsed = this.#message.parse(bytes, start, start + size, false);
    if (parsed !== size || this.#message.physicalOffset !== physicalOffset) return done(null, 0, 0, false);
    done(bytes, start, start + size, false);
  }

  searchByTime(
    queue: QueueState,
    timestampMs: number,
    boundary: "lower" | "upper",
    done: (offset: number) => void,
  ): void {
    searchByTime(this.#parts.view, queue as ConsumeQueue, timestampMs, boundary, done);
  }

  storeTimeAt(queue: QueueState, offset: number, done: (timestampMs: number) => void): void {
    storeTimeAt(this.#parts.view, queue as ConsumeQueue, offset, done);
  }

  query(
    topic: string,
    key: string,
    indexType: string | null,
    maxNum: number,
    beginMs: number,
    endMs: number,
    done: (offsets: number[], indexLastTimestamp: number, indexLastPhysical: number) => void,
  ): void {
    const { index } = this.#parts;
    if (index === null) return done([], 0, 0);
    index.query(topic, key, indexType, maxNum, beginMs, endMs, done);
  }

  earliestStoreTime(done: (timestampMs: number) => void): void {
    const offset = this.minOffset;
    if (this.#earliest.offset === offset) return done(this.#earliest.timestamp);
    this.entryAt(offset, 0, (bytes, start, end) => {
      if (bytes === null || this.#message.parse(bytes, start, end, false) <= 0) return done(-1);
      this.#earliest = { offset, timestamp: this.#message.storeTimestamp };
      done(this.#earliest.timestamp);
    });
  }

  inMemory(physicalOffset: number): boolean {
    return physicalOffset >= this.#parts.view.memoryStart;
  }

  stats(): StoreStats {
    const { log, groupCommit, publication, ladder, tail, segments, retention } = this.#parts;
    return {
      appendedEntries: log.entries,
      appendedBytes: log.bytes,
      batches: log.batches,
      failedWrites: log.failedWrites,
      flushes: groupCommit.flushes,
      flushUs: groupCommit.totalUs,
      flushMaxUs: groupCommit.longestUs,
      failedFlushes: groupCommit.failures,
      dispatchedEntries: publication.dispatched,
      dispatchBehindBytes: ladder.written - ladder.visible,
      undurableBytes: ladder.appended - ladder.durable,
      tailBytes: tail.heldBytes,
      segments: segments.list.length,
      expiredSegments: retention.expiredSegments,
      unconsumedDeleted: retention.unconsumedDeleted,
      diskRatio: retention.diskRatio,
      busy: log.busy,
      clockHeldMs: log.clockHeldMs,
    };
  }

  async flush(): Promise<void> {
    const { log, ladder, groupCommit } = this.#parts;
    const target = ladder.appended;
    while (log.pending) await this.#turnEnd();
    await groupCommit.wait(Math.min(target, ladder.written));
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    const { writability, logger, recorder, retention, timers } = this.#parts;
    writability.set("closed", "the message store has been shut down");
    retention.stop();
    recorder.stop();
    for (const timer of timers) timer.cancel();
    try {
      await this.#finish();
    } catch (error) {
      logger.error("the store could not be closed cleanly; the next start will recover it", { error: String(error) });
    }
    this.#release();
  }

  async #finish(): Promise<void> {
    const { recorder, followers, session, ladder } = this.#parts;
    await this.flush();
    while (ladder.visible < ladder.visibleTarget) await this.#turnEnd();
    await settled((done) => recorder.record(done));
    for (const follower of followers) await settled((done) => follower.close(done));
    await settled((done) => recorder.recordClean(done));
    await settled((done) => session.end(done));
  }

  #release(): void {
    const { segments, checkpoint, groupCommit, followers, unlock } = this.#parts;
    groupCommit.stop();
    // Those that could be closed cleanly are closed already.
    for (const follower of followers) follower.abandon();
    segments.close();
    checkpoint.close();
    unlock();
  }

  /** The batch of this turn is written when it ends; a timer runs after that. */
  #turnEnd(): Promise<void> {
    return new Promise((resolve) => this.#parts.clock.setTimer(0, resolve));
  }
}

/** Whether the entry may be there all the same: the others say that it is not, or not any more. */
function isOfTheDisk(error: PlatformError): boolean {
  return error.code !== "EINVAL" && error.code !== "ENOENT";
}
