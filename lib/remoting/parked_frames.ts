import type { Header } from "@rmq/protocol";

/** A request that waits for another try. */
export interface ParkedFrame {
  /** The whole frame, our own copy. */
  readonly bytes: Uint8Array;
  readonly code: number;
  readonly opaque: number;
  readonly oneway: boolean;
  readonly sinceMs: number;
}

/** The parked requests of one connection, oldest first. */
export class ParkedFrames {
  readonly #frames: ParkedFrame[] = [];
  /** How many frames are parked for each code: later ones of such a code must not overtake them. */
  readonly #codes = new Map<number, number>();
  bytes = 0;

  get count(): number {
    return this.#frames.length;
  }

  get first(): ParkedFrame | null {
    return this.#frames[0] ?? null;
  }

  has(code: number): boolean {
    return this.#codes.has(code);
  }

  /** Returns the bytes that it took. */
  add(header: Header, bytes: Uint8Array, start: number, end: number, sinceMs: number): number {
    const { code, opaque, isOneway } = header;
    this.#frames.push({ bytes: bytes.slice(start, end), code, opaque, oneway: isOneway, sinceMs });
    this.#codes.set(code, (this.#codes.get(code) ?? 0) + 1);
    this.bytes += end - start;
    return end - start;
  }

  /** Returns the bytes that it gave back. */
  removeFirst(): number {
    const frame = this.#frames.shift();
    if (frame === undefined) return 0;
    this.bytes -= frame.bytes.length;
    const left = this.#codes.get(frame.code)! - 1;
    if (left === 0) this.#codes.delete(frame.code);
    else this.#codes.set(frame.code, left);
    return frame.bytes.length;
  }
}
