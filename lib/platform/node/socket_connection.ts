import type { Socket } from "node:net";
import { platformError } from "../errors.ts";
import { plainHost } from "../plain_host.ts";
import type { Address, Connection, ConnectionHandler, PlatformError } from "../types.ts";
import { HIGH_WATER_BYTES, LOW_WATER_BYTES } from "../water_marks.ts";
import { WriteQueue } from "../write_queue.ts";

// What the runtime's stream holds at once: it reports progress per write, so a bound keeps `bufferedBytes` true.
const STREAM_BYTES = 256 * 1024;

const owner = Symbol("connection");
type OwnedSocket = Socket & { [owner]: SocketConnection };

const unset: ConnectionHandler = { data: () => {}, close: () => {} };

/** A `node:net` or `node:tls` socket as a Connection. */
export class SocketConnection implements Connection {
  readonly local: Address;
  readonly remote: Address;
  readonly encrypted: boolean;
  readonly copiesWrites = false;
  handler: ConnectionHandler = unset;
  readonly #socket: OwnedSocket;
  readonly #waiting: WriteQueue = new WriteQueue();
  #full = false;
  #ending = false;
  #finishing = false;
  #failure: PlatformError | null = null;
  readonly #written = (): void => this.#progress();

  constructor(socket: Socket, encrypted: boolean) {
    this.#socket = socket as OwnedSocket;
    this.encrypted = encrypted;
    this.local = { host: plainHost(socket.localAddress), port: socket.localPort ?? 0 };
    this.remote = { host: plainHost(socket.remoteAddress), port: socket.remotePort ?? 0 };
    this.#socket[owner] = this;
    socket.setNoDelay(true);
    // Shared functions: ten thousand idle connections hold no closures.
    socket.on("data", onData);
    socket.on("error", onError);
    socket.on("close", onClose);
  }

  get bufferedBytes(): number {
    return this.#waiting.bytes + this.#socket.writableLength;
  }

  write(bytes: Uint8Array): boolean {
    const socket = this.#socket;
    if (this.#ending || socket.destroyed || bytes.length === 0) return !this.#full;
    const inStream = socket.writableLength;
    if (this.#waiting.bytes === 0 && inStream + bytes.length <= STREAM_BYTES) {
      socket.write(bytes, this.#written);
    } else {
      this.#waiting.push(bytes);
      if (inStream < STREAM_BYTES) this.#feed();
    }
    if (this.bufferedBytes > HIGH_WATER_BYTES) this.#full = true;
    return !this.#full;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    if (this.#ending) return;
    this.#ending = true;
    if (this.#waiting.bytes === 0) this.#finish();
  }

  destroy(): void {
    this.#ending = true;
    this.#waiting.clear();
    this.#socket.destroy();
  }

  /** Gives the bare socket away, paused and without listeners, with `first` to be read again; not used afterwards. */
  detach(first: Uint8Array): Socket {
    const socket = this.#socket;
    socket.pause();
    socket.removeListener("data", onData);
    socket.removeListener("error", onError);
    socket.removeListener("close", onClose);
    if (first.length > 0) socket.unshift(first);
    return socket;
  }

  received(chunk: Uint8Array): void {
    this.handler.data(chunk);
  }

  failed(error: Error): void {
    this.#failure ??= platformError(error);
  }

  closed(): void {
    this.#ending = true;
    this.#waiting.clear();
    this.handler.close(this.#failure);
  }

  #progress(): void {
    if (this.#waiting.bytes > 0) this.#feed();
    if (this.#full && !this.#ending && this.bufferedBytes < LOW_WATER_BYTES) {
      this.#full = false;
      this.handler.drain?.();
    }
    if (this.#ending && this.#waiting.bytes === 0) this.#finish();
  }

  #finish(): void {
    if (this.#finishing || this.#socket.destroyed) return;
    this.#finishing = true;
    this.#socket.destroySoon();
  }

  #feed(): void {
    const socket = this.#socket;
    const waiting = this.#waiting;
    while (waiting.bytes > 0 && !socket.destroyed) {
      const room = STREAM_BYTES - socket.writableLength;
      if (room <= 0) return;
      const first = waiting.first();
      const part = first.length <= room ? first : first.subarray(0, room);
      waiting.taken(part.length);
      socket.write(part, this.#written);
    }
  }
}

function onData(this: Socket, chunk: Uint8Array): void {
  (this as OwnedSocket)[owner].received(chunk);
}

function onError(this: Socket, error: Error): void {
  (this as OwnedSocket)[owner].failed(error);
}

function onClose(this: Socket): void {
  (this as OwnedSocket)[owner].closed();
}
