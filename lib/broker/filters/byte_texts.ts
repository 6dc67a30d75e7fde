import { javaHashBytes } from "@rmq/protocol";

/** Whether bytes[start, end) are `text`. */
export function isText(bytes: Uint8Array, start: number, end: number, text: Uint8Array): boolean {
  return end - start === text.length && standsAt(bytes, start, text);
}

/** Searches for longer texts could take as long as the product of both lengths, byte by byte. */
const SHORT = 8;

/** A function that says whether bytes[start, end) contain `text`, in time linear in their length. */
export function finderOf(text: Uint8Array): (bytes: Uint8Array, start: number, end: number) => boolean {
  if (text.length <= SHORT) return (bytes, start, end) => containsShort(bytes, start, end, text);
  const fallbacks = fallbacksOf(text);
  return (bytes, start, end) => {
    let matched = 0;
    for (let at = start; at < end; at++) {
      while (matched > 0 && bytes[at] !== text[matched]) matched = fallbacks[matched - 1];
      if (bytes[at] === text[matched] && ++matched === text.length) return true;
    }
    return false;
  };
}

function containsShort(bytes: Uint8Array, start: number, end: number, text: Uint8Array): boolean {
  const last = end - text.length;
  for (let at = start; at <= last; at++) if (standsAt(bytes, at, text)) return true;
  return false;
}

/** Knuth, Morris and Pratt: with so many bytes matched, how many still are when the next one does not. */
function fallbacksOf(text: Uint8Array): Int32Array {
  const fallbacks = new Int32Array(text.length);
  for (let i = 1, matched = 0; i < text.length; i++) {
    while (matched > 0 && text[i] !== text[matched]) matched = fallbacks[matched - 1];
    if (text[i] === text[matched]) matched++;
    fallbacks[i] = matched;
  }
  return fallbacks;
}

/** Whether they begin with `text`. */
export function startsWithText(bytes: Uint8Array, start: number, end: number, text: Uint8Array): boolean {
  return end - start >= text.length && standsAt(bytes, start, text);
}

/** Whether they end with `text`. */
export function endsWithText(bytes: Uint8Array, start: number, end: number, text: Uint8Array): boolean {
  return end - start >= text.length && standsAt(bytes, end - text.length, text);
}

function standsAt(bytes: Uint8Array, at: number, text: Uint8Array): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text[i]) return false;
  return true;
}

/** Texts to be found by their bytes. */
export class ByteTexts {
  readonly #byHash = new Map<number, Uint8Array[]>();

  constructor(texts: readonly Uint8Array[]) {
    for (const text of texts) {
      const hash = javaHashBytes(text, 0, text.length);
      const same = this.#byHash.get(hash);
      if (same === undefined) this.#byHash.set(hash, [text]);
      else if (!same.some((each) => isText(each, 0, each.length, text))) same.push(text);
    }
  }

  /** Whether bytes[start, end) are one of them. */
  has(bytes: Uint8Array, start: number, end: number): boolean {
    const same = this.#byHash.get(javaHashBytes(bytes, start, end));
    if (same === undefined) return false;
    for (let i = 0; i < same.length; i++) if (isText(bytes, start, end, same[i])) return true;
    return false;
  }
}
