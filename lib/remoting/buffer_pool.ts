import type { BufferSource } from "@rmq/protocol";

const MAX_BUFFERS = 16;
const MIN_BYTES = 16 * 1024;
const MAX_BYTES = 1024 * 1024;

/**
 * Buffers of answers that have left, for the answers of the next turns. Fresh memory for each turn's answers costs more
 * than writing them (bench/micro/remoting.ts). Bounded: 16 buffers of at most 1 MiB for all connections together.
 */
export class BufferPool implements BufferSource {
  readonly #spare: Uint8Array[] = [];

  take(): Uint8Array | null {
    return this.#spare.pop() ?? null;
  }

  /** Takes back a buffer, or a view of one, that nobody reads any more. */
  give(bytes: Uint8Array): void {
    const size = bytes.buffer.byteLength;
    if (size < MIN_BYTES || size > MAX_BYTES || this.#spare.length >= MAX_BUFFERS) return;
    this.#spare.push(new Uint8Array(bytes.buffer));
  }
}
