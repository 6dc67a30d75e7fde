import { platformError } from "../errors.ts";
import { plainHost } from "../plain_host.ts";
import type { Address, Connection, ConnectionHandler, PlatformError } from "../types.ts";
import { HIGH_WATER_BYTES, LOW_WATER_BYTES } from "../water_marks.ts";
import { WriteQueue } from "../write_queue.ts";
import { type BunSocket, nobody, type SocketOwner } from "./socket.ts";

const unset: ConnectionHandler = { data: () => {}, close: () => {} };

/**
 * One of Bun's own sockets as a Connection: faster and smaller than its `node:net` (the macro bench of connections
 * tells). What the kernel does not take at once waits here.
 */
export class BunConnection implements Connection, SocketOwner {
  readonly local: Address;
  readonly remote: Address;
  readonly encrypted: boolean;
  readonly copiesWrites = true;
  handler: ConnectionHandler = unset;
  readonly #socket: BunSocket;
  #queue: WriteQueue | null = null;
  #full = false;
  #ending = false;
  #gone = false;
  #failure: PlatformError | null = null;

  constructor(socket: BunSocket, encrypted: boolean) {
    this.#socket = socket;
    this.encrypted = encrypted;
    this.local = { host: plainHost(socket.localAddress), port: socket.localPort };
    this.remote = { host: plainHost(socket.remoteAddress), port: socket.remotePort };
    socket.data = this;
  }

  get bufferedBytes(): number {
    return this.#queue === null ? 0 : this.#queue.bytes;
  }

  write(bytes: Uint8Array): boolean {
    if (this.#ending || this.#gone) return !this.#full;
    let queue = this.#queue;
    if (queue === null || queue.bytes === 0) {
      const taken = Math.max(0, this.#socket.write(bytes));
      if (taken === bytes.length) return true;
      queue = this.#queue ??= new WriteQueue();
      queue.push(taken === 0 ? bytes : bytes.subarray(taken));
    } else {
      queue.push(bytes);
    }
    if (queue.bytes > HIGH_WATER_BYTES) this.#full = true;
    return !this.#full;
  }

  pause(): void {
    if (!this.#gone) this.#socket.pause();
  }

  resume(): void {
    if (!this.#gone) this.#socket.resume();
  }

  end(): void {
    if (this.#ending || this.#gone) return;
    this.#ending = true;
    if (this.bufferedBytes === 0) this.#socket.end();
  }

  destroy(): void {
    if (this.#gone) return;
    this.#ending = true;
    this.#queue = null;
    this.#socket.terminate();
  }

  /** Gives the bare socket away; this object is not used afterwards. */
  detach(): BunSocket {
    this.#gone = true;
    this.#socket.data = nobody;
    return this.#socket;
  }

  received(chunk: Uint8Array): void {
    this.handler.data(chunk);
  }

  drained(): void {
    const queue = this.#queue;
    if (queue === null) return;
    while (queue.bytes > 0) {
      const first = queue.first();
      const taken = Math.max(0, this.#socket.write(first));
      queue.taken(taken);
      if (taken < first.length) break;
    }
    if (this.#full && !this.#ending && queue.bytes < LOW_WATER_BYTES) {
      this.#full = false;
      this.handler.drain?.();
    }
    if (queue.bytes > 0) return;
    this.#queue = null;
    if (this.#ending && !this.#gone) this.#socket.end();
  }

  failed(error: Error): void {
    this.#failure ??= platformError(error);
  }

  closed(error?: Error): void {
    if (this.#gone) return;
    if (error) this.failed(error);
    this.#gone = true;
    this.#queue = null;
    this.handler.close(this.#failure);
  }
}
