const COMPACT_AT = 1024;
const nothing = new Uint8Array(0);

/** Buffers that wait for a socket, in order. */
export class WriteQueue {
  /** What waits, in bytes. */
  bytes = 0;
  readonly #buffers: Uint8Array[] = [];
  #from = 0;

  push(buffer: Uint8Array): void {
    if (buffer.length === 0) return;
    this.#buffers.push(buffer);
    this.bytes += buffer.length;
  }

  /** The oldest buffer; there must be one. */
  first(): Uint8Array {
    return this.#buffers[this.#from];
  }

  /** `count` bytes of the oldest buffer are gone. */
  taken(count: number): void {
    const first = this.first();
    this.bytes -= count;
    if (count < first.length) {
      this.#buffers[this.#from] = first.subarray(count);
      return;
    }
    // Lets go of the buffer now; the slots in front are given back in larger steps.
    this.#buffers[this.#from++] = nothing;
    if (this.#from === this.#buffers.length) this.clear();
    else if (this.#from >= COMPACT_AT) {
      this.#buffers.splice(0, this.#from);
      this.#from = 0;
    }
  }

  clear(): void {
    this.#buffers.length = 0;
    this.#from = 0;
    this.bytes = 0;
  }
}
