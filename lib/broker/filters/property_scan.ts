import type { StoredMessage } from "@rmq/protocol";

const NAME_END = 0x01;
const VALUE_END = 0x02;
/** Longer names are found as well, all by the same list. */
const LENGTHS = 64;

const encoder = new TextEncoder();

/**
 * Finds the values of some properties in one pass over a message's property text: by position, without an object a
 * message. A later pair of the same name replaces an earlier one, and pairs without a name or a value do not count, as
 * in `MessageDecoder.string2messageProperties`.
 */
export class PropertyScan {
  /** What the positions count in. */
  bytes: Uint8Array = new Uint8Array(0);
  /** Start of each value, by slot; -1: the message has no such property. */
  readonly starts: Int32Array;
  /** Behind each value. */
  readonly ends: Int32Array;
  readonly #names: readonly Uint8Array[];
  /** First slot whose name has that length (LENGTHS − 1 and above share one list), -1: none. */
  readonly #first = new Int32Array(LENGTHS).fill(-1);
  readonly #next: Int32Array;

  /** The property of `names[i]` has slot i. */
  constructor(names: readonly string[]) {
    this.#names = names.map((name) => encoder.encode(name));
    this.starts = new Int32Array(names.length);
    this.ends = new Int32Array(names.length);
    this.#next = new Int32Array(names.length);
    this.#names.forEach((name, slot) => {
      const list = Math.min(name.length, LENGTHS - 1);
      this.#next[slot] = this.#first[list];
      this.#first[list] = slot;
    });
  }

  /**
   * Looks at one message; the positions hold until the next. From the end, so that the pair that counts is met first and
   * the rest need not be looked at once all are found.
   */
  scan(message: StoredMessage): void {
    const { bytes } = message;
    const { starts } = this;
    this.bytes = bytes;
    let missing = starts.length;
    for (let i = 0; i < missing; i++) starts[i] = -1;
    // Int32, whatever the entry's position was computed from: indexes that may be doubles are several times as slow.
    const first = message.propertiesStart | 0;
    let end = message.propertiesEnd | 0;
    // The first NAME_END of the pair that is being gone through.
    let nameEnd = -1;
    for (let p = end - 1; p >= first && missing > 0; p--) {
      const byte = bytes[p];
      if (byte > VALUE_END) continue;
      if (byte === NAME_END) nameEnd = p;
      else if (byte === VALUE_END) {
        if (nameEnd >= 0 && this.#note(p + 1, nameEnd, end)) missing--;
        end = p;
        nameEnd = -1;
      }
    }
    if (missing > 0 && nameEnd >= 0) this.#note(first, nameEnd, end);
  }

  /** True: a property that was missing so far. */
  #note(name: number, nameEnd: number, valueEnd: number): boolean {
    const length = nameEnd - name;
    if (length === 0 || valueEnd === nameEnd + 1) return false;
    let slot = this.#first[length < LENGTHS ? length : LENGTHS - 1];
    for (; slot >= 0; slot = this.#next[slot]) {
      const wanted = this.#names[slot];
      if (wanted.length !== length) continue;
      let i = 0;
      while (i < length && this.bytes[name + i] === wanted[i]) i++;
      if (i < length) continue;
      if (this.starts[slot] >= 0) return false;
      this.starts[slot] = nameEnd + 1;
      this.ends[slot] = valueEnd;
      return true;
    }
    return false;
  }
}
