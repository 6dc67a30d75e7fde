import { decodeUtf8, EMPTY, encodeUtf8, hexDigit } from "./_bytes.ts";
import { NameLookup } from "./_name_lookup.ts";
import { unescapeTo } from "./_unescape.ts";
import type { Header } from "./header.ts";
import { propertyNames } from "./known_property.ts";
import { copyPlain, escapeEnd, isLowEscape, positionsIn } from "./_property_text.ts";

const SEPARATOR = 0x01;
const END = 0x02;
const BACKSLASH = 0x5c;
const DEAD = -2;
const CHAINS = 256;
const LONGEST_CHAIN = 64;

const known = new NameLookup(propertyNames);

/** `name 0x01 value 0x02` as bytes, to be encoded once at load and given to `appendEncoded`. */
export function encodeProperty(name: string, value: string): Uint8Array {
  return encodeUtf8(`${name}\x01${value}\x02`);
}

/**
 * The properties of one message as the text that is stored: `name 0x01 value 0x02 …`, each pair ended, each name once.
 * Reusable; known names are found in one pass while the text is read (remoting sheet §11.2).
 */
export class Properties {
  /** The text lies in bytes[0, length). */
  bytes: Uint8Array = EMPTY;
  /** Bytes of the text. */
  length = 0;
  /** A name or a value had a NUL. */
  hasNul = false;
  #count = 0;
  #dead = 0;
  /** Per entry: its name's start, its value's start and end, its known number (-1 another, -2 replaced). */
  #names = new Int32Array(16);
  #values = new Int32Array(16);
  #ends = new Int32Array(16);
  #numbers = new Int8Array(16);
  /** Entry of each known name, -1 for none. */
  readonly #entryOf = new Int32Array(propertyNames.length).fill(-1);
  /** Entries of other names, chained by hash, so that the last of a name wins; made when needed. */
  #chains: Int32Array | null = null;
  #chained = false;
  #next = new Int32Array(0);
  #view: Uint8Array = EMPTY;
  #pairs: Uint8Array = EMPTY;
  #pairPositions: Int32Array = new Int32Array(0);

  /** Removes everything. */
  clear(): void {
    for (let i = 0; i < this.#count; i++) if (this.#numbers[i] >= 0) this.#entryOf[this.#numbers[i]] = -1;
    if (this.#chained) (this.#chains as Int32Array).fill(-1);
    this.#chained = false;
    this.#count = this.#dead = this.length = 0;
    this.hasNul = false;
  }

  /** Takes over the field `properties` (`i`) of a send request, unescaping on the way. Absent: empty. */
  readHeader(header: Header, field: number): void {
    this.clear();
    if (header.has(field)) {
      this.#read(header.valueBytes, header.start(field), header.end(field), header.escaped(field));
    }
  }

  /** Takes over raw property text bytes[start, end). */
  readText(bytes: Uint8Array, start: number, end: number): void {
    this.clear();
    this.#read(bytes, start, end, false);
  }

  /** Takes over property text without looking at it: nothing is found by name until it is read otherwise. */
  copyRaw(bytes: Uint8Array, start: number, end: number): void {
    this.clear();
    this.#room(end - start);
    this.bytes.set(bytes.subarray(start, end));
    this.length = end - start;
  }

  /**
   * Takes over property text exactly as it is, also without the last 0x02, as the inner messages of a batch are stored.
   * The first change ends the last pair.
   */
  readVerbatim(bytes: Uint8Array, start: number, end: number): void {
    this.clear();
    const length = end - start;
    this.#room(length + 1);
    this.bytes.set(bytes.subarray(start, end));
    this.length = length;
    let name = 0;
    let separator = -1;
    for (let at = 0; at <= length; at++) {
      const byte = at < length ? this.bytes[at] : END;
      if (byte === 0) this.hasNul = true;
      else if (byte === SEPARATOR && separator < 0) separator = at;
      else if (byte === END) {
        if (separator > name && separator < at - 1) this.#enter(name, separator + 1, at);
        name = at + 1;
        separator = -1;
      }
    }
  }

  /** Copies pair by pair; those that Apache would drop (empty name or value) are overwritten by the next. */
  #read(source: Uint8Array, start: number, end: number, escaped: boolean): void {
    this.#room(end - start + 1);
    const into = this.bytes;
    let at = 0;
    let name = 0;
    let separator = -1;
    for (let p = start; p < end; p++) {
      const plain = copyPlain(source, p, end, into, at);
      at += plain - p;
      p = plain;
      if (p === end) break;
      let byte = source[p];
      if (byte === BACKSLASH) {
        if (!escaped) {
          into[at++] = byte;
          continue;
        }
        if (isLowEscape(source, p)) {
          byte = hexDigit(source[p + 5]);
          p += 5;
        } else {
          const next = escapeEnd(source, p, end);
          at = unescapeTo(source, p, next, into, at);
          p = next - 1;
          continue;
        }
      }
      if (byte > END) into[at++] = byte;
      else if (byte === END) {
        name = this.#close(name, separator, at);
        at = name;
        separator = -1;
      } else {
        if (byte === 0) this.hasNul = true;
        else if (separator < 0) separator = at;
        into[at++] = byte;
      }
    }
    this.length = this.#close(name, separator, at);
    if (this.#dead > 0) this.#compact();
  }

  /** Ends the pair whose name began at `name`; returns where the next begins. */
  #close(name: number, separator: number, at: number): number {
    if (separator <= name || separator >= at - 1) return name;
    this.bytes[at] = END;
    this.#enter(name, separator + 1, at);
    return at + 1;
  }

  /** Notes a pair; an earlier one of the same name is dead. */
  #enter(name: number, value: number, end: number): void {
    this.#enterAs(known.find(this.bytes, name, value - 1), name, value, end);
  }

  #enterAs(number: number, name: number, value: number, end: number): void {
    const entry = this.#count;
    if (entry === this.#names.length) this.#growTable();
    this.#count = entry + 1;
    this.#names[entry] = name;
    this.#values[entry] = value;
    this.#ends[entry] = end;
    this.#numbers[entry] = number;
    if (number >= 0) {
      const before = this.#entryOf[number];
      if (before >= 0) this.#kill(before);
      this.#entryOf[number] = entry;
    } else this.#chain(entry);
  }

  #kill(entry: number): void {
    this.#numbers[entry] = DEAD;
    this.#dead++;
  }

  #growTable(): void {
    const grow = (old: Int32Array<ArrayBuffer>) => {
      const larger = new Int32Array(old.length * 4);
      larger.set(old);
      return larger;
    };
    this.#names = grow(this.#names);
    this.#values = grow(this.#values);
    this.#ends = grow(this.#ends);
    const numbers = new Int8Array(this.#names.length);
    numbers.set(this.#numbers);
    this.#numbers = numbers;
  }

  /** Looks for the same unknown name among the entries of its chain, which is walked no further than LONGEST_CHAIN. */
  #chain(entry: number): void {
    const chains = this.#chains ??= new Int32Array(CHAINS).fill(-1);
    if (this.#next.length < this.#names.length) {
      const next = new Int32Array(this.#names.length);
      next.set(this.#next);
      this.#next = next;
    }
    this.#chained = true;
    const place = this.#hashOf(entry) & (CHAINS - 1);
    const head = chains[place];
    for (let other = head, steps = 0; other >= 0 && steps < LONGEST_CHAIN; other = this.#next[other], steps++) {
      if (this.#numbers[other] === DEAD || !this.#sameName(entry, other)) continue;
      this.#kill(other);
      break;
    }
    this.#next[entry] = head;
    chains[place] = entry;
  }

  #hashOf(entry: number): number {
    let hash = 0;
    for (let i = this.#names[entry]; i < this.#values[entry]; i++) hash = Math.imul(hash, 31) + this.bytes[i];
    return hash ^ (hash >>> 15);
  }

  #sameName(a: number, b: number): boolean {
    const start = this.#names[a];
    const other = this.#names[b];
    const length = this.#values[a] - start;
    if (this.#values[b] - other !== length) return false;
    for (let i = 0; i < length; i++) if (this.bytes[start + i] !== this.bytes[other + i]) return false;
    return true;
  }

  /** Takes dead pairs out of the text and the table. */
  #compact(): void {
    const { bytes } = this;
    const count = this.#count;
    let at = 0;
    let kept = 0;
    if (this.#chained) (this.#chains as Int32Array).fill(-1);
    this.#chained = false;
    for (let i = 0; i < count; i++) {
      const number = this.#numbers[i];
      if (number === DEAD) continue;
      const shift = this.#names[i] - at;
      if (shift > 0) bytes.copyWithin(at, this.#names[i], this.#ends[i] + 1);
      this.#names[kept] = this.#names[i] - shift;
      this.#values[kept] = this.#values[i] - shift;
      this.#ends[kept] = this.#ends[i] - shift;
      this.#numbers[kept] = number;
      if (number >= 0) this.#entryOf[number] = kept;
      at = this.#ends[kept] + 1;
      kept++;
    }
    this.#count = kept;
    this.#dead = 0;
    this.length = at;
  }

  /** Whether a known property is there. */
  has(known: number): boolean {
    return this.#entryOf[known] >= 0;
  }

  /** Start of a known property's value in bytes, -1 when absent. */
  start(known: number): number {
    const entry = this.#entryOf[known];
    return entry < 0 ? -1 : this.#values[entry];
  }

  /** End of a known property's value in bytes, -1 when absent. */
  end(known: number): number {
    const entry = this.#entryOf[known];
    return entry < 0 ? -1 : this.#ends[entry];
  }

  /** Value of a known property, or null. */
  text(known: number): string | null {
    const entry = this.#entryOf[known];
    return entry < 0 ? null : decodeUtf8(this.bytes, this.#values[entry], this.#ends[entry]);
  }

  /** Value of any property, or null. */
  get(name: string): string | null {
    const entry = this.#find(encodeUtf8(name));
    return entry < 0 ? null : decodeUtf8(this.bytes, this.#values[entry], this.#ends[entry]);
  }

  #find(name: Uint8Array): number {
    const number = known.find(name, 0, name.length);
    if (number >= 0) return this.#entryOf[number];
    for (let entry = 0; entry < this.#count; entry++) {
      const start = this.#names[entry];
      if (this.#numbers[entry] !== -1 || this.#values[entry] - 1 - start !== name.length) continue;
      let i = 0;
      while (i < name.length && this.bytes[start + i] === name[i]) i++;
      if (i === name.length) return entry;
    }
    return -1;
  }

  /** Replaces or appends a known property. */
  set(known: number, value: string): void {
    this.setNamed(propertyNames[known], value);
  }

  /** Replaces or appends any property. */
  setNamed(name: string, value: string): void {
    const bytes = encodeUtf8(value);
    this.#put(encodeUtf8(name), bytes, 0, bytes.length);
  }

  /** Replaces or appends a known property by the bytes value[start, end), UTF-8. */
  setBytes(number: number, value: Uint8Array, start: number, end: number): void {
    this.#put(known.names[number], value, start, end);
  }

  #put(name: Uint8Array, value: Uint8Array, start: number, end: number): void {
    // The value may be a view of our own bytes, which the removal moves.
    const source = value.buffer === this.bytes.buffer ? value.slice(start, end) : value.subarray(start, end);
    this.#terminate();
    this.#remove(this.#find(name));
    this.#room(this.length + name.length + source.length + 2);
    const { bytes } = this;
    let at = this.length;
    bytes.set(name, at);
    at += name.length;
    bytes[at++] = SEPARATOR;
    bytes.set(source, at);
    at += source.length;
    bytes[at] = END;
    this.#enter(this.length, at - source.length, at);
    this.length = at + 1;
  }

  /** Removes a known property. */
  delete(known: number): void {
    this.#remove(this.#entryOf[known]);
  }

  /** Removes any property. */
  deleteNamed(name: string): void {
    this.#remove(this.#find(encodeUtf8(name)));
  }

  #remove(entry: number): void {
    if (entry < 0) return;
    this.#terminate();
    if (this.#numbers[entry] >= 0) this.#entryOf[this.#numbers[entry]] = -1;
    this.#kill(entry);
    this.#compact();
  }

  /**
   * Appends pairs that were encoded with `encodeProperty` (or several of them in a row); they replace their namesakes.
   * The positions in the last such constant are kept.
   */
  appendEncoded(pairs: Uint8Array): void {
    if (pairs !== this.#pairs) {
      this.#pairs = pairs;
      this.#pairPositions = positionsIn(known, pairs);
    }
    this.#terminate();
    this.#room(this.length + pairs.length);
    const { length } = this;
    this.bytes.set(pairs, length);
    const positions = this.#pairPositions;
    for (let i = 0; i < positions.length; i += 4) {
      this.#enterAs(positions[i], length + positions[i + 1], length + positions[i + 2], length + positions[i + 3]);
    }
    this.length = length + pairs.length;
    if (this.#dead > 0) this.#compact();
  }

  /** Ends a last pair that was taken over without its end. */
  #terminate(): void {
    if (this.length > 0 && this.bytes[this.length - 1] !== END) this.bytes[this.length++] = END;
  }

  /** The text as one array; the same object as long as neither the buffer nor the length changes. */
  view(): Uint8Array {
    const view = this.#view;
    if (view.length === this.length && view.buffer === this.bytes.buffer) return view;
    return this.#view = this.bytes.subarray(0, this.length);
  }

  /** All of them, in the order of the text. */
  entries(): Map<string, string> {
    const all = new Map<string, string>();
    for (let i = 0; i < this.#count; i++) {
      const value = this.#values[i];
      all.set(decodeUtf8(this.bytes, this.#names[i], value - 1), decodeUtf8(this.bytes, value, this.#ends[i]));
    }
    return all;
  }

  #room(needed: number): void {
    if (needed <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(512, needed, this.bytes.length * 2));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }
}
