import type { Files, Logger } from "@rmq/platform";
import type { StoredMessage } from "@rmq/protocol";
import type { Checkpoint } from "./checkpoint.ts";
import type { DeletedTopics } from "./deleted_topics.ts";
import type { Follower } from "./dispatch.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { LogScan } from "./log_scan.ts";
import type { StoreOptions } from "./options.ts";
import type { ProgressRecord } from "./progress.ts";
import { type Segments, settled } from "./segments.ts";
import { looksTorn } from "./torn_entry.ts";

/** What recovery works on. */
export interface RecoveryInput {
  readonly files: Files;
  readonly segments: Segments;
  readonly dispatcher: Dispatcher;
  readonly followers: readonly Follower[];
  readonly deleted: DeletedTopics;
  readonly checkpoint: Checkpoint;
  readonly options: StoreOptions;
  readonly logger: Logger;
  /** The store was not closed cleanly. */
  readonly abnormal: boolean;
  /** Somebody removed the consume queues to have them built anew. */
  readonly queuesGone: boolean;
  /** Our record, if we used the store last: all beyond `record.durable` was written by us. Else null. */
  readonly record: ProgressRecord | null;
}

/** What recovery found. */
export interface Recovered {
  /** Where the log ends. */
  readonly end: number;
  /** Below it every follower had everything on disk before. */
  readonly followersFrom: number;
  /** Largest store timestamp seen, ms. */
  readonly lastTimestamp: number;
  /** Topics whose entries were passed over, as the broker does not know them any more. */
  readonly unknownTopics: readonly string[];
  /** The end is not one that we left cleanly: what stands beyond it must go. */
  readonly mustCut: boolean;
}

/** Bytes of log after which recovery lets the followers write what they hold. */
const FLUSH_BYTES = 256 * 1024 * 1024;

/**
 * Finds the end of the log and brings the followers up to it (design §6, storage §7): after our own crash from what we
 * recorded, else by Apache's rules for a clean and for an abnormal end. Changes nothing in the log itself.
 */
export async function recover(input: RecoveryInput): Promise<Recovered> {
  const { segments, followers, record } = input;
  if (segments.list.length === 0) {
    for (const follower of followers) follower.truncate(0);
    return { end: 0, followersFrom: 0, lastTimestamp: record?.storeTimestamp ?? 0, unknownTopics: [], mustCut: false };
  }
  const start = await findStart(input);
  if (record !== null) { for (const follower of followers) follower.truncate(start); }
  const found = await new Redispatch(input, start).run();
  for (const follower of followers) follower.truncate(found.end);
  const clean = !input.abnormal && record !== null && record.clean && record.durable === found.end;
  return { ...found, followersFrom: start, mustCut: !clean };
}

/** Where the scan and the dispatch begin; an entry starts there. */
async function findStart(input: RecoveryInput): Promise<number> {
  const { segments, record, logger } = input;
  if (input.queuesGone) return segments.minOffset;
  if (record === null) return await lastSurelyComplete(input);
  const from = Math.max(record.followers, segments.minOffset);
  if (from <= segments.endOffset) return from;
  logger.error("the commit log is shorter than what was recorded as on disk", { recorded: from });
  return await lastSurelyComplete(input);
}

/**
 * Apache's start after an abnormal end: the last segment whose first message is older than the checkpoint's times. It
 * serves after a clean end as well, as followers take nothing twice.
 */
async function lastSurelyComplete(input: RecoveryInput): Promise<number> {
  const { segments, checkpoint } = input;
  const message = input.dispatcher.message;
  for (let i = segments.list.length - 1; i > 0; i--) {
    const base = segments.list[i].base;
    const valid = await new LogScan(segments, base).next(message);
    if (valid && message.storeTimestamp > 0 && message.storeTimestamp <= checkpoint.minTimestamp) return base;
  }
  return segments.minOffset;
}

/** Scans from the start to the end of the log and hands out what the followers may lack. */
class Redispatch {
  #lastTimestamp: number;
  #gaps = 0;
  #accepted: Map<string, boolean> = new Map();
  /** From here on only we can have written, and nothing was recorded as on disk. */
  readonly #unsyncedFrom: number;

  constructor(private readonly input: RecoveryInput, private readonly start: number) {
    this.#lastTimestamp = input.record?.storeTimestamp ?? 0;
    this.#unsyncedFrom = input.record?.durable ?? Infinity;
  }

  async run(): Promise<Pick<Recovered, "end" | "lastTimestamp" | "unknownTopics">> {
    const message = this.input.dispatcher.message;
    const scan = new LogScan(this.input.segments, this.start);
    let end = scan.offset;
    let flushAt = end + FLUSH_BYTES;
    for (;;) {
      const found = scan.next(message);
      const valid = typeof found === "boolean" ? found : await found;
      end = scan.offset;
      if (!valid || !this.#take(message)) break;
      if (scan.offset >= flushAt) {
        flushAt = scan.offset + FLUSH_BYTES;
        await this.#flush(scan.offset);
      }
    }
    if (end < this.#recordedEnd()) {
      this.input.logger.error("the commit log is damaged below what was recorded as on disk; the rest is lost", {
        end,
        recorded: this.#recordedEnd(),
      });
    }
    if (this.#gaps > 0) {
      this.input.logger.info("queue offsets in the log do not follow each other", { times: this.#gaps });
    }
    const unknownTopics = [...this.#accepted].filter(([, exists]) => !exists).map(([topic]) => topic);
    return { end, lastTimestamp: this.#lastTimestamp, unknownTopics };
  }

  #recordedEnd(): number {
    return this.#unsyncedFrom === Infinity ? 0 : this.#unsyncedFrom;
  }

  /** Takes one valid entry; false: it is torn, the log ends before it. */
  #take(message: StoredMessage): boolean {
    const offset = message.physicalOffset;
    const strict = offset >= this.#unsyncedFrom;
    if (strict && looksTorn(message, this.input.segments)) return this.#cutAt(message, "it is torn");
    if (message.storeTimestamp > this.#lastTimestamp) this.#lastTimestamp = message.storeTimestamp;
    if (!this.#belongs(message)) return true;
    const { dispatcher } = this.input;
    dispatcher.prepare();
    const queue = dispatcher.entry.queue;
    if (queue !== null && message.queueOffset !== queue.max) {
      if (strict) return this.#cutAt(message, `its queue offset should be ${queue.max}`);
      if (message.queueOffset > queue.max) this.#gaps++;
    }
    dispatcher.deliver();
    return true;
  }

  #cutAt(message: StoredMessage, why: string): false {
    this.input.logger.warn("the log ends before an entry that was never synced", {
      offset: message.physicalOffset,
      topic: message.topicText(),
      queueId: message.queueId,
      queueOffset: message.queueOffset,
      why,
    });
    return false;
  }

  /** Entries of topics that were deleted don't come back. */
  #belongs(message: StoredMessage): boolean {
    const { deleted, options } = this.input;
    const { topicExists } = options;
    if (message.physicalOffset >= deleted.newest && topicExists === undefined) return true;
    const topic = message.topicText();
    if (message.physicalOffset < deleted.below(topic)) return false;
    if (topicExists === undefined) return true;
    let exists = this.#accepted.get(topic);
    if (exists === undefined) this.#accepted.set(topic, exists = topicExists(topic));
    return exists;
  }

  /** Queue files must not be ahead of the log on disk, so that comes first. */
  async #flush(end: number): Promise<void> {
    await syncLog(this.input.files, this.input.segments, this.start, end);
    for (const follower of this.input.followers) await settled((done) => follower.flush(done));
  }
}

/** Brings the segments that hold [from, to) and their directory to disk. */
export async function syncLog(files: Files, segments: Segments, from: number, to: number): Promise<void> {
  for (const segment of segments.list) {
    if (segment.base + segments.segmentBytes <= from || segment.base >= to) continue;
    const file = segments.open(segment);
    await settled((done) => file.syncData(done));
  }
  await settled((done) => files.syncDirectory(segments.directory, done));
}
