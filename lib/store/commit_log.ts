import type { Clock, Logger } from "@rmq/platform";
import { encodeStored, type MessageDraft, RETRY_PREFIX, storedSize } from "@rmq/protocol";
import { BLANK_BYTES, writeBlank } from "./blank_record.ts";
import { isUnqueued } from "./dispatcher.ts";
import type { Ladder } from "./ladder.ts";
import type { StoreOptions } from "./options.ts";
import type { QueueState } from "./queue_state.ts";
import { asPlatformError } from "./platform_error.ts";
import type { Segments } from "./segments.ts";
import { writeFully } from "./small_file.ts";
import { AppendStatus } from "./store.ts";
import type { Tail } from "./tail.ts";
import type { Writability } from "./writability.ts";

const MAX_TOPIC_BYTES = 127;
const MAX_RETRY_TOPIC_BYTES = 255;
const MAX_PROPERTIES_BYTES = 32_767;
/** How much an entry may be larger than the largest body (storage §3.1). */
const ENTRY_ALLOWANCE = 65_536;
/** Wait after a failed write before the disk is tried again, ms. */
const PROBE_MS = 1000;
/** How much a probe writes to find out whether the disk has room again. */
const PROBE_BYTES = 65_536;
/** A clock that steps back by more than this is reported, ms. */
const CLOCK_REPORT_MS = 1000;

/** The writing end of the log: encodes into the tail and writes the batch of each turn. */
export class CommitLog {
  entries = 0;
  bytes = 0;
  batches = 0;
  failedWrites = 0;
  busy = 0;
  clockHeldMs = 0;
  /** Last store timestamp given out, ms; the next is never smaller. */
  lastTimestamp = 0;
  #turnTimestamp = 0;
  #scheduled = false;
  /** Where the segment that appends go to ends. */
  #segmentEnd: number;
  /** The entries of this turn: their queues and the next offsets that these had before. */
  #batchQueues: QueueState[] = [];
  #batchOffsets: number[] = [];
  /** Bytes up to here may stand in files from a batch that was rolled back; they are zeroed with the next write. */
  #staleEnd = 0;
  /** The topic that was found storable last. */
  #checkedTopic: Uint8Array | null = null;
  /** What begins below it was let in by `reserve`, in this turn. */
  #reservedTo = 0;
  #rollbackListeners: ((from: number, cause: string) => void)[] = [];
  readonly #maxEntry: number;
  readonly #undurableLimit: number;
  readonly #write = (): void => this.#writeBatch();

  constructor(
    private readonly clock: Clock,
    private readonly options: StoreOptions,
    private readonly ladder: Ladder,
    private readonly tail: Tail,
    private readonly segments: Segments,
    private readonly writability: Writability,
    private readonly logger: Logger,
    /** Told after a batch was written. */
    private readonly wrote: () => void,
  ) {
    this.#segmentEnd = this.#endOfSegmentAt(ladder.appended);
    this.#maxEntry = Math.min(options.maxMessageSize + ENTRY_ALLOWANCE, options.segmentBytes - BLANK_BYTES);
    this.#undurableLimit = options.undurableBytes;
  }

  /** A batch waits for the end of this turn. */
  get pending(): boolean {
    return this.#scheduled;
  }

  onRollback(listener: (from: number, cause: string) => void): void {
    this.#rollbackListeners.push(listener);
  }

  /** See `Store.append`. */
  append(draft: MessageDraft, queue: QueueState): number {
    const size = storedSize(draft);
    const status = this.#admit(draft, queue, size);
    if (status !== AppendStatus.OK) return status;
    if (size + BLANK_BYTES > this.#segmentEnd - this.ladder.appended) this.#roll();
    const offset = this.ladder.appended;
    const chunk = this.tail.room(offset, size, this.#segmentEnd - this.segments.segmentBytes);
    const unqueued = draft.sysFlag !== 0 && isUnqueued(draft.sysFlag);
    draft.physicalOffset = offset;
    draft.queueOffset = unqueued ? 0 : queue.nextOffset;
    draft.storeTimestamp = this.#timestamp();
    draft.storeHost = this.options.storeHost;
    draft.storePort = this.options.storePort;
    encodeStored(draft, chunk.bytes, chunk.used);
    chunk.used += size;
    this.ladder.append(offset + size);
    this.#batchQueues.push(queue);
    this.#batchOffsets.push(queue.nextOffset);
    if (!unqueued) queue.nextOffset++;
    this.#schedule();
    return AppendStatus.OK;
  }

  /** See `Store.reserve`. */
  reserve(bytes: number): number {
    if (this.writability.refusal !== null) return AppendStatus.SERVICE_NOT_AVAILABLE;
    if (bytes + BLANK_BYTES > this.options.segmentBytes) return AppendStatus.MESSAGE_ILLEGAL;
    if (this.#isBusy(bytes)) return AppendStatus.BUSY;
    if (bytes + BLANK_BYTES > this.#segmentEnd - this.ladder.appended) {
      this.#roll();
    }
    // A batch of which only a part gets in would come again as a whole.
    this.#reservedTo = this.ladder.appended + bytes;
    this.#schedule();
    return AppendStatus.OK;
  }

  #admit(draft: MessageDraft, queue: QueueState, size: number): number {
    if (this.writability.refusal !== null) return AppendStatus.SERVICE_NOT_AVAILABLE;
    if (queue.topicBytes !== this.#checkedTopic) {
      if (!isStorableTopic(queue)) return AppendStatus.MESSAGE_ILLEGAL;
      this.#checkedTopic = queue.topicBytes;
    }
    if (draft.bodyEnd - draft.bodyStart > this.options.maxMessageSize || size > this.#maxEntry) {
      return AppendStatus.MESSAGE_ILLEGAL;
    }
    if (draft.properties.length > MAX_PROPERTIES_BYTES) return AppendStatus.PROPERTIES_SIZE_EXCEEDED;
    return this.#isBusy(size) ? AppendStatus.BUSY : AppendStatus.OK;
  }

  #isBusy(bytes: number): boolean {
    const undurable = this.ladder.appended - this.ladder.durable;
    if (undurable === 0 || this.ladder.appended < this.#reservedTo || undurable + bytes <= this.#undurableLimit) {
      return false;
    }
    this.busy++;
    return true;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.clock.afterTurn(this.#write);
  }

  /** One look at the clock a turn; never less than the last one given out. */
  #timestamp(): number {
    if (this.#turnTimestamp !== 0) return this.#turnTimestamp;
    const now = this.clock.nowMs();
    const held = this.lastTimestamp - now;
    if (held > 0) this.#reportHeld(held);
    else this.lastTimestamp = now;
    return this.#turnTimestamp = this.lastTimestamp;
  }

  #reportHeld(heldMs: number): void {
    if (heldMs > CLOCK_REPORT_MS && this.clockHeldMs <= CLOCK_REPORT_MS) {
      this.logger.warn("the clock was set back; store timestamps stand still until it catches up", { heldMs });
    }
    this.clockHeldMs = Math.max(this.clockHeldMs, heldMs);
  }

  /** Fills the rest of the segment with a blank record; the next entry starts a segment. */
  #roll(): void {
    const offset = this.ladder.appended;
    const left = this.#segmentEnd - offset;
    if (left > 0) {
      const chunk = this.tail.room(offset, BLANK_BYTES, this.#segmentEnd - this.segments.segmentBytes);
      writeBlank(chunk.bytes, chunk.used, left);
      chunk.used += BLANK_BYTES;
      this.ladder.append(this.#segmentEnd);
    }
    this.#segmentEnd += this.segments.segmentBytes;
  }

  #endOfSegmentAt(offset: number): number {
    const segment = this.segments.at(offset);
    return (segment === null ? offset : segment.base) + this.segments.segmentBytes;
  }

  #writeBatch(): void {
    this.#scheduled = false;
    this.#turnTimestamp = 0;
    this.#reservedTo = 0;
    const { written, appended } = this.ladder;
    if (written === appended) return;
    try {
      this.#writeTail(written);
      if (this.#staleEnd > appended) this.#zero(appended, this.#staleEnd);
      this.#staleEnd = 0;
    } catch (error) {
      return this.#rollBack(asPlatformError(error).message);
    }
    this.batches++;
    this.entries += this.#batchQueues.length;
    this.bytes += appended - written;
    this.#batchQueues.length = 0;
    this.#batchOffsets.length = 0;
    this.ladder.write(appended);
    this.wrote();
  }

  #writeTail(from: number): void {
    const chunks = this.tail.chunks;
    for (let i = this.tail.indexFrom(from); i < chunks.length; i++) {
      const chunk = chunks[i];
      const start = Math.max(from, chunk.base);
      const end = chunk.base + chunk.used;
      this.#staleEnd = Math.max(this.#staleEnd, end);
      this.#writeAt(start, chunk.bytes.subarray(start - chunk.base, chunk.used));
    }
  }

  #writeAt(offset: number, bytes: Uint8Array): void {
    const segment = this.segments.at(offset) ?? this.segments.create(this.segments.endOffset);
    writeFully(this.segments.open(segment), bytes, offset - segment.base);
  }

  /** Overwrites [from, to) with zeros as far as it lies in segments that exist. */
  #zero(from: number, to: number): void {
    for (let at = from; at < to;) {
      const segment = this.segments.at(at);
      if (segment === null) return;
      const end = Math.min(to, segment.base + this.segments.segmentBytes, at + PROBE_BYTES);
      this.#writeAt(at, new Uint8Array(end - at));
      at = end;
    }
  }

  /** Takes the batch of this turn back: log end, queue offsets, and through the listeners the answers. */
  #rollBack(cause: string): void {
    this.failedWrites++;
    for (let i = this.#batchQueues.length - 1; i >= 0; i--) this.#batchQueues[i].nextOffset = this.#batchOffsets[i];
    this.#batchQueues.length = 0;
    this.#batchOffsets.length = 0;
    const from = this.ladder.rollBack();
    this.tail.rollBack(from);
    this.#segmentEnd = this.#endOfSegmentAt(from);
    if (!this.writability.has("writeFailed")) {
      this.logger.error("the commit log could not be written; writes are refused until it can", { cause, from });
      this.clock.setTimer(PROBE_MS, () => this.#probe());
    }
    this.writability.set("writeFailed", `the commit log could not be written: ${cause}`);
    for (const listener of this.#rollbackListeners) listener(from, cause);
  }

  /** Tries whether the disk takes bytes where the next entry goes, and cleans up what a failed batch left there. */
  #probe(): void {
    if (this.writability.has("closed")) return;
    const from = this.ladder.written;
    try {
      if (this.segments.at(from) === null) this.segments.create(this.segments.endOffset);
      this.#zero(from, Math.max(this.#staleEnd, from + PROBE_BYTES));
    } catch (error) {
      asPlatformError(error);
      this.clock.setTimer(PROBE_MS, () => this.#probe());
      return;
    }
    this.#staleEnd = 0;
    this.writability.set("writeFailed", null);
    this.logger.info("the commit log can be written again", { from });
  }
}

function isStorableTopic(queue: QueueState): boolean {
  const length = queue.topicBytes.length;
  if (length === 0 || queue.topicBytes.indexOf(0) >= 0) return false;
  return length <= MAX_TOPIC_BYTES || length <= MAX_RETRY_TOPIC_BYTES && queue.topic.startsWith(RETRY_PREFIX);
}
