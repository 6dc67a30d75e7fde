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

  /** Looks at one message; the positions hold until the next. */
  scan(message: StoredMessage): void {
    const { bytes } = message;
    const { starts } = this;
    // Int32, whatever the entry's position was computed from: indexes that may be doubles are several times as slow.
    const propertiesEnd = message.propertiesEnd | 0;
    this.bytes = bytes;
    for (let i = 0; i < starts.length; i++) starts[i] = -1;
    let p = message.propertiesStart | 0;
    while (p < propertiesEnd) {
      const name = p;
      let byte = 0;
      while (p < propertiesEnd && (byte = bytes[p]) !== NAME_END && byte !== VALUE_END) p++;
      const nameEnd = p;
      if (byte === NAME_END) {
        while (p < propertiesEnd && bytes[p] !== VALUE_END) p++;
        if (nameEnd > name && p > nameEnd + 1) this.#note(name, nameEnd, p);
      }
      p++;
    }
  }

  #note(name: number, nameEnd: number, valueEnd: number): void {
    const length = nameEnd - name;
    let slot = this.#first[length < LENGTHS ? length : LENGTHS - 1];
    for (; slot >= 0; slot = this.#next[slot]) {
      const wanted = this.#names[slot];
      if (wanted.length !== length) continue;
      let i = 0;
      while (i < length && this.bytes[name + i] === wanted[i]) i++;
      if (i < length) continue;
      this.starts[slot] = nameEnd + 1;
      this.ends[slot] = valueEnd;
      return;
    }
  }
}
