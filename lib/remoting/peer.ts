import type { Address, Connection } from "@rmq/platform";
import { type Answer, FrameError, type Header, Output, ResponseCode, writeAnswer, writeRequest } from "@rmq/protocol";
import { formatAddress, unmapped } from "./address.ts";
import type { Hub } from "./hub.ts";
import { Intake, PARKED, UNREAD } from "./intake.ts";
import { LaterAnswer } from "./later_answer.ts";
import { ParkedFrames } from "./parked_frames.ts";
import {
  type AnswerTaker,
  type Handlers,
  type Later,
  type PeerRequest,
  type RemotingConnection,
  RemotingError,
  type Response,
} from "./types.ts";
import { PromisedAnswer, WaitingRequests } from "./waiting_requests.ts";

const FLUSH_BYTES = 256 * 1024;
const NO_TLVS: ReadonlyMap<string, string> = new Map();
const { SYSTEM_ERROR, SYSTEM_BUSY, REQUEST_CODE_NOT_SUPPORTED } = ResponseCode;

/** What differs between the connections of one hub. */
export interface PeerOptions {
  readonly handlers: Handlers;
  readonly fast?: boolean;
  readonly proxied?: Address | null;
  readonly proxyTlvs?: ReadonlyMap<string, string>;
  readonly closed?: (peer: Peer) => void;
}

/** One connection, whoever opened it. */
export class Peer implements RemotingConnection {
  readonly id: number;
  readonly local: Address;
  readonly remote: Address;
  readonly proxied: Address | null;
  readonly proxyTlvs: ReadonlyMap<string, string>;
  readonly peerText: string;
  readonly encrypted: boolean;
  readonly fast: boolean;
  readonly out: Output;
  language = -1;
  version = 0;
  principal: string | null = null;
  attachment: unknown = null;
  closed = false;

  readonly #hub: Hub;
  readonly #socket: Connection;
  readonly #handlers: Handlers;
  readonly #intake: Intake;
  readonly #closedCallback: ((peer: Peer) => void) | null;
  #closeListeners: (() => void)[] | null = null;
  #requests: WaitingRequests | null = null;
  #parked: ParkedFrames | null = null;
  #dirty = false;
  #gone = false;
  /** Set by reads and writes, taken back by the idle sweep: no clock is asked on the way. */
  #active = true;
  #activeMs = 0;
  #writes = 0;
  #lastTurnBytes = 0;

  constructor(hub: Hub, socket: Connection, options: PeerOptions) {
    this.#hub = hub;
    this.out = new Output(0, hub.buffers);
    this.#socket = socket;
    this.#handlers = options.handlers;
    this.#intake = new Intake(
      socket,
      hub.maxFrameLength,
      (bytes, start, end) => this.#takeFrame(bytes, start, end),
      (error) => this.#malformed(error),
    );
    this.#closedCallback = options.closed ?? null;
    this.id = hub.nextId();
    this.local = unmapped(socket.local);
    this.remote = unmapped(socket.remote);
    this.proxied = options.proxied ?? null;
    this.proxyTlvs = options.proxyTlvs ?? NO_TLVS;
    this.peerText = formatAddress(this.proxied ?? this.remote);
    this.encrypted = socket.encrypted;
    this.fast = options.fast ?? false;
    hub.peers.add(this);
    socket.handler = {
      data: (chunk) => this.data(chunk),
      drain: () => this.#drained(),
      close: (error) => this.#finish(error === null ? this.#lost() : closedBy(this.peerText, error.message)),
    };
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedBytes;
  }

  // Reading

  /** Bytes from the socket; the first of them may come from whoever looked at the first bytes. */
  data(chunk: Uint8Array): void {
    if (this.closed) return;
    this.#active = true;
    this.#intake.push(chunk);
  }

  #takeFrame(bytes: Uint8Array, start: number, end: number): boolean {
    const header = this.#hub.header;
    header.read(bytes, start, end);
    if (header.isResponse) {
      if (this.#requests !== null) this.#settle(header);
      return this.#intake.open;
    }
    this.#hub.stats.requests++;
    this.language = header.language;
    this.version = header.version;
    if (this.#parked !== null && this.#parked.has(header.code)) this.#keep(header, bytes, start, end);
    else this.#serve(header, bytes, start, end);
    return this.#intake.open;
  }

  #serve(header: Header, bytes: Uint8Array, start: number, end: number): void {
    const handler = this.#handlers.get(header.code);
    if (handler === undefined) {
      if (!header.isOneway) this.#refuse(header.opaque, header.code);
      return;
    }
    const hub = this.#hub;
    hub.frame = bytes;
    hub.frameStart = start;
    hub.frameEnd = end;
    hub.serving = this;
    hub.servingHeader = header;
    const mark = this.out.length;
    const writes = this.#writes;
    try {
      handler(header, this);
    } catch (error) {
      if (writes === this.#writes) this.out.length = mark;
      this.#failed(header, error);
    }
    hub.serving = null;
  }

  #refuse(opaque: number, code: number): void {
    this.answer(opaque, { code: REQUEST_CODE_NOT_SUPPORTED, remark: ` request type ${code} not supported` });
  }

  #failed(header: Header, error: unknown): void {
    const remark = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    this.#hub.quietLog.warn("a request failed", { code: header.code, peer: this.peerText, error: remark });
    if (!header.isOneway) this.answer(header.opaque, { code: SYSTEM_ERROR, remark });
  }

  #malformed(error: unknown): void {
    this.#hub.stats.malformed++;
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    if (error instanceof FrameError) {
      this.#hub.quietLog.warn("closing a connection that sent a malformed frame", { peer: this.peerText, reason });
    } else {
      this.#hub.logger.error("closing a connection after an error of ours", { peer: this.peerText, reason });
    }
    this.flush();
    this.destroy(closedBy(this.peerText, "sent a malformed frame"));
  }

  // Writing

  touch(): void {
    if (this.out.length >= FLUSH_BYTES) {
      this.flush();
    } else if (!this.#dirty) {
      this.#dirty = true;
      // A turn needs about what the last one did: room at once instead of growing in steps.
      if (this.#lastTurnBytes > this.out.bytes.length) this.out.ensure(this.#lastTurnBytes);
      this.#hub.markDirty(this);
    }
  }

  /** Writes what `out` holds. Called at the end of the turn; a second call in a turn costs a write more. */
  flush(): void {
    this.#dirty = false;
    if (this.out.length === 0) return;
    const bytes = this.out.take();
    this.#lastTurnBytes = bytes.length + (bytes.length >> 2);
    if (this.closed) return;
    this.#writes++;
    this.#hub.stats.writes++;
    if (this.#socket.write(bytes)) {
      this.#active = true;
      if (this.#socket.copiesWrites && this.#socket.bufferedBytes === 0) this.#hub.buffers.give(bytes);
      return;
    }
    this.#intake.stop(UNREAD);
    this.#hub.blocked.add(this);
    this.#hub.watchDeadlines();
    if (this.#socket.bufferedBytes > this.#hub.maxBufferedOfOne) this.cutOff();
  }

  #drained(): void {
    this.#active = true;
    this.#hub.blocked.delete(this);
    this.#intake.go(UNREAD);
  }

  /** Closes a connection whose peer leaves too much unread. */
  cutOff(): void {
    this.#hub.stats.slowClosed++;
    this.#hub.quietLog.warn("closing a connection whose peer does not read", {
      peer: this.peerText,
      unreadBytes: this.#socket.bufferedBytes,
    });
    this.destroy(closedBy(this.peerText, "does not read"));
  }

  answer(opaque: number, answer: Answer): void {
    if (this.closed) return;
    const { serving, servingHeader } = this.#hub;
    if (serving === this && servingHeader.isOneway && servingHeader.opaque === opaque) return;
    writeAnswer(this.out, opaque, answer, this.#hub.serializeType);
    this.touch();
  }

  later(header: Header): Later {
    return new LaterAnswer(this, header);
  }

  // Requests of ours

  request(request: PeerRequest, timeoutMs: number): Promise<Response> {
    return new Promise((resolve, reject) => {
      const opaque = this.expect(new PromisedAnswer(resolve, reject), timeoutMs);
      writeRequest(this.out, { ...request, opaque, oneway: false }, this.#hub.serializeType);
      this.touch();
    });
  }

  expect(taker: AnswerTaker, timeoutMs: number): number {
    if (this.closed) throw this.#lost();
    const hub = this.#hub;
    const requests = this.#requests ??= new WaitingRequests();
    requests.refuseBeyond(hub.maxPending, this.peerText);
    hub.requesting.add(this);
    hub.watchDeadlines();
    return requests.add(taker, hub.nowMs() + timeoutMs);
  }

  oneway(request: PeerRequest): void {
    if (this.closed) return;
    const opaque = (this.#requests ??= new WaitingRequests()).nextOpaque();
    writeRequest(this.out, { ...request, opaque, oneway: true }, this.#hub.serializeType);
    this.touch();
  }

  #settle(header: Header): void {
    const requests = this.#requests!;
    requests.settle(header);
    if (requests.size === 0) this.#hub.requesting.delete(this);
  }

  expireRequests(nowMs: number): void {
    this.#requests?.expire(nowMs, this.peerText);
    if (!this.#requests?.size) this.#hub.requesting.delete(this);
  }

  // Parking

  park(header: Header): void {
    const hub = this.#hub;
    if (header === hub.replayHeader) hub.parkedAgain = true;
    else if (hub.serving === this) this.#keep(header, hub.frame, hub.frameStart, hub.frameEnd);
    else throw new Error("a request can be parked only while it is being served");
  }

  #keep(header: Header, bytes: Uint8Array, start: number, end: number): void {
    const hub = this.#hub;
    const parked = this.#parked ??= new ParkedFrames();
    hub.parkedBytes += parked.add(header, bytes, start, end, hub.nowMs());
    hub.stats.parked++;
    hub.parking.add(this);
    hub.watchDeadlines();
    if (parked.bytes > hub.maxParkedOfOne || hub.parkedBytes > hub.maxParked) this.#intake.stop(PARKED);
  }

  /** Serves parked frames again until one is parked again. */
  tryParked(): void {
    const hub = this.#hub;
    for (let frame = this.#parked?.first; frame && !this.closed; frame = this.#parked?.first) {
      hub.parkedAgain = false;
      hub.replayHeader.read(frame.bytes, 0, frame.bytes.length);
      this.#serve(hub.replayHeader, frame.bytes, 0, frame.bytes.length);
      if (hub.parkedAgain) return;
      this.#dropFirstParked();
    }
  }

  expireParked(nowMs: number): void {
    const parked = this.#parked;
    for (let frame = parked?.first; frame && nowMs - frame.sinceMs >= this.#hub.parkMs; frame = parked?.first) {
      this.#hub.stats.parkTimeouts++;
      const waitedMs = Math.round(nowMs - frame.sinceMs);
      const remark = "[TIMEOUT_CLEAN_QUEUE]broker busy, start flow control for a while, " +
        `period in queue: ${waitedMs}ms, size of queue: ${parked!.count}`;
      this.#dropFirstParked();
      if (!frame.oneway) this.answer(frame.opaque, { code: SYSTEM_BUSY, remark });
    }
    this.resumeIfParkedFits();
  }

  /** Gives all parked requests this answer. */
  refuseParked(answer: Answer): void {
    for (let frame = this.#parked?.first; frame; frame = this.#parked?.first) {
      this.#dropFirstParked();
      if (!frame.oneway) this.answer(frame.opaque, answer);
    }
    this.resumeIfParkedFits();
  }

  #dropFirstParked(): void {
    const parked = this.#parked;
    if (parked === null) return;
    this.#hub.parkedBytes -= parked.removeFirst();
    if (parked.count === 0) this.#parked = null;
  }

  resumeIfParkedFits(): void {
    const hub = this.#hub;
    const bytes = this.#parked?.bytes ?? 0;
    if (bytes === 0 && this.#parked === null) hub.parking.delete(this);
    if (bytes <= hub.maxParkedOfOne && (hub.parkedBytes <= hub.maxParked || bytes === 0)) this.#goOnAfterParking();
  }

  #goOnAfterParking(): void {
    if (!this.#intake.stoppedFor(PARKED)) return;
    this.#active = true;
    this.#intake.go(PARKED);
  }

  // The end

  closeIfIdle(nowMs: number): void {
    if (this.#active || this.#intake.stoppedFor(PARKED)) {
      this.#active = false;
      this.#activeMs = nowMs;
    } else if (nowMs - this.#activeMs >= this.#hub.idleMs) {
      this.#hub.stats.idleClosed++;
      this.destroy(closedBy(this.peerText, "was idle"));
    }
  }

  onClose(run: () => void): void {
    if (this.#gone) run();
    else (this.#closeListeners ??= []).push(run);
  }

  close(): void {
    if (this.closed) return;
    this.flush();
    this.closed = true;
    this.#intake.close();
    this.#socket.end();
    this.#requests?.failAll(this.#lost());
  }

  destroy(error: RemotingError): void {
    this.closed = true;
    this.#socket.destroy();
    this.#finish(error);
  }

  #finish(error: RemotingError): void {
    if (this.#gone) return;
    this.#gone = true;
    this.closed = true;
    const hub = this.#hub;
    hub.parkedBytes -= this.#parked?.bytes ?? 0;
    this.#parked = null;
    this.#intake.close();
    for (const set of [hub.peers, hub.parking, hub.blocked, hub.requesting]) set.delete(this);
    this.#requests?.failAll(error);
    for (const run of this.#closeListeners ?? []) this.#guarded(run);
    const closed = this.#closedCallback;
    if (closed !== null) this.#guarded(() => closed(this));
  }

  #guarded(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#hub.logger.error("an error after a connection was lost", { peer: this.peerText, error: String(error) });
    }
  }

  #lost(): RemotingError {
    return closedBy(this.peerText, "the connection is closed");
  }
}

function closedBy(peerText: string, reason: string): RemotingError {
  return new RemotingError("CLOSED", `${peerText}: ${reason}`, true);
}
