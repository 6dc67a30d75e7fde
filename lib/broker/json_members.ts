import { type JsonObject, type JsonValue, parseJson } from "@rmq/protocol";

/** Bytes of JSON in one request: enough for some thousand topics, groups or queues, little enough for one turn. */
export const MAX_JSON_BODY_BYTES: number = 1024 * 1024;

/** A value that is not what its reader needs; becomes code 1 with this text. */
export class BadJson extends Error {
  override readonly name = "BadJson";
}

/**
 * Members of a JSON object as fastjson reads them into a Java bean: unknown members are ignored, absent and null ones
 * leave the default, numbers may be texts.
 */
export class JsonMembers {
  readonly #object: JsonObject;

  constructor(object: JsonObject) {
    this.#object = object;
  }

  /**
   * The document as an object; null when it is none. Throws JsonError when it isn't JSON. A text is a file of ours,
   * bytes come from a peer: BadJson beyond `maxBytes` of them.
   */
  static parse(text: string | Uint8Array, maxBytes: number = MAX_JSON_BODY_BYTES): JsonMembers | null {
    if (typeof text !== "string" && text.length > maxBytes) {
      throw new BadJson(`a JSON body of ${text.length} bytes, MAX_JSON_BODY_BYTES is ${maxBytes}`);
    }
    return JsonMembers.of(parseJson(text));
  }

  /** A value as an object, or null. */
  static of(value: JsonValue | undefined): JsonMembers | null {
    if (value === null || typeof value !== "object" || Array.isArray(value)) return null;
    return new JsonMembers(value);
  }

  raw(name: string): JsonValue | undefined {
    return Object.hasOwn(this.#object, name) ? this.#object[name] : undefined;
  }

  text(name: string): string | null {
    const value = this.raw(name);
    if (value === undefined || value === null) return null;
    if (typeof value === "string") return value;
    if (typeof value === "number" || typeof value === "boolean") return String(value);
    throw new BadJson(`${name} is not a text`);
  }

  /** A safe integer. */
  int(name: string, fallback: number): number {
    const value = this.raw(name);
    if (value === undefined || value === null) return fallback;
    const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
    if (typeof number !== "number" || !Number.isSafeInteger(number)) throw new BadJson(`${name} is not an integer`);
    return number;
  }

  /** A point in time; Go's nanoseconds lose their last digits. */
  time(name: string, fallback: number): number {
    const value = this.raw(name);
    const number = typeof value === "string" ? Number(value) : value;
    return typeof number === "number" && Number.isInteger(number) ? number : fallback;
  }

  bool(name: string, fallback: boolean): boolean {
    const value = this.raw(name);
    if (value === undefined || value === null) return fallback;
    if (typeof value === "boolean") return value;
    if (typeof value === "number") return value !== 0;
    if (typeof value === "string") return value.toLowerCase() === "true";
    throw new BadJson(`${name} is not true or false`);
  }

  /** A member that is an object; null when absent. */
  object(name: string): JsonMembers | null {
    return JsonMembers.of(this.raw(name));
  }

  /** Elements of an array member that are objects; empty when absent. */
  objects(name: string): JsonMembers[] {
    return this.list(name).map((value) => {
      const object = JsonMembers.of(value);
      if (object === null) throw new BadJson(`${name} holds something that is not an object`);
      return object;
    });
  }

  /** Elements of an array member; empty when absent. */
  list(name: string): readonly JsonValue[] {
    const value = this.raw(name);
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value)) throw new BadJson(`${name} is not a list`);
    return value;
  }

  /** Members of an object member that are objects themselves, with their names. */
  members(name: string): [string, JsonMembers][] {
    const inner = this.object(name);
    if (inner === null) return [];
    return inner.names().flatMap((key): [string, JsonMembers][] => {
      const value = inner.object(key);
      return value === null ? [] : [[key, value]];
    });
  }

  names(): string[] {
    return Object.keys(this.#object);
  }

  /** All members as texts. */
  texts(): Record<string, string> {
    const texts: Record<string, string> = {};
    for (const name of this.names()) {
      const value = this.text(name);
      if (value !== null) texts[name] = value;
    }
    return texts;
  }
}
