import type { Address, Connection, ConnectionHandler, PlatformError } from "./types.ts";
import { HIGH_WATER_BYTES, LOW_WATER_BYTES } from "./water_marks.ts";
import { WriteQueue } from "./write_queue.ts";

/** What one direction holds between the writer's buffer and the reader, as a kernel's socket buffers do. */
const WIRE_BYTES = 256 * 1024;

const unset: ConnectionHandler = { data: () => {}, close: () => {} };

/**
 * One end of a connection within the process: no port, no kernel, no TLS. When and in what pieces the bytes arrive is for
 * those who extend it to say.
 */
export abstract class PairedConnection implements Connection {
  readonly encrypted = false;
  readonly copiesWrites = false;
  handler: ConnectionHandler = unset;
  /** The other end; set once, before either is used. */
  peer!: PairedConnection;
  readonly #buffered = new WriteQueue();
  // What the other end has sent and this one has not been given yet.
  readonly #incoming = new WriteQueue();
  #full = false;
  #paused = false;
  #delivering = false;
  #ending = false;
  #peerEnded = false;
  #closed = false;

  constructor(readonly local: Address, readonly remote: Address) {}

  /** Runs what brings bytes or their end to this side. */
  protected abstract arrive(run: () => void): void;
  /** Runs something in a later turn of the loop. */
  protected abstract soon(run: () => void): void;

  /** Whether bytes may arrive now. */
  protected get reachable(): boolean {
    return true;
  }

  /** Whether somebody is there to be told of room in the wire. */
  protected get alive(): boolean {
    return true;
  }

  /** The piece of `first`, the oldest bytes on the way, that arrives next. */
  protected piece(first: Uint8Array): Uint8Array {
    return first;
  }

  /** The handler has seen `chunk`. */
  protected seen(_chunk: Uint8Array): void {}

  /** It is closed; its handler hears of it in a later turn. */
  protected closing(): void {}

  get isClosed(): boolean {
    return this.#closed;
  }

  get bufferedBytes(): number {
    return this.#buffered.bytes;
  }

  write(bytes: Uint8Array): boolean {
    if (this.#ending || this.#closed) return !this.#full;
    this.#buffered.push(bytes);
    this.#send();
    if (this.#buffered.bytes > HIGH_WATER_BYTES) this.#full = true;
    return !this.#full;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#deliverSoon();
  }

  end(): void {
    if (this.#ending || this.#closed) return;
    this.#ending = true;
    this.#finishIfSent();
  }

  destroy(): void {
    if (this.#closed) return;
    this.#ending = true;
    this.#close(null);
    this.peer.#hearEnd();
  }

  /** The connection was lost: this end learns of `error`, what was on the way to it is gone. */
  protected lose(error: PlatformError): void {
    this.#incoming.clear();
    this.#close(error);
  }

  /** Goes on with what is on the way. */
  wake(): void {
    this.#deliverSoon();
  }

  #send(): void {
    const peer = this.peer;
    let room = WIRE_BYTES - peer.#incoming.bytes;
    // As TCP does, waits for a good piece of room: else small chunks would leave ever smaller ones behind.
    if (room < Math.min(this.#buffered.bytes, WIRE_BYTES / 4)) return;
    while (this.#buffered.bytes > 0 && room > 0) {
      const first = this.#buffered.first();
      const part = first.length <= room ? first : first.subarray(0, room);
      this.#buffered.taken(part.length);
      if (!peer.#closed) peer.#incoming.push(part);
      room -= part.length;
    }
    peer.#deliverSoon();
  }

  #deliverSoon(): void {
    if (this.#delivering || this.#closed || (this.#incoming.bytes === 0 && !this.#peerEnded)) return;
    this.#delivering = true;
    this.arrive(() => {
      this.#delivering = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    if (this.#closed || this.#paused || !this.reachable) return;
    if (this.#incoming.bytes > 0) {
      const chunk = this.piece(this.#incoming.first());
      this.#incoming.taken(chunk.length);
      this.handler.data(chunk);
      this.seen(chunk);
      this.peer.#wireHasRoom();
    }
    if (this.#incoming.bytes === 0 && this.#peerEnded) this.#close(null);
    else this.#deliverSoon();
  }

  #wireHasRoom(): void {
    if (this.#closed || !this.alive) return;
    if (this.#buffered.bytes > 0) this.#send();
    this.#finishIfSent();
    if (!this.#full || this.#ending || this.#buffered.bytes >= LOW_WATER_BYTES) return;
    this.#full = false;
    this.soon(() => {
      if (!this.#closed) this.handler.drain?.();
    });
  }

  #finishIfSent(): void {
    if (!this.#ending || this.#buffered.bytes > 0 || this.#closed) return;
    this.#close(null);
    this.peer.#hearEnd();
  }

  #hearEnd(): void {
    this.#peerEnded = true;
    this.#deliverSoon();
  }

  #close(error: PlatformError | null): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#buffered.clear();
    this.closing();
    this.soon(() => this.handler.close(error));
    // As a runtime without half-open connections does, the other end follows.
    if (error === null) this.peer.#hearEnd();
  }
}
