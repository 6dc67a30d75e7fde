/** Something that is found by the bytes of its name. */
export interface Named {
  /** UTF-8. */
  readonly nameBytes: Uint8Array;
}

/** FNV-1a over the bytes, as an unsigned 32-bit number. */
function hash(bytes: Uint8Array, start: number, end: number): number {
  let h = 0x811c9dc5;
  for (let i = start; i < end; i++) h = Math.imul(h ^ bytes[i], 0x01000193);
  return h >>> 0;
}

/**
 * Values by the bytes of their names, so that a name in a request is looked up without making a string of it.
 * Open addressing with linear probing; at most half full.
 */
export class ByteNames<T extends Named> {
  #slots: (T | null)[] = new Array<T | null>(64).fill(null);
  #size = 0;

  /** How many names are known. */
  get size(): number {
    return this.#size;
  }

  /** The value whose name is `bytes[start, end)`, or null. */
  find(bytes: Uint8Array, start: number, end: number): T | null {
    const mask = this.#slots.length - 1;
    const length = end - start;
    for (let i = hash(bytes, start, end) & mask;; i = (i + 1) & mask) {
      const value = this.#slots[i];
      if (value === null) return null;
      const name = value.nameBytes;
      if (name.length !== length) continue;
      let at = 0;
      while (at < length && name[at] === bytes[start + at]) at++;
      if (at === length) return value;
    }
  }

  /** Adds a value whose name is not there yet. */
  add(value: T): void {
    if ((this.#size + 1) * 2 > this.#slots.length) this.#rebuild(this.#slots.length * 2);
    this.#place(value);
    this.#size++;
  }

  /** Takes a value out; one that is not there is no error. */
  remove(value: T): void {
    const mask = this.#slots.length - 1;
    let hole = hash(value.nameBytes, 0, value.nameBytes.length) & mask;
    while (this.#slots[hole] !== value) {
      if (this.#slots[hole] === null) return;
      hole = (hole + 1) & mask;
    }
    this.#size--;
    // Entries behind the hole move up unless that would put them before their own slot.
    for (let i = (hole + 1) & mask; this.#slots[i] !== null; i = (i + 1) & mask) {
      const moved = this.#slots[i] as T;
      const home = hash(moved.nameBytes, 0, moved.nameBytes.length) & mask;
      if (((i - home) & mask) >= ((i - hole) & mask)) {
        this.#slots[hole] = moved;
        hole = i;
      }
    }
    this.#slots[hole] = null;
  }

  #place(value: T): void {
    const mask = this.#slots.length - 1;
    let i = hash(value.nameBytes, 0, value.nameBytes.length) & mask;
    while (this.#slots[i] !== null) i = (i + 1) & mask;
    this.#slots[i] = value;
  }

  #rebuild(length: number): void {
    const old = this.#slots;
    this.#slots = new Array<T | null>(length).fill(null);
    for (const value of old) if (value !== null) this.#place(value);
  }
}
