import { type Logger, type Platform, PlatformError } from "@rmq/platform";
import { BlockCache } from "./block_cache.ts";
import { Checkpoint } from "./checkpoint.ts";
import { CommitLog } from "./commit_log.ts";
import { ConsumeQueues } from "./consume_queues.ts";
import { DeletedTopics } from "./deleted_topics.ts";
import { Dispatcher } from "./dispatcher.ts";
import type { Follower } from "./dispatch.ts";
import { makeDirectoriesDurably, withParents } from "./durable_directory.ts";
import { FailedSync, rewriteLog } from "./failed_sync.ts";
import { FileStore } from "./file_store.ts";
import { GroupCommit } from "./group_commit.ts";
import { IndexFiles } from "./index_files.ts";
import { Ladder } from "./ladder.ts";
import { BLOCK_BYTES, LogView } from "./log_view.ts";
import type { StoreOptions } from "./options.ts";
import { Progress } from "./progress.ts";
import { ProgressRecorder } from "./progress_recorder.ts";
import { Publication } from "./publication.ts";
import { QueueReader } from "./queue_reader.ts";
import { recover, type Recovered, syncLog } from "./recovery.ts";
import { Retention } from "./retention.ts";
import { Segments, settled } from "./segments.ts";
import { Session } from "./session.ts";
import { StoreError } from "./store.ts";
import type { Store } from "./store.ts";
import { Tail } from "./tail.ts";
import { Writability } from "./writability.ts";

const PAGE_BYTES = 4096;
/** Positions within a segment are Java ints. */
const MOST_SEGMENT_BYTES = 0x7fff_ffff;
/** Pages that must be dirty before a periodic sync is worth it (`flushCommitLogLeastPages`). */
const LEAST_PAGES = 4;

type StorePlatform = Pick<Platform, "clock" | "files">;

/**
 * Opens the store below `options.root`, recovering it first when it needs that (design §6). Throws `StoreError`:
 * LOCKED when another process has it, CORRUPT when a file can't be right, NOT_WRITABLE when the directory or the disk
 * does not take writes, BAD_OPTION.
 */
export async function openStore(
  platform: Pick<Platform, "clock" | "files">,
  options: StoreOptions,
  logger: Logger,
): Promise<Store> {
  checkOptions(options);
  const unlock = await lock(platform, options.root);
  try {
    return await new Opening(platform, options, logger, unlock).run();
  } catch (error) {
    unlock();
    if (!(error instanceof PlatformError)) throw error;
    throw new StoreError("NOT_WRITABLE", `the store in ${options.root} can't be opened: ${error.message}`);
  }
}

function checkOptions(options: StoreOptions): void {
  const bad = (key: string, value: number, allowed: string): StoreError =>
    new StoreError("BAD_OPTION", `${key} is ${value}, but must be ${allowed}`);
  if (options.commitLogPath?.includes(",")) {
    throw new StoreError("BAD_OPTION", `storePathCommitLog names several directories, which rmq can't: give one`);
  }
  if (!(options.segmentBytes >= PAGE_BYTES && options.segmentBytes <= MOST_SEGMENT_BYTES)) {
    throw bad("mappedFileSizeCommitLog", options.segmentBytes, `from ${PAGE_BYTES} to ${MOST_SEGMENT_BYTES}`);
  }
  if (!(options.consumeQueueFileBytes >= 20)) {
    throw bad("mappedFileSizeConsumeQueue", options.consumeQueueFileBytes, "at least 20");
  }
}

async function lock(platform: StorePlatform, root: string): Promise<() => void> {
  try {
    await makeDirectoriesDurably(platform.files, withParents(root));
    const held = platform.files.lock(`${root}/lock`, "lock");
    return () => held.release();
  } catch (error) {
    if (!(error instanceof PlatformError)) throw error;
    if (error.code === "ELOCKED") {
      throw new StoreError("LOCKED", `${root} is in use by another broker: stop it, or choose another directory`);
    }
    throw new StoreError("NOT_WRITABLE", `${root} can't be used as a store: ${error.message}`);
  }
}

/** The steps of opening, with what they pass on. */
class Opening {
  readonly #session: Session;
  readonly #progress: Progress;
  readonly #checkpoint: Checkpoint;
  readonly #deleted: DeletedTopics;
  readonly #failedSync: FailedSync;
  readonly #cache: BlockCache;
  readonly #segments: Segments;
  readonly #ladder: Ladder;
  readonly #tail: Tail;
  readonly #view: LogView;
  readonly #queues: ConsumeQueues;
  readonly #index: IndexFiles | null;
  readonly #followers: Follower[];
  readonly #dispatcher: Dispatcher;

  constructor(
    private readonly platform: StorePlatform,
    private readonly options: StoreOptions,
    private readonly logger: Logger,
    private readonly unlock: () => void,
  ) {
    const { files } = platform;
    const { root } = options;
    this.#session = new Session(files, root);
    this.#progress = new Progress(files, root);
    this.#checkpoint = new Checkpoint(files, root);
    this.#deleted = new DeletedTopics(files, root);
    this.#failedSync = new FailedSync(files, root);
    this.#cache = new BlockCache(options.blockCacheBytes, BLOCK_BYTES);
    const logDirectory = options.commitLogPath ?? `${root}/commitlog`;
    const openSegments = Math.max(4, options.openFiles >> 2);
    this.#segments = new Segments(files, logDirectory, options.segmentBytes, openSegments, logger, this.#cache);
    this.#ladder = new Ladder(0, options.flushDiskType === "SYNC_FLUSH");
    this.#tail = new Tail(options.tailBytes);
    this.#view = new LogView(this.#ladder, this.#tail, this.#segments, this.#cache);
    this.#queues = new ConsumeQueues(platform, this.#view, {
      directory: `${root}/consumequeue`,
      fileBytes: options.consumeQueueFileBytes,
      memoryBytes: options.queueMemoryBytes,
      openFiles: Math.max(4, options.openFiles >> 1),
    }, logger);
    this.#index = options.messageIndexEnable ? new IndexFiles(platform, options, this.#view, logger) : null;
    this.#followers = this.#index === null ? [this.#queues] : [this.#queues, this.#index];
    this.#dispatcher = new Dispatcher(this.#queues, this.#followers, options.delayTimesMs);
  }

  async run(): Promise<Store> {
    try {
      return await this.#open();
    } catch (error) {
      this.#segments.close();
      this.#checkpoint.close();
      for (const follower of this.#followers) follower.abandon();
      throw error;
    }
  }

  async #open(): Promise<Store> {
    const { root } = this.options;
    const ours = ["consumequeue", "index", "rmq"].map((name) => `${root}/${name}`);
    await makeDirectoriesDurably(this.platform.files, [...withParents(this.#segments.directory), ...ours]);
    const queuesGone = this.platform.files.list(`${root}/consumequeue`).length === 0;
    const left = this.#session.left();
    const abnormal = left !== null;
    this.#checkpoint.load();
    this.#deleted.load();
    const found = this.#progress.load();
    // Ours is believed when nobody else can have written since: the same run stands in `abort`, or a clean end with
    // the checkpoint untouched.
    const record = found !== null &&
        (abnormal ? left === found.session : found.clean && found.checkpoint === this.#checkpoint.fingerprint)
      ? found
      : null;
    this.#segments.load(abnormal && record !== null ? record.durable : Infinity);
    this.#ladder.restart(this.#segments.endOffset);
    const recovery = {
      abnormal,
      indexMsgTimestamp: this.#checkpoint.indexTimestamp,
      flushedTo: record?.followers ?? -1,
    };
    await Promise.all(this.#followers.map((follower) => follower.load(recovery)));
    const recovered = await recover({
      files: this.platform.files,
      segments: this.#segments,
      dispatcher: this.#dispatcher,
      followers: this.#followers,
      deleted: this.#deleted,
      checkpoint: this.#checkpoint,
      options: this.options,
      logger: this.logger,
      abnormal,
      queuesGone,
      record,
    });
    const word = abnormal && record !== null ? record.session : Session.word(this.platform.clock);
    await this.#settle(recovered, word, word !== left);
    if (abnormal) this.logger.info("the store was recovered", { end: recovered.end, from: recovered.followersFrom });
    return this.#assemble(recovered, word);
  }

  /**
   * What recovery found becomes what the disk holds: the valid log synced, our record of it, `abort`, and only then
   * everything beyond the end removed. In this order a power cut in between finds the same log again.
   */
  async #settle(recovered: Recovered, session: string, fresh: boolean): Promise<void> {
    if (recovered.mustCut) await this.#syncLog(recovered);
    const recorded = settled((done) =>
      this.#progress.save({
        session,
        durable: recovered.end,
        followers: recovered.followersFrom,
        storeTimestamp: recovered.lastTimestamp,
        clean: false,
        checkpoint: this.#checkpoint.fingerprint,
      }, done)
    );
    // Both must be there before anything changes; with only one of them the next start goes by Apache's rules.
    const begun = fresh
      ? settled((done) => this.#session.begin(session, this.options.processId ?? 0, done))
      : Promise.resolve();
    await Promise.all([recorded, begun]);
    await settled((done) => this.#deleted.settle(recovered.end, recovered.unknownTopics, done));
    if (recovered.mustCut) await this.#segments.cut(recovered.end);
    this.#ladder.restart(recovered.end);
    this.#view.start();
  }

  async #syncLog({ followersFrom, end }: Recovered): Promise<void> {
    const doubtful = this.#failedSync.from();
    if (doubtful !== null) await rewriteLog(this.#segments, Math.min(doubtful, followersFrom), end);
    try {
      await syncLog(this.platform.files, this.#segments, Math.min(doubtful ?? followersFrom, followersFrom), end);
    } catch (error) {
      this.#failedSync.note(followersFrom);
      throw error;
    }
    if (doubtful !== null) this.#failedSync.clear();
  }

  #assemble(recovered: Recovered, session: string): Store {
    const { clock, files } = this.platform;
    const { options, logger } = this;
    const ladder = this.#ladder;
    const tail = this.#tail;
    const segments = this.#segments;
    const writability = new Writability();
    const publication = new Publication(clock, ladder, tail, this.#dispatcher, this.#deleted);
    publication.lastTimestamp = recovered.lastTimestamp;
    const moved = (): void => {
      publication.advance();
      this.#view.trim();
      recorder.advanced();
    };
    const groupCommit = new GroupCommit(
      clock,
      files,
      segments,
      tail,
      ladder,
      writability,
      this.#failedSync,
      logger,
      moved,
    );
    const syncFlush = options.flushDiskType === "SYNC_FLUSH";
    const wrote = (): void => {
      if (syncFlush || ladder.written - ladder.durable > options.undurableBytes / 4) groupCommit.request();
      moved();
    };
    const log = new CommitLog(clock, options, ladder, tail, segments, writability, logger, wrote);
    log.lastTimestamp = recovered.lastTimestamp;
    log.onRollback(() => groupCommit.rolledBack());
    const recorder = new ProgressRecorder({
      clock,
      options,
      ladder,
      groupCommit,
      publication,
      followers: this.#followers,
      index: this.#index,
      checkpoint: this.#checkpoint,
      progress: this.#progress,
      logger,
      session,
    });
    if (this.#index !== null) {
      this.#index.beforeHeader = (endTimestampMs, done) => {
        if (endTimestampMs <= this.#checkpoint.indexTimestamp) return done(null);
        this.#checkpoint.setIndex(endTimestampMs);
        this.#checkpoint.save(done);
      };
    }
    const parts = { clock, files, options, ladder, segments, queues: this.#queues, followers: this.#followers };
    const retention = new Retention({ ...parts, writability, logger });
    return new FileStore({
      ...parts,
      logger,
      tail,
      log,
      view: this.#view,
      groupCommit,
      publication,
      writability,
      reader: new QueueReader(this.#view, options, clock),
      index: this.#index,
      deleted: this.#deleted,
      checkpoint: this.#checkpoint,
      recorder,
      retention,
      session: this.#session,
      timers: syncFlush ? [] : [this.#flushPeriodically(groupCommit)],
      unlock: this.unlock,
    });
  }

  #flushPeriodically(groupCommit: GroupCommit): { cancel(): void } {
    const { clock } = this.platform;
    const { flushIntervalCommitLog, flushCommitLogThoroughInterval } = this.options;
    let lastUs = clock.monotonicUs();
    return clock.every(flushIntervalCommitLog, () => {
      const dirty = this.#ladder.written - this.#ladder.durable;
      const now = clock.monotonicUs();
      const due = now - lastUs >= flushCommitLogThoroughInterval * 1000;
      if (dirty < LEAST_PAGES * PAGE_BYTES && !due) return;
      lastUs = now;
      groupCommit.request();
    });
  }
}
