/** Size of the pieces that a simulated file is kept and charged in. */
export const PAGE_BYTES = 4096;

/** Bytes by position, where what was never written is zero and costs nothing. */
export class Pages {
  readonly #pages = new Map<number, Uint8Array>();

  get count(): number {
    return this.#pages.size;
  }

  /** How many pages a write there would add. */
  missing(position: number, length: number): number {
    let missing = 0;
    for (let page = Math.floor(position / PAGE_BYTES); page * PAGE_BYTES < position + length; page++) {
      if (!this.#pages.has(page)) missing++;
    }
    return missing;
  }

  write(bytes: Uint8Array, position: number): void {
    for (let done = 0; done < bytes.length;) {
      const index = Math.floor((position + done) / PAGE_BYTES);
      const from = position + done - index * PAGE_BYTES;
      const count = Math.min(PAGE_BYTES - from, bytes.length - done);
      let page = this.#pages.get(index);
      if (page === undefined) this.#pages.set(index, page = new Uint8Array(PAGE_BYTES));
      page.set(bytes.subarray(done, done + count), from);
      done += count;
    }
  }

  /** Fills `into` with what stands at `position`. */
  read(into: Uint8Array, position: number): void {
    for (let done = 0; done < into.length;) {
      const index = Math.floor((position + done) / PAGE_BYTES);
      const from = position + done - index * PAGE_BYTES;
      const count = Math.min(PAGE_BYTES - from, into.length - done);
      const page = this.#pages.get(index);
      if (page === undefined) into.fill(0, done, done + count);
      else into.set(page.subarray(from, from + count), done);
      done += count;
    }
  }

  /** Forgets all from `length` on. */
  cut(length: number): void {
    const first = Math.floor(length / PAGE_BYTES);
    // Few pages and a far end, or many pages and a near one: going through what there is suits both.
    for (const index of [...this.#pages.keys()]) {
      if (index > first || (index === first && length % PAGE_BYTES === 0)) this.#pages.delete(index);
    }
    this.#pages.get(first)?.fill(0, length - first * PAGE_BYTES);
  }

  copy(): Pages {
    const copy = new Pages();
    for (const [index, page] of this.#pages) copy.#pages.set(index, page.slice());
    return copy;
  }
}
