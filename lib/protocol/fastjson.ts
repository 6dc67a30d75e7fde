import { decodeUtf8 } from "./_bytes.ts";
import { JsonError } from "./errors.ts";
import { toJson } from "./to_json.ts";

/** A JSON value. Members whose name is an object in the text have that object's canonical JSON as their name. */
export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;
/** A JSON object as a plain object. */
export interface JsonObject {
  /** A member. */
  [name: string]: JsonValue;
}

/** How to read. */
export interface ParseOptions {
  /** Numbers stay the text that they are, for values that JavaScript's numbers cannot hold. Default false. */
  numbersAsText?: boolean;
  /** Unquoted integers and objects as member names. Default true; headers have none. */
  keysOfMaps?: boolean;
}

const MAX_DEPTH = 256;

/**
 * Reads JSON as fastjson2 in 5.5.0 does (remoting sheet §2, §10, §14): besides the standard, single quotes, comments,
 * trailing commas, and maps with unquoted integer keys `{0:"a"}` or objects as keys `{{"queueId":0}:1}`.
 * Unquoted names are refused. Depth is bounded. Throws JsonError.
 */
export function parseJson(text: string | Uint8Array, options: ParseOptions = {}): JsonValue {
  const source = typeof text === "string" ? text : decodeUtf8(text, 0, text.length);
  return new JsonReader(source, options).whole();
}

const SIMPLE_ESCAPES: Record<string, string> = {
  '"': '"',
  "'": "'",
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  F: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};
const NUMBER = /[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?/y;
const INTEGER = /-?\d+/y;
const WORDS: readonly (readonly [string, JsonValue])[] = [["true", true], ["false", false], ["null", null]];

class JsonReader {
  #at = 0;
  #depth = 0;
  readonly #text: string;
  readonly #numbersAsText: boolean;
  readonly #keysOfMaps: boolean;

  constructor(text: string, options: ParseOptions) {
    this.#text = text;
    this.#numbersAsText = options.numbersAsText ?? false;
    this.#keysOfMaps = options.keysOfMaps ?? true;
  }

  whole(): JsonValue {
    const value = this.#value();
    this.#blanks();
    if (this.#at < this.#text.length) this.#fail("more text after the value");
    return value;
  }

  #fail(message: string): never {
    throw new JsonError(message, this.#at);
  }

  /** Blanks and comments. */
  #blanks(): void {
    const text = this.#text;
    for (;;) {
      const unit = text.charCodeAt(this.#at);
      if (unit === 0x20 || (unit >= 9 && unit <= 13) || unit === 0xfeff) this.#at++;
      else if (unit === 0x2f) this.#comment();
      else return;
    }
  }

  #comment(): void {
    const block = this.#text.startsWith("/*", this.#at);
    if (!block && !this.#text.startsWith("//", this.#at)) this.#fail("a slash that opens no comment");
    const end = this.#text.indexOf(block ? "*/" : "\n", this.#at + 2);
    if (end < 0 && block) this.#fail("a comment without an end");
    this.#at = end < 0 ? this.#text.length : end + (block ? 2 : 1);
  }

  #value(): JsonValue {
    this.#blanks();
    switch (this.#text[this.#at]) {
      case "{":
        return this.#nested(() => this.#object());
      case "[":
        return this.#nested(() => this.#array());
      case '"':
      case "'":
        return this.#string();
      case undefined:
        return this.#fail("text ends before a value");
    }
    for (const [word, value] of WORDS) {
      if (!this.#text.startsWith(word, this.#at)) continue;
      this.#at += word.length;
      return value;
    }
    return this.#number();
  }

  #nested<T>(read: () => T): T {
    if (++this.#depth > MAX_DEPTH) this.#fail(`nested deeper than ${MAX_DEPTH}`);
    const value = read();
    this.#depth--;
    return value;
  }

  #number(): number | string {
    NUMBER.lastIndex = this.#at;
    const match = NUMBER.exec(this.#text);
    if (match === null) return this.#fail("neither a value nor a number");
    this.#at += match[0].length;
    return this.#numbersAsText ? match[0] : Number(match[0]);
  }

  #array(): JsonValue[] {
    const values: JsonValue[] = [];
    this.#at++;
    for (;;) {
      this.#blanks();
      if (this.#text[this.#at] === "]") break;
      values.push(this.#value());
      if (!this.#comma("]")) break;
    }
    this.#at++;
    return values;
  }

  #object(): JsonObject {
    const object: JsonObject = {};
    this.#at++;
    for (;;) {
      this.#blanks();
      if (this.#text[this.#at] === "}") break;
      const name = this.#name();
      this.#blanks();
      if (this.#text[this.#at] !== ":") this.#fail("a member name without a colon");
      this.#at++;
      const value = this.#value();
      if (name === "__proto__") {
        Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
      } else object[name] = value;
      if (!this.#comma("}")) break;
    }
    this.#at++;
    return object;
  }

  /** Passes a comma, or says that the closing bracket stands here. */
  #comma(closing: string): boolean {
    this.#blanks();
    const found = this.#text[this.#at];
    if (found === ",") {
      this.#at++;
      return true;
    }
    if (found !== closing) this.#fail(`neither a comma nor ${closing}`);
    return false;
  }

  #name(): string {
    const first = this.#text[this.#at];
    if (first === '"' || first === "'") return this.#string();
    if (this.#keysOfMaps) {
      if (first === "{") return toJson(this.#nested(() => this.#object()));
      INTEGER.lastIndex = this.#at;
      const match = INTEGER.exec(this.#text);
      if (match !== null) {
        this.#at += match[0].length;
        return match[0];
      }
    }
    return this.#fail("a member name without quotes");
  }

  #string(): string {
    const text = this.#text;
    const quote = text.charCodeAt(this.#at);
    let from = ++this.#at;
    let value = "";
    for (;;) {
      const unit = text.charCodeAt(this.#at);
      if (unit === quote) break;
      if (Number.isNaN(unit)) this.#fail("a string without an end");
      if (unit === 0x5c) {
        value += text.slice(from, this.#at) + this.#escape();
        from = this.#at;
      } else this.#at++;
    }
    value += text.slice(from, this.#at);
    this.#at++;
    return value;
  }

  #escape(): string {
    const letter = this.#text[this.#at + 1];
    const simple = letter === undefined ? undefined : SIMPLE_ESCAPES[letter];
    if (simple !== undefined) {
      this.#at += 2;
      return simple;
    }
    const digits = letter === "u" ? 4 : letter === "x" ? 2 : 0;
    const hex = this.#text.slice(this.#at + 2, this.#at + 2 + digits);
    if (digits === 0 || hex.length !== digits || !/^[0-9a-fA-F]+$/.test(hex)) this.#fail("an unknown escape");
    this.#at += 2 + digits;
    return String.fromCharCode(parseInt(hex, 16));
  }
}
