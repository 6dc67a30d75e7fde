import { javaHashBytes } from "@rmq/protocol";

/** Whether bytes[start, end) are `text`. */
export function isText(bytes: Uint8Array, start: number, end: number, text: Uint8Array): boolean {
  return end - start === text.length && standsAt(bytes, start, text);
}

/** Whether they contain `text`. */
export function containsText(bytes: Uint8Array, start: number, end: number, text: Uint8Array): boolean {
  const last = end - text.length;
  for (let at = start; at <= last; at++) if (standsAt(bytes, at, text)) return true;
  return false;
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
