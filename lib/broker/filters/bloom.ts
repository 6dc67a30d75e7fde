import { murmur3 } from "./murmur.ts";

/** `BloomFilterData`: which bits of how many stand for a consumer. */
export interface BloomData {
  readonly bitNum: number;
  readonly bitPos: readonly number[];
}

const encoder = new TextEncoder();

/**
 * The bits that Apache's `BloomFilter` gives each consumer with a filter. Nothing here looks at them: they are kept for a
 * Java broker that goes on with the directory, which forgets all filters when their bits are not as it makes them.
 */
export class Bloom {
  readonly #hashes: number;
  readonly #bits: number;

  /** Percent of wrong hits, and consumers expected (`maxErrorRateOfBloomFilter`, `expectConsumerNumUseFilter`). */
  constructor(errorPercent: number, consumers: number) {
    const rate = errorPercent / 100;
    this.#hashes = Math.ceil(logarithm(0.5, rate));
    const bits = Math.ceil(consumers * logarithm(2, 1 / rate) * logarithm(2, Math.E));
    this.#bits = 8 * Math.ceil(bits / 8);
  }

  /** The bits of a consumer group in a topic. */
  of(group: string, topic: string): BloomData {
    const [second, first] = murmur3(encoder.encode(`${group}#${topic}`));
    const bitPos: number[] = [];
    for (let i = 1; i <= this.#hashes; i++) {
      const hash = (first + Math.imul(i, second)) | 0;
      bitPos.push((hash < 0 ? ~hash : hash) % this.#bits);
    }
    return { bitNum: this.#bits, bitPos };
  }
}

function logarithm(base: number, of: number): number {
  return Math.log(of) / Math.log(base);
}
