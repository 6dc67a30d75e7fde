/** Op messages that are counted together. */
const CHUNK = 64;

/**
 * How much of the op queue is still needed: an op message is done with when every half message that it ends was passed.
 * Counted in chunks, so that memory stays small; what Apache's broker then reads once more does no harm.
 */
export class OpProgress {
  /** Highest half offset that must be passed, by chunk. */
  readonly #needs = new Map<number, number>();
  #end: number;
  #offset: number;

  /** `offset`: everything below is done with. */
  constructor(offset: number) {
    this.#offset = this.#end = offset;
  }

  /** First op offset that is still needed. */
  get offset(): number {
    return this.#offset;
  }

  /** The op message at `opOffset` is needed until the half offset `until` is passed. */
  note(opOffset: number, until: number): void {
    const chunk = Math.floor(opOffset / CHUNK);
    this.#needs.set(chunk, Math.max(this.#needs.get(chunk) ?? 0, until));
    this.#end = Math.max(this.#end, opOffset + 1);
  }

  /** Everything of the half queue below `halfOffset` was looked at; true: the offset moved. */
  passed(halfOffset: number): boolean {
    const before = this.#offset;
    while (this.#offset < this.#end) {
      const chunk = Math.floor(this.#offset / CHUNK);
      if ((this.#needs.get(chunk) ?? 0) > halfOffset) break;
      this.#offset = Math.min((chunk + 1) * CHUNK, this.#end);
      if (this.#offset === (chunk + 1) * CHUNK) this.#needs.delete(chunk);
    }
    return this.#offset > before;
  }
}
