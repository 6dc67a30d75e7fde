import type { Clock, Done, Logger, PlatformError, Timer } from "@rmq/platform";
import type { Checkpoint } from "./checkpoint.ts";
import type { Follower } from "./dispatch.ts";
import type { GroupCommit } from "./group_commit.ts";
import type { IndexFiles } from "./index_files.ts";
import type { Ladder } from "./ladder.ts";
import type { StoreOptions } from "./options.ts";
import type { Progress } from "./progress.ts";
import type { Publication } from "./publication.ts";

/** What the recorder works on. */
export interface RecorderParts {
  readonly clock: Clock;
  readonly options: StoreOptions;
  readonly ladder: Ladder;
  readonly groupCommit: GroupCommit;
  readonly publication: Publication;
  readonly followers: readonly Follower[];
  readonly index: IndexFiles | null;
  readonly checkpoint: Checkpoint;
  readonly progress: Progress;
  readonly logger: Logger;
  readonly session: string;
}

/**
 * Brings the followers to disk now and then, and records how far they are: in Apache's checkpoint for a Java broker
 * that takes over, and in our own record. What is recorded never runs ahead of what is synced.
 */
export class ProgressRecorder {
  #running = false;
  #waiting: (() => void)[] = [];
  #recordedTo: number;
  #timer: Timer;

  constructor(private readonly parts: RecorderParts) {
    this.#recordedTo = parts.ladder.visible;
    this.#timer = parts.clock.every(parts.options.checkpointIntervalMs, () => this.#tick());
  }

  /** Looks whether enough came to record before the interval is over; called when visible moved. */
  advanced(): void {
    const { ladder, options } = this.parts;
    if (!this.#running && ladder.visible - this.#recordedTo >= options.checkpointBytes) this.#tick();
  }

  #tick(): void {
    if (this.#running || this.parts.ladder.visible === this.#recordedTo) return;
    this.record((error) => {
      if (error === null) return;
      this.parts.logger.warn("queues and index could not be brought to disk", { error: error.message });
    });
  }

  /** Brings the followers to disk and records it. */
  record(done: Done): void {
    if (this.#running) {
      this.#waiting.push(() => this.record(done));
      return;
    }
    this.#running = true;
    const finish = (error: PlatformError | null): void => {
      this.#running = false;
      const waiting = this.#waiting;
      this.#waiting = [];
      done(error);
      for (const next of waiting) next();
    };
    const to = this.parts.ladder.visible;
    const timestamp = this.parts.publication.lastTimestamp;
    // With ASYNC_FLUSH queue files could otherwise name entries that a power cut takes away.
    this.parts.groupCommit.wait(to).then(
      () =>
        this.#flushFollowers(0, (error) => error === null ? this.#save(to, timestamp, false, finish) : finish(error)),
      finish,
    );
  }

  /** Records that everything is on disk and nothing will follow; the followers are closed already. */
  recordClean(done: Done): void {
    this.#save(this.parts.ladder.visible, this.parts.publication.lastTimestamp, true, done);
  }

  #flushFollowers(index: number, done: Done): void {
    const follower = this.parts.followers[index];
    if (follower === undefined) return done(null);
    follower.flush((error) => error === null ? this.#flushFollowers(index + 1, done) : done(error));
  }

  #save(to: number, timestamp: number, clean: boolean, done: Done): void {
    const { checkpoint, progress, index, ladder, session } = this.parts;
    checkpoint.setLogAndQueues(timestamp, to);
    if (index !== null && index.flushedTimestamp > checkpoint.indexTimestamp) {
      checkpoint.setIndex(index.flushedTimestamp);
    }
    checkpoint.save((error) => {
      if (error !== null) return done(error);
      const record = {
        session,
        durable: ladder.durable,
        followers: to,
        storeTimestamp: timestamp,
        clean,
        checkpoint: checkpoint.fingerprint,
      };
      progress.save(record, (error) => {
        if (error === null) this.#recordedTo = to;
        done(error);
      });
    });
  }

  stop(): void {
    this.#timer.cancel();
  }
}
