/** How a half message ended. OTHERWISE: an op message says that it did, but not how. */
export const Ended = { OPEN: 0, COMMITTED: 1, ROLLED_BACK: 2, OTHERWISE: 3 } as const;

/** Half messages of one page, two bits each. */
const PAGE = 1024;
const PAGE_BYTES = PAGE / 4;
/** Pages that may be kept: 64 million half messages. Ends beyond are forgotten, and their messages checked once more. */
const MAX_PAGES = 65536;

interface Page {
  readonly bits: Uint8Array;
  /** Half offset that must be passed before the page may go. */
  until: number;
}

/**
 * Which half messages have ended, by their offset in the half queue: two bits for each from the oldest open one on.
 * Pages go when all of the queue that could ask for them was passed.
 */
export class EndedHalves {
  readonly #pages = new Map<number, Page>();

  /** Notes an end. The note stays at least until half offset `until` is passed. False: no room. */
  note(offset: number, how: number, until: number): boolean {
    const number = Math.floor(offset / PAGE);
    let page = this.#pages.get(number);
    if (page === undefined) {
      if (this.#pages.size >= MAX_PAGES) return false;
      this.#pages.set(number, page = { bits: new Uint8Array(PAGE_BYTES), until: 0 });
    }
    const at = offset - number * PAGE;
    page.bits[at >> 2] = page.bits[at >> 2] & ~(3 << ((at & 3) * 2)) | how << ((at & 3) * 2);
    page.until = Math.max(page.until, until);
    return true;
  }

  /** One of {@link Ended}. */
  get(offset: number): number {
    const number = Math.floor(offset / PAGE);
    const page = this.#pages.get(number);
    if (page === undefined) return Ended.OPEN;
    const at = offset - number * PAGE;
    return page.bits[at >> 2] >> ((at & 3) * 2) & 3;
  }

  /** First offset from `from` on, below `limit`, that has not ended; else `limit`. */
  nextOpen(from: number, limit: number): number {
    let offset = from;
    while (offset < limit && this.get(offset) !== Ended.OPEN) offset++;
    return offset;
  }

  /** Everything below `halfOffset` was looked at. */
  passed(halfOffset: number): void {
    for (const [number, page] of this.#pages) {
      if ((number + 1) * PAGE <= halfOffset && page.until <= halfOffset) this.#pages.delete(number);
    }
  }

  /** Pages kept. */
  get pages(): number {
    return this.#pages.size;
  }
}
