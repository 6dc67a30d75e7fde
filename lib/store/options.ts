/** What the store is told at start; every bound has its name here. */
export interface StoreOptions {
  /** `storePathRootDir`. */
  root: string;
  /** `storePathCommitLog`; default `<root>/commitlog`. */
  commitLogPath?: string;
  /** `mappedFileSizeCommitLog`, bytes; every segment has exactly this size. */
  segmentBytes: number;
  /** `mappedFileSizeConsumeQueue`, bytes, a multiple of 20. */
  consumeQueueFileBytes: number;
  /** Slots of an index file. */
  maxHashSlotNum: number;
  /** Entries of an index file, entry 0 (never used) included. */
  maxIndexNum: number;
  /** False: no index is kept and queries by key find nothing. */
  messageIndexEnable: boolean;
  /** SYNC_FLUSH: visible and acknowledged when it is on disk; ASYNC_FLUSH: when it is written. */
  flushDiskType: "SYNC_FLUSH" | "ASYNC_FLUSH";
  /** ASYNC_FLUSH: milliseconds between syncs when at least four pages are dirty. */
  flushIntervalCommitLog: number;
  /** ASYNC_FLUSH: milliseconds after which anything dirty is synced. */
  flushCommitLogThoroughInterval: number;
  /** Largest body, bytes. */
  maxMessageSize: number;
  /** Milliseconds of each delay level of `messageDelayLevel`; index 0 is level 1. */
  delayTimesMs: readonly number[];
  /** Hours that a segment is kept. */
  fileReservedTime: number;
  /** Local hours at which expired segments are removed, joined by `;`. */
  deleteWhen: string;
  /** Percent of the disk from which expired segments are removed at any hour. */
  diskMaxUsedSpaceRatio: number;
  /** Fraction of the disk from which segments are removed though not expired. */
  diskSpaceCleanForciblyRatio: number;
  /** Fraction of the disk from which writes are refused. */
  diskSpaceWarningLevelRatio: number;
  /** False: never removes a segment before it expired. */
  cleanFileForciblyEnable: boolean;
  /** Set: free bytes decide instead of ratios; below it writes are refused, below twice of it expired segments go. */
  minFreeBytes?: number;
  /** Newest part of the log kept in memory, bytes. */
  tailBytes: number;
  /** Bound of the cache of older blocks, bytes. */
  blockCacheBytes: number;
  /** Messages further behind the head count as being on disk, for the smaller bounds of a read, bytes. */
  diskDistanceBytes: number;
  /** Most messages of one read from disk. */
  maxTransferCountOnMessageInDisk: number;
  /** Most bytes of one read from disk. */
  maxTransferBytesOnMessageInDisk: number;
  /** Most that may be appended and not yet durable, bytes; beyond it append answers BUSY. */
  undurableBytes: number;
  /** Progress of the followers is recorded each so many bytes of log … */
  checkpointBytes: number;
  /** … and each so many milliseconds. */
  checkpointIntervalMs: number;
  /** Most descriptors that the store keeps open. */
  openFiles: number;
  /** Bound of what consume queues keep in memory, bytes. */
  queueMemoryBytes: number;
  /** The registered address as 4 or 16 bytes, written into each entry. */
  storeHost: Uint8Array;
  /** Port of that address. */
  storePort: number;
  /** Process id that `abort` shows. */
  processId?: number;
  /** Asked during recovery: entries of a topic that is not there any more are not put in queues again. */
  topicExists?: (topic: string) => boolean;
  /** Lowest offset that a live group has still to consume, null: no group. Deleting beyond it is logged and counted. */
  lowestConsumed?: (topic: string, queueId: number) => number | null;
}

/** Seconds of Apache's default `messageDelayLevel`. */
const DEFAULT_DELAY_SECONDS = [1, 5, 10, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 1200, 1800, 3600, 7200];

const MIB = 1024 * 1024;

/**
 * Apache's defaults (`MessageStoreConfig`) for a store below `root`, except that flushing is synchronous; the address
 * is 127.0.0.1:10911.
 */
export function defaultStoreOptions(root: string): StoreOptions {
  return {
    root,
    segmentBytes: 1024 * MIB,
    consumeQueueFileBytes: 6_000_000,
    maxHashSlotNum: 5_000_000,
    maxIndexNum: 20_000_000,
    messageIndexEnable: true,
    flushDiskType: "SYNC_FLUSH",
    flushIntervalCommitLog: 500,
    flushCommitLogThoroughInterval: 10_000,
    maxMessageSize: 4 * MIB,
    delayTimesMs: DEFAULT_DELAY_SECONDS.map((seconds) => seconds * 1000),
    fileReservedTime: 72,
    deleteWhen: "04",
    diskMaxUsedSpaceRatio: 75,
    diskSpaceCleanForciblyRatio: 0.85,
    diskSpaceWarningLevelRatio: 0.9,
    cleanFileForciblyEnable: true,
    tailBytes: 32 * MIB,
    blockCacheBytes: 32 * MIB,
    diskDistanceBytes: 1024 * MIB,
    maxTransferCountOnMessageInDisk: 8,
    maxTransferBytesOnMessageInDisk: 65_536,
    undurableBytes: 64 * MIB,
    checkpointBytes: 256 * MIB,
    checkpointIntervalMs: 10_000,
    openFiles: 512,
    queueMemoryBytes: 64 * MIB,
    storeHost: new Uint8Array([127, 0, 0, 1]),
    storePort: 10911,
  };
}
