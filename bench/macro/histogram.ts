/** Latencies in logarithmic buckets: 64 for each power of two, so that a percentile is within 2 %. */
const SUB_BITS = 6;
const SUB = 1 << SUB_BITS;

export class Histogram {
  readonly #counts = new Float64Array(SUB * 26);
  #total = 0;
  #max = 0;

  /** `micros` at least 0; beyond half an hour it counts as that. */
  record(micros: number): void {
    const value = micros > 0x7fffffff ? 0x7fffffff : micros | 0;
    const shift = value < SUB ? 0 : 31 - Math.clz32(value) - SUB_BITS + 1;
    this.#counts[shift === 0 ? value : (shift << (SUB_BITS - 1)) + (value >>> shift)]++;
    this.#total++;
    if (value > this.#max) this.#max = value;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#total = 0;
    this.#max = 0;
  }

  /** Microseconds, the upper end of the bucket in which the percentile lies; 0 when nothing was recorded. */
  percentile(percent: number): number {
    const rank = Math.ceil(this.#total * percent / 100);
    let seen = 0;
    for (let i = 0; i < this.#counts.length; i++) {
      seen += this.#counts[i];
      if (seen >= rank && seen > 0) return Math.min(upperEnd(i), this.#max);
    }
    return this.#max;
  }

  get max(): number {
    return this.#max;
  }
}

function upperEnd(index: number): number {
  if (index < SUB) return index;
  const shift = (index >> (SUB_BITS - 1)) - 1;
  return (((index - (shift << (SUB_BITS - 1))) + 1) * 2 ** shift) - 1;
}
