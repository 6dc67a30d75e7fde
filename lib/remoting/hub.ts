import type { Clock, Logger, Platform, Timer } from "@rmq/platform";
import { type Answer, Header, MAX_FRAME_LENGTH } from "@rmq/protocol";
import { BufferPool } from "./buffer_pool.ts";
import type { Peer } from "./peer.ts";
import { QuietLog } from "./quiet_log.ts";
import type { ServerStats } from "./types.ts";

/** How often deadlines are looked at while there are any. */
const DEADLINE_SWEEP_MS = 100;
const MIB = 1024 * 1024;

/** The limits that a server's or a client's connections share. */
export interface HubLimits {
  readonly maxFrameLength?: number;
  readonly idleMs?: number;
  readonly serializeType?: 0 | 1;
  readonly maxPendingRequestsPerConnection?: number;
  readonly parkedBytesPerConnection?: number;
  readonly parkedBytes?: number;
  readonly waitTimeMillsInSendQueue?: number;
  readonly maxBufferedBytesPerConnection?: number;
  readonly maxBufferedBytes?: number;
}

let lastConnectionId = 0;

/**
 * What all connections of one server or client have in common: the reusable headers, the list of connections that
 * have something to write at the end of this turn, and the sweeps over deadlines and idle connections.
 */
export class Hub {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly quietLog: QuietLog;
  readonly maxFrameLength: number;
  readonly idleMs: number;
  readonly serializeType: 0 | 1;
  readonly maxPending: number;
  readonly maxParkedOfOne: number;
  readonly maxParked: number;
  readonly parkMs: number;
  readonly maxBufferedOfOne: number;
  readonly maxBuffered: number;
  readonly stats: ServerStats = {
    accepted: 0,
    rejected: 0,
    requests: 0,
    writes: 0,
    malformed: 0,
    parked: 0,
    parkTimeouts: 0,
    idleClosed: 0,
    slowClosed: 0,
  };

  /** Handlers run to their end, so one header serves all connections; parked frames get another one. */
  readonly header: Header = new Header();
  readonly replayHeader: Header = new Header();
  /** The frame that is being served, for `park`. */
  frame: Uint8Array = new Uint8Array(0);
  frameStart = 0;
  frameEnd = 0;
  serving: Peer | null = null;
  servingHeader: Header = this.header;
  /** Set by `park` when the frame that was tried again has to stay. */
  parkedAgain = false;

  readonly peers = new Set<Peer>();
  /** Connections with requests of ours, with parked frames, and with a peer that doesn't read. */
  readonly requesting = new Set<Peer>();
  readonly parking = new Set<Peer>();
  readonly blocked = new Set<Peer>();
  parkedBytes = 0;
  /** Called by the idle sweep for what is not a peer yet. */
  sweepArrivals: ((nowMs: number) => void) | null = null;

  #dirty: Peer[] = [];
  #spare: Peer[] = [];
  #flushing = false;
  #deadlines: Timer | null = null;
  readonly #idle: Timer;
  readonly buffers: BufferPool = new BufferPool();
  readonly #flushLast = (): void => this.clock.afterTurn(this.#flushAll);
  readonly #flushAll = (): void => this.flush();

  constructor(platform: Platform, limits: HubLimits, logger: Logger) {
    this.clock = platform.clock;
    this.logger = logger;
    this.quietLog = new QuietLog(platform.clock, logger);
    this.maxFrameLength = limits.maxFrameLength ?? MAX_FRAME_LENGTH;
    this.idleMs = limits.idleMs ?? 120_000;
    this.serializeType = limits.serializeType ?? 0;
    this.maxPending = limits.maxPendingRequestsPerConnection ?? 1024;
    this.maxParkedOfOne = limits.parkedBytesPerConnection ?? 4 * MIB;
    this.maxParked = limits.parkedBytes ?? 64 * MIB;
    this.parkMs = limits.waitTimeMillsInSendQueue ?? 2000;
    this.maxBufferedOfOne = limits.maxBufferedBytesPerConnection ?? 64 * MIB;
    this.maxBuffered = limits.maxBufferedBytes ?? 512 * MIB;
    this.#idle = this.clock.every(Math.max(this.idleMs / 24, 1), () => this.#sweepIdle());
  }

  nextId(): number {
    return ++lastConnectionId;
  }

  nowMs(): number {
    return this.clock.monotonicUs() / 1000;
  }

  /**
   * Puts a connection on the list that is written at the end of the turn. The flush registers itself a second time,
   * so that it comes after what others had registered for this turn, such as the log's write that lets answers go.
   */
  markDirty(peer: Peer): void {
    this.#dirty.push(peer);
    if (this.#flushing) return;
    this.#flushing = true;
    this.clock.afterTurn(this.#flushLast);
  }

  flush(): void {
    const dirty = this.#dirty;
    this.#dirty = this.#spare;
    this.#spare = dirty;
    this.#flushing = false;
    for (let i = 0; i < dirty.length; i++) dirty[i]!.flush();
    dirty.length = 0;
  }

  /** Deadlines exist: look at them until there are none. */
  watchDeadlines(): void {
    this.#deadlines ??= this.clock.setTimer(DEADLINE_SWEEP_MS, () => this.#sweepDeadlines());
  }

  #sweepDeadlines(): void {
    this.#deadlines = null;
    const nowMs = this.nowMs();
    for (const peer of this.requesting) peer.expireRequests(nowMs);
    for (const peer of this.parking) peer.expireParked(nowMs);
    this.#cutOffSlowest();
    if (this.requesting.size + this.parking.size + this.blocked.size > 0) this.watchDeadlines();
  }

  /** Holds the total of unread bytes under its bound by closing those that leave the most. */
  #cutOffSlowest(): void {
    let total = 0;
    for (const peer of this.blocked) total += peer.bufferedBytes;
    if (total <= this.maxBuffered) return;
    const slowest = [...this.blocked].sort((one, other) => other.bufferedBytes - one.bufferedBytes);
    for (const peer of slowest) {
      if (total <= this.maxBuffered) return;
      total -= peer.bufferedBytes;
      peer.cutOff();
    }
  }

  #sweepIdle(): void {
    const nowMs = this.nowMs();
    for (const peer of this.peers) peer.closeIfIdle(nowMs);
    this.sweepArrivals?.(nowMs);
  }

  /** Parked frames are tried again. A call while this runs is taken up when it is through. */
  release(): void {
    if (this.parking.size === 0) return;
    const { frame, frameStart, frameEnd, serving, servingHeader } = this;
    for (const peer of [...this.parking]) peer.tryParked();
    for (const peer of [...this.parking]) peer.resumeIfParkedFits();
    this.frame = frame;
    this.frameStart = frameStart;
    this.frameEnd = frameEnd;
    this.serving = serving;
    this.servingHeader = servingHeader;
  }

  refuseParked(answer: Answer): void {
    for (const peer of [...this.parking]) peer.refuseParked(answer);
  }

  stop(): void {
    this.#idle.cancel();
    this.#deadlines?.cancel();
    this.#deadlines = null;
  }
}
