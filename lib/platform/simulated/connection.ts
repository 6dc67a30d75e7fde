import { type Address, type Connection, type ConnectionHandler, PlatformError } from "../types.ts";
import { HIGH_WATER_BYTES, LOW_WATER_BYTES } from "../water_marks.ts";
import { WriteQueue } from "../write_queue.ts";
import type { Life } from "./life.ts";
import type { Wires } from "./wires.ts";

/** What one direction holds between the writer's buffer and the reader, as a kernel's socket buffers do. */
const WIRE_BYTES = 256 * 1024;
const LARGEST_CHUNK_BYTES = 64 * 1024;
const POISON = 0xdb;

const unset: ConnectionHandler = { data: () => {}, close: () => {} };

/** One end of a simulated connection. */
export class SimulatedConnection implements Connection {
  readonly encrypted = false;
  readonly copiesWrites = false;
  handler: ConnectionHandler = unset;
  /** The other end; set once, before either is used. */
  peer!: SimulatedConnection;
  readonly life: Life;
  readonly local: Address;
  readonly remote: Address;
  readonly #wires: Wires;
  readonly #buffered = new WriteQueue();
  // What the other end has sent and this one has not been given yet.
  readonly #incoming = new WriteQueue();
  #full = false;
  #paused = false;
  #delivering = false;
  #ending = false;
  #peerEnded = false;
  #closed = false;

  constructor(wires: Wires, life: Life, local: Address, remote: Address) {
    this.#wires = wires;
    this.life = life;
    this.local = local;
    this.remote = remote;
  }

  get bufferedBytes(): number {
    return this.#buffered.bytes;
  }

  get isClosed(): boolean {
    return this.#closed;
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

  /** The network lost it: both ends learn of it, what was on the way is gone. */
  reset(): void {
    for (const end of [this, this.peer]) {
      end.#incoming.clear();
      end.#close(new PlatformError("ECONNRESET", "connection reset by peer"));
    }
  }

  /** Goes on after a partition has healed. */
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
    this.#wires.deliver(this, () => {
      this.#delivering = false;
      this.#deliver();
    });
  }

  // One chunk, of a size that the seed picks, as a private copy that is spoilt afterwards: its bytes are the
  // handler's only until it returns.
  #deliver(): void {
    if (this.#closed || this.#paused || this.#wires.areParted(this.local.host, this.remote.host)) return;
    if (this.#incoming.bytes > 0) {
      const first = this.#incoming.first();
      const length = Math.min(first.length, this.#wires.chunkBytes(LARGEST_CHUNK_BYTES));
      const chunk = first.slice(0, length);
      this.#incoming.taken(length);
      this.handler.data(chunk);
      chunk.fill(POISON);
      this.peer.#wireHasRoom();
    }
    if (this.#incoming.bytes === 0 && this.#peerEnded) this.#close(null);
    else this.#deliverSoon();
  }

  #wireHasRoom(): void {
    if (this.#closed || !this.life.alive) return;
    if (this.#buffered.bytes > 0) this.#send();
    this.#finishIfSent();
    if (!this.#full || this.#ending || this.#buffered.bytes >= LOW_WATER_BYTES) return;
    this.#full = false;
    this.#wires.soon(this.life, () => {
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
    this.#wires.forget(this);
    this.#wires.soon(this.life, () => this.handler.close(error));
    // As a runtime without half-open connections does, the other end follows.
    if (error === null) this.peer.#hearEnd();
  }
}
