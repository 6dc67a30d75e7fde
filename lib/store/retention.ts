import type { Clock, Files, Logger, Timer } from "@rmq/platform";
import type { ConsumeQueues } from "./consume_queues.ts";
import type { Follower } from "./dispatch.ts";
import type { Ladder } from "./ladder.ts";
import type { StoreOptions } from "./options.ts";
import type { Segments } from "./segments.ts";
import type { Writability } from "./writability.ts";

const FIRST_MS = 60_000;
const PERIOD_MS = 10_000;
const FILES_A_RUN = 10;
const PAUSE_MS = 100;
const HOUR_MS = 3_600_000;
/** Apache's caps of the two ratios (storage §16). */
const CAP_FORCIBLY = 0.85;
const CAP_WARNING = 0.9;
/** Longest look at queues in one turn, microseconds. */
const SLICE_US = 2000;

/** How full the disk is, in the steps that decide. */
const Pressure = { NONE: 0, EXPIRED_AT_ANY_HOUR: 1, FORCIBLY: 2, FULL: 3 } as const;

/** What retention works on. */
export interface RetentionParts {
  readonly clock: Clock;
  readonly files: Files;
  readonly options: StoreOptions;
  readonly ladder: Ladder;
  readonly segments: Segments;
  readonly queues: ConsumeQueues;
  readonly followers: readonly Follower[];
  readonly writability: Writability;
  readonly logger: Logger;
}

/** Removes old segments and refuses writes on a full disk, by Apache's rules (storage §16, `CleanCommitLogService`). */
export class Retention {
  diskRatio = -1;
  expiredSegments = 0;
  unconsumedDeleted = 0;
  #timers: Timer[];
  #pause: Timer | null = null;
  #removing = false;
  #stopped = false;
  /** The last removal failed, and that was said. */
  #failing = false;

  constructor(private readonly parts: RetentionParts) {
    const { clock } = parts;
    this.#timers = [clock.setTimer(FIRST_MS, () => {
      this.run();
      this.#timers.push(clock.every(PERIOD_MS, () => this.run()));
    })];
    this.#watchDisk();
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) timer.cancel();
    this.#pause?.cancel();
  }

  /** One round: looks at the disk, then removes what may go, one file after the other. */
  run(): void {
    const pressure = this.#watchDisk();
    if (this.#removing || pressure === Pressure.NONE && !this.#isDeleteHour()) return;
    const { options } = this.parts;
    this.#removing = true;
    this.#removeSome(pressure >= Pressure.FORCIBLY && options.cleanFileForciblyEnable, 0);
  }

  /** Removing a large file keeps the loop busy for a while, so there is a pause after each. */
  #removeSome(forcibly: boolean, removed: number): void {
    if (!this.#stopped && removed < FILES_A_RUN && this.#removeFirst(forcibly)) {
      this.#pause = this.parts.clock.setTimer(PAUSE_MS, () => this.#removeSome(forcibly, removed + 1));
      return;
    }
    this.#removing = false;
    if (removed > 0 && !this.#stopped) this.#removed(removed);
  }

  /** True: the oldest segment is gone. A disk that does not let it go is asked again in the next round. */
  #removeFirst(forcibly: boolean): boolean {
    const { segments, logger } = this.parts;
    try {
      if (!this.#mayRemoveFirst(forcibly)) return false;
      segments.removeFirst();
    } catch (error) {
      if (!this.#failing) logger.error("an old commit log file can't be removed", { error: String(error) });
      this.#failing = true;
      return false;
    }
    this.#failing = false;
    this.expiredSegments++;
    return true;
  }

  #removed(count: number): void {
    const { segments, followers, files, logger } = this.parts;
    logger.info("old commit log files were removed", { files: count, minOffset: segments.minOffset });
    files.syncDirectory(segments.directory, (error) => {
      if (error !== null) logger.warn("the commit log directory could not be synced", { error: error.message });
    });
    this.#reportUnconsumed(() => {
      for (const follower of followers) follower.expire(segments.minOffset);
    });
  }

  /** Measures the disk and sets or clears the refusal. */
  #watchDisk(): number {
    const { files, segments, options, writability, logger } = this.parts;
    let space;
    try {
      space = files.space(segments.directory);
    } catch (error) {
      logger.warn("the free space of the disk is unknown", { error: String(error) });
      return Pressure.NONE;
    }
    this.diskRatio = space.totalBytes === 0 ? 0 : 1 - space.freeBytes / space.totalBytes;
    const pressure = options.minFreeBytes === undefined
      ? this.#byRatio(this.diskRatio)
      : byFreeBytes(space.freeBytes, options.minFreeBytes);
    const full = writability.has("diskFull");
    if (!full && pressure === Pressure.FULL) {
      const left = `${Math.floor(space.freeBytes / 1_048_576)} MiB free, ${(this.diskRatio * 100).toFixed(0)} % used`;
      writability.set("diskFull", `the broker's disk is full [commit log: ${left}]`);
      logger.error("the disk is full; writes are refused until there is room", { left });
    } else if (full && pressure < Pressure.FORCIBLY) {
      writability.set("diskFull", null);
      logger.info("the disk has room again; writes are taken", { ratio: this.diskRatio });
    }
    return pressure;
  }

  #byRatio(ratio: number): number {
    const { options } = this.parts;
    if (ratio > Math.min(options.diskSpaceWarningLevelRatio, CAP_WARNING)) return Pressure.FULL;
    if (ratio > Math.min(options.diskSpaceCleanForciblyRatio, CAP_FORCIBLY)) return Pressure.FORCIBLY;
    return ratio > options.diskMaxUsedSpaceRatio / 100 ? Pressure.EXPIRED_AT_ANY_HOUR : Pressure.NONE;
  }

  /** The last segment stays, and so does what is not on disk or not taken by the followers. */
  #mayRemoveFirst(forcibly: boolean): boolean {
    const { segments, ladder } = this.parts;
    if (segments.list.length < 2) return false;
    const oldest = segments.list[0];
    if (oldest.base + segments.segmentBytes > Math.min(ladder.visible, ladder.durable)) return false;
    return forcibly || this.#isExpired(oldest.path);
  }

  #isExpired(path: string): boolean {
    const { clock, files, options } = this.parts;
    const info = files.stat(path);
    return info !== null && info.modifiedMs + options.fileReservedTime * HOUR_MS <= clock.nowMs();
  }

  #isDeleteHour(): boolean {
    const { clock, options } = this.parts;
    const hour = clock.localTime(clock.nowMs()).hour;
    return options.deleteWhen.split(";").some((text) => text.trim() !== "" && Number(text) === hour);
  }

  /** Says what live groups lose with the removed segments, then goes on. */
  #reportUnconsumed(next: () => void): void {
    const { queues, options, clock } = this.parts;
    const lowestConsumed = options.lowestConsumed;
    if (lowestConsumed === undefined) return next();
    const topics = queues.topics();
    let topic = "";
    let queueIds: number[] = [];
    let lost = 0;
    const slice = (): void => {
      if (this.#stopped) return;
      for (const end = clock.monotonicUs() + SLICE_US; clock.monotonicUs() <= end;) {
        const queueId = queueIds.pop();
        if (queueId !== undefined) {
          lost += this.#lostIn(topic, queueId, lowestConsumed);
          continue;
        }
        if (lost > 0) this.#logLost(topic, lost);
        lost = 0;
        const another = topics.pop();
        if (another === undefined) return next();
        topic = another;
        queueIds = queues.queueIds(topic);
      }
      clock.setTimer(0, slice);
    };
    slice();
  }

  /** Messages of the queue that went away before a group consumed them, and were not reported before. */
  #lostIn(topic: string, queueId: number, lowestConsumed: (topic: string, queueId: number) => number | null): number {
    // Asked first: a queue that nobody consumes need not be opened.
    const consumed = lowestConsumed(topic, queueId);
    const min = consumed === null ? null : this.#minOf(topic, queueId);
    if (consumed === null || min === null) return 0;
    const key = `${topic}@${queueId}`;
    const from = Math.max(consumed, this.#reported.get(key) ?? 0);
    if (min <= from) return 0;
    this.#reported.set(key, min);
    return min - from;
  }

  /** First message that is left; null: there is no such queue, or it can't be read now. */
  #minOf(topic: string, queueId: number): number | null {
    try {
      return this.parts.queues.existing(topic, queueId)?.min ?? null;
    } catch (error) {
      this.parts.logger.warn("consume queue: can't be read", { topic, queueId, error: String(error) });
      return null;
    }
  }

  readonly #reported: Map<string, number> = new Map();

  #logLost(topic: string, messages: number): void {
    this.unconsumedDeleted += messages;
    this.parts.logger.warn("messages were deleted before a group had consumed them", { topic, messages });
  }
}

function byFreeBytes(freeBytes: number, minFreeBytes: number): number {
  if (freeBytes < minFreeBytes) return Pressure.FULL;
  return freeBytes < minFreeBytes * 2 ? Pressure.FORCIBLY : Pressure.NONE;
}
