import type { Value } from "./value.ts";

/** Where a value came from: `default`, a file's path, a variable's or a flag's name. */
export type Origin = string;

/** A resolved configuration. Nobody takes all of it: each part asks for its slice. */
export class Settings<T> {
  readonly #values: ReadonlyMap<string, Value>;
  readonly #origins: ReadonlyMap<string, Origin>;
  readonly #others: ReadonlyMap<string, string>;

  /** For `resolve` and tests; `others` are the set values of keys that are known and change nothing here. */
  constructor(
    values: ReadonlyMap<string, Value>,
    origins: ReadonlyMap<string, Origin>,
    others: ReadonlyMap<string, string>,
  ) {
    this.#values = values;
    this.#origins = origins;
    this.#others = others;
  }

  /** The values of these keys, each with its own type, as a new plain object. */
  slice<K extends keyof T & string>(names: readonly K[]): Pick<T, K> {
    const part = Object.fromEntries(names.map((name) => [name, this.#values.get(name)]));
    // The table that the values were parsed by is the one that the types come from.
    return part as Pick<T, K>;
  }

  /** One value. */
  get<K extends keyof T & string>(name: K): T[K] {
    return this.slice([name])[name];
  }

  /** Where the value came from. */
  origin(name: string): Origin {
    return this.#origins.get(name) ?? "default";
  }

  /** Text of any key, known ones without effect included, as it is printed; null: not set and without a default. */
  text(name: string): string | null {
    const value = this.#values.get(name);
    return value === undefined ? this.#others.get(name) ?? null : String(value);
  }
}
