/** What is kept per topic, found by the bytes of its name without making a string (one topic has one object). */
export interface NamedByBytes {
  readonly topicBytes: Uint8Array;
}

/** A table from topic bytes to what belongs to the topic. */
export class TopicNames<T extends NamedByBytes> {
  readonly #byHash = new Map<number, T[]>();
  #last: T | null = null;

  /** The entry of the topic whose name is `bytes[start, end)`, or null. */
  find(bytes: Uint8Array, start: number, end: number): T | null {
    if (this.#last !== null && isName(this.#last, bytes, start, end)) return this.#last;
    const candidates = this.#byHash.get(hashOf(bytes, start, end));
    if (candidates === undefined) return null;
    for (let i = 0; i < candidates.length; i++) {
      if (isName(candidates[i], bytes, start, end)) return this.#last = candidates[i];
    }
    return null;
  }

  add(entry: T): void {
    const hash = hashOf(entry.topicBytes, 0, entry.topicBytes.length);
    const candidates = this.#byHash.get(hash);
    if (candidates === undefined) this.#byHash.set(hash, [entry]);
    else candidates.push(entry);
  }

  remove(entry: T): void {
    if (this.#last === entry) this.#last = null;
    const hash = hashOf(entry.topicBytes, 0, entry.topicBytes.length);
    const rest = (this.#byHash.get(hash) ?? []).filter((candidate) => candidate !== entry);
    if (rest.length > 0) this.#byHash.set(hash, rest);
    else this.#byHash.delete(hash);
  }
}

function isName(entry: NamedByBytes, bytes: Uint8Array, start: number, end: number): boolean {
  const name = entry.topicBytes;
  if (name.length !== end - start) return false;
  for (let i = 0; i < name.length; i++) {
    if (name[i] !== bytes[start + i]) return false;
  }
  return true;
}

function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0;
  for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + bytes[i]) | 0;
  return hash;
}
