import { encodeUtf8 } from "./_bytes.ts";

/** Turns the bytes of a name into its number, by a hash that is fitted to the set of names. */
export class NameLookup {
  readonly names: readonly Uint8Array[];
  /** Number by hash, -1 empty; a collision goes to the next place. */
  readonly #table: Int8Array;
  readonly #mask: number;
  readonly #seed: number;

  constructor(names: readonly string[]) {
    this.names = names.map(encodeUtf8);
    let size = 16;
    while (size < names.length * 4) size *= 2;
    this.#mask = size - 1;
    this.#seed = this.#bestSeed(size);
    this.#table = this.#fill(this.#seed, size).table;
  }

  #bestSeed(size: number): number {
    let best = 1;
    let fewest = Infinity;
    for (let seed = 1; seed < 64 && fewest > 0; seed += 2) {
      const { collisions } = this.#fill(seed, size);
      if (collisions < fewest) {
        fewest = collisions;
        best = seed;
      }
    }
    return best;
  }

  #fill(seed: number, size: number): { table: Int8Array; collisions: number } {
    const table = new Int8Array(size).fill(-1);
    let collisions = 0;
    this.names.forEach((name, number) => {
      let place = hash(name, 0, name.length, seed) & (size - 1);
      for (; table[place] >= 0; collisions++) place = (place + 1) & (size - 1);
      table[place] = number;
    });
    return { table, collisions };
  }

  /** Number of the name bytes[start, end), or -1. */
  find(bytes: Uint8Array, start: number, end: number): number {
    let place = hash(bytes, start, end, this.#seed) & this.#mask;
    for (;;) {
      const number = this.#table[place];
      if (number < 0 || isName(this.names[number], bytes, start, end)) return number;
      place = (place + 1) & this.#mask;
    }
  }
}

function hash(bytes: Uint8Array, start: number, end: number, seed: number): number {
  if (start >= end) return 0;
  const length = end - start;
  return length + bytes[start] * seed + bytes[end - 1] * 7 + bytes[start + (length >> 1)] * 3;
}

function isName(name: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (name.length !== end - start) return false;
  for (let i = 0; i < name.length; i++) if (bytes[start + i] !== name[i]) return false;
  return true;
}
