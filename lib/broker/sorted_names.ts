/** Names in Java's order of strings (by UTF-16 unit); sorted when they are first asked for and kept in order from then on. */
export class SortedNames {
  #names: string[] | null = null;

  /** The names, of which `all` are there now. The list changes when names come or go: copy it to keep it. */
  list(all: () => Iterable<string>): readonly string[] {
    return this.#names ??= [...all()].sort();
  }

  /** A name that was not there. */
  add(name: string): void {
    this.#names?.splice(this.#placeOf(name), 0, name);
  }

  /** A name that was there. */
  remove(name: string): void {
    this.#names?.splice(this.#placeOf(name), 1);
  }

  /** Where the first name stands that is not less. */
  #placeOf(name: string): number {
    const names = this.#names ?? [];
    let low = 0;
    let high = names.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (names[middle] < name) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
