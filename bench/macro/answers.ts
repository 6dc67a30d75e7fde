/** Splits what a broker answers into frames, by their lengths alone, and reads the two numbers that the load needs. */
const LAST_FIELDS = new TextEncoder().encode(',"serializeTypeCurrentRPC":"JSON","version":513}').length;
const QUOTE = 34;

export type AnswerListener = (bytes: Uint8Array, headerAt: number, headerEnd: number, end: number) => void;

export class AnswerScanner {
  readonly #listener: AnswerListener;
  #held = new Uint8Array(64 * 1024);
  #heldLength = 0;

  constructor(listener: AnswerListener) {
    this.#listener = listener;
  }

  /** Calls the listener for each complete frame; its view is valid during the call. */
  take(chunk: Uint8Array): void {
    if (this.#heldLength === 0) {
      const used = this.#scan(chunk, chunk.length);
      if (used < chunk.length) this.#hold(chunk.subarray(used));
      return;
    }
    this.#hold(chunk);
    const used = this.#scan(this.#held, this.#heldLength);
    if (used === 0) return;
    this.#held.copyWithin(0, used, this.#heldLength);
    this.#heldLength -= used;
  }

  #hold(bytes: Uint8Array): void {
    const needed = this.#heldLength + bytes.length;
    if (needed > this.#held.length) {
      const larger = new Uint8Array(2 ** Math.ceil(Math.log2(needed)));
      larger.set(this.#held.subarray(0, this.#heldLength));
      this.#held = larger;
    }
    this.#held.set(bytes, this.#heldLength);
    this.#heldLength = needed;
  }

  #scan(bytes: Uint8Array, length: number): number {
    let at = 0;
    while (length - at >= 8) {
      const end = at + 4 + int32(bytes, at);
      if (end > length) break;
      const headerAt = at + 8;
      this.#listener(bytes, headerAt, headerAt + (int32(bytes, at + 4) & 0xffffff), end);
      at = end;
    }
    return at;
  }
}

export function int32(bytes: Uint8Array, at: number): number {
  return bytes[at] << 24 | bytes[at + 1] << 16 | bytes[at + 2] << 8 | bytes[at + 3];
}

/** Value of a number in the header, in quotes or not; -1 when it is not there. `name` with its quotes, as bytes. */
export function numberField(bytes: Uint8Array, name: Uint8Array, at: number, end: number): number {
  const last = end - name.length;
  outer: for (let i = at; i < last; i++) {
    if (bytes[i] !== QUOTE) continue;
    for (let j = 1; j < name.length; j++) if (bytes[i + j] !== name[j]) continue outer;
    let k = i + name.length;
    while (bytes[k] === 58 || bytes[k] === QUOTE || bytes[k] === 32) k++;
    let value = 0;
    while (bytes[k] >= 48 && bytes[k] <= 57) value = value * 10 + bytes[k++] - 48;
    return value;
  }
  return -1;
}

const CODE = new TextEncoder().encode('"code"');
const OPAQUE = new TextEncoder().encode('"opaque"');

export function codeOf(bytes: Uint8Array, headerAt: number, headerEnd: number): number {
  // {"code":0, is how a good answer begins, from Java and from us.
  if (bytes[headerAt + 8] === 48 && bytes[headerAt + 9] === 44 && bytes[headerAt + 2] === 99) return 0;
  return numberField(bytes, CODE, headerAt, headerEnd);
}

export function opaqueIn(bytes: Uint8Array, headerAt: number, headerEnd: number): number {
  const at = headerEnd - LAST_FIELDS - 9;
  if (at > headerAt && bytes[at + 9] === 44 && bytes[at - 1] === 58) {
    let value = 0;
    for (let i = at; i < at + 9; i++) value = value * 10 + bytes[i] - 48;
    return value;
  }
  return numberField(bytes, OPAQUE, headerAt, headerEnd);
}
