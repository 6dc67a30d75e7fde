import type { Connection } from "@rmq/platform";
import { FrameDecoder, type TakeFrame } from "@rmq/protocol";
import { plainBytes } from "./plain_bytes.ts";

/** Why a socket is not read at present; more than one may hold. */
export const PARKED = 1;
/** The peer does not read what we wrote. */
export const UNREAD = 2;

const NOTHING = new Uint8Array(0);

/** What comes in on one connection: cut into frames, and stopped and restarted. */
export class Intake {
  readonly #socket: Connection;
  readonly #decoder: FrameDecoder;
  readonly #take: TakeFrame;
  readonly #failed: (error: unknown) => void;
  /** PARKED | UNREAD; 0 reads. */
  #stops = 0;
  #closed = false;
  #decoding = false;
  /** Chunks that came although the socket was paused. */
  #held: Uint8Array[] | null = null;

  /** `take` gets each frame while reading is on; `failed` whatever it or the decoder threw. */
  constructor(socket: Connection, maxFrameLength: number, take: TakeFrame, failed: (error: unknown) => void) {
    this.#socket = socket;
    this.#decoder = new FrameDecoder(maxFrameLength);
    this.#take = take;
    this.#failed = failed;
  }

  /** Whether frames may be delivered. */
  get open(): boolean {
    return this.#stops === 0 && !this.#closed;
  }

  stoppedFor(reason: number): boolean {
    return (this.#stops & reason) !== 0;
  }

  push(chunk: Uint8Array): void {
    const bytes = plainBytes(chunk);
    if (this.#stops !== 0 || this.#decoding) (this.#held ??= []).push(bytes.slice());
    else this.#decode(bytes);
  }

  stop(reason: number): void {
    if (this.#stops === 0) this.#socket.pause();
    this.#stops |= reason;
  }

  /** Takes a reason back; with the last one, what was held is delivered before the socket is read again. */
  go(reason: number): void {
    if ((this.#stops & reason) === 0) return;
    this.#stops &= ~reason;
    if (!this.open) return;
    if (!this.#decoding) this.#decodeHeld();
    if (this.open) this.#socket.resume();
  }

  close(): void {
    this.#closed = true;
    this.#held = null;
  }

  #decodeHeld(): void {
    this.#decode(NOTHING);
    while (this.open && this.#held !== null) {
      const chunk = this.#held.shift();
      if (chunk === undefined) this.#held = null;
      else this.#decode(chunk);
    }
  }

  #decode(chunk: Uint8Array): void {
    this.#decoding = true;
    try {
      this.#decoder.push(chunk, this.#take);
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#decoding = false;
    }
  }
}
