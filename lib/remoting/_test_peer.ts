import type { Connection, Logger, Platform } from "@rmq/platform";
import { FrameDecoder, Header, type OutgoingRequest, Output, writeRequest } from "@rmq/protocol";

/** A frame as a test sees it. */
export interface Seen {
  readonly code: number;
  readonly opaque: number;
  readonly isResponse: boolean;
  readonly isOneway: boolean;
  readonly remark: string | null;
  readonly fields: Map<string, string | null>;
  readonly body: string;
}

/** Log lines of a test. */
export class TestLog implements Logger {
  readonly lines: string[] = [];
  info(message: string): void {
    this.lines.push(message);
  }
  warn(message: string): void {
    this.lines.push(message);
  }
  error(message: string): void {
    this.lines.push(message);
  }
}

/** The bytes of a request. */
export function requestBytes(request: OutgoingRequest, serializeType: 0 | 1 = 0): Uint8Array {
  const out = new Output();
  writeRequest(out, request, serializeType);
  return out.take();
}

/** A peer that sends what bytes it likes and takes apart what comes back. */
export class RawPeer {
  readonly frames: Seen[] = [];
  closed = false;
  unreadable: unknown = null;
  readonly #connection: Connection;
  readonly #decoder = new FrameDecoder();
  readonly #header = new Header();
  #wake: (() => void) | null = null;

  constructor(connection: Connection) {
    this.#connection = connection;
    connection.handler = {
      data: (chunk) => {
        try {
          this.#decoder.push(chunk, (bytes, start, end) => this.#take(bytes, start, end));
        } catch (error) {
          // A TLS alert, for one, is no frame.
          this.unreadable = error;
        }
        this.#woken();
      },
      close: () => {
        this.closed = true;
        this.#woken();
      },
    };
  }

  static async connect(platform: Platform, port: number, tls = false): Promise<RawPeer> {
    const options = { host: "127.0.0.1", port, timeoutMs: 5000 };
    return new RawPeer(await platform.net.connect(tls ? { ...options, tls: { verify: false } } : options));
  }

  get connection(): Connection {
    return this.#connection;
  }

  #take(bytes: Uint8Array, start: number, end: number): void {
    const header = this.#header;
    header.read(bytes, start, end);
    this.frames.push({
      code: header.code,
      opaque: header.opaque,
      isResponse: header.isResponse,
      isOneway: header.isOneway,
      remark: header.remark(),
      fields: header.extEntries(),
      body: new TextDecoder().decode(bytes.subarray(header.bodyStart, header.bodyEnd)),
    });
  }

  send(bytes: Uint8Array): void {
    this.#connection.write(bytes.slice());
  }

  request(request: OutgoingRequest, serializeType: 0 | 1 = 0): void {
    this.send(requestBytes(request, serializeType));
  }

  /** The first `count` frames, once they are there. */
  async received(count: number): Promise<Seen[]> {
    await this.until(() => this.frames.length >= count || this.closed);
    if (this.frames.length < count) throw new Error(`closed after ${this.frames.length} of ${count} frames`);
    return this.frames;
  }

  gone(): Promise<void> {
    return this.until(() => this.closed);
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#wake = resolve);
  }

  #woken(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }

  close(): void {
    this.#connection.destroy();
  }
}

/** Joins byte arrays. */
export function bytesOf(...parts: (Uint8Array | readonly number[] | string)[]): Uint8Array {
  const all = parts.map((part) => typeof part === "string" ? new TextEncoder().encode(part) : Uint8Array.from(part));
  const bytes = new Uint8Array(all.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of all) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
