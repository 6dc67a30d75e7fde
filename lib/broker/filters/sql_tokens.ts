import { errorAt } from "./sql_error.ts";

/** Reserved words, in any case. */
const WORDS = new Set(
  ["NOT", "AND", "OR", "BETWEEN", "IN", "TRUE", "FALSE", "NULL", "IS", "CONTAINS", "STARTSWITH", "ENDSWITH"],
);
const SIGNS = ["<>", ">=", "<=", ">", "<", "=", "(", ")", ",", "+", "-"];

const BLANKS = /[ \t\n\r\f]+/y;
/** A comment needs its line end: without it these are two minus signs. */
const LINE_COMMENT = /--[^\n\r]*(?:\r\n|\n|\r)/y;
const NAME = /[A-Za-z_$][A-Za-z0-9_$]*/y;
const DOUBLE = /(?:[0-9]+\.[0-9]*(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+)/y;
/** `0L` is a zero and a name, as in Apache's grammar. */
const WHOLE = /(?:0|[1-9][0-9]*[lL]?)/y;

/** One token. `kind` is a reserved word in capitals, a sign, or one of the four below. */
export interface Token {
  readonly kind: string;
  readonly text: string;
  /** Where it begins in the expression. */
  readonly at: number;
}

/** Kinds of tokens that are neither words nor signs. */
export const NAME_TOKEN = "name";
/** `5`, `5L` */
export const WHOLE_TOKEN = "whole number";
/** `5.5`, `.5`, `5e3` */
export const DOUBLE_TOKEN = "decimal number";
/** `'it''s'`; the token's text is with its quotes. */
export const STRING_TOKEN = "string";
/** Behind the last token. */
export const END_TOKEN = "end";

/**
 * Cuts an expression into tokens by the lexical rules of Apache's SelectorParser.jj, each only when it is asked for:
 * what follows a complete expression is never looked at there either.
 */
export class Tokens {
  #ahead: Token[] = [];
  #at = 0;

  constructor(readonly text: string) {}

  /** The next token, or the one behind it. Throws SqlError. */
  peek(distance: 0 | 1 = 0): Token {
    while (this.#ahead.length <= distance) this.#ahead.push(this.#read());
    return this.#ahead[distance];
  }

  /** Takes the next token. */
  take(): Token {
    const token = this.peek();
    this.#ahead.shift();
    return token;
  }

  #read(): Token {
    this.#skip();
    const { text } = this;
    const at = this.#at;
    if (at === text.length) return { kind: END_TOKEN, text: "", at };
    const token = this.#match(NAME, NAME_TOKEN) ?? this.#match(DOUBLE, DOUBLE_TOKEN) ??
      this.#match(WHOLE, WHOLE_TOKEN) ?? this.#string() ?? this.#sign();
    if (token !== null) return token;
    const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
    throw errorAt(text, at, text[at] === "'" ? "this string has no end" : `unexpected ${JSON.stringify(character)}`);
  }

  #skip(): void {
    for (;;) {
      const before = this.#at;
      this.#advance(BLANKS);
      this.#advance(LINE_COMMENT);
      if (this.text.startsWith("/*", this.#at)) {
        const end = this.text.indexOf("*/", this.#at + 2);
        if (end < 0) throw errorAt(this.text, this.#at, "this comment has no end");
        this.#at = end + 2;
      }
      if (this.#at === before) return;
    }
  }

  #advance(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.text);
    if (found === null) return null;
    this.#at = pattern.lastIndex;
    return found[0];
  }

  #match(pattern: RegExp, kind: string): Token | null {
    const at = this.#at;
    const text = this.#advance(pattern);
    if (text === null) return null;
    const word = kind === NAME_TOKEN ? text.toUpperCase() : kind;
    return { kind: WORDS.has(word) ? word : kind, text, at };
  }

  /** The longest that ends with a quote, two quotes in a row being one inside. */
  #string(): Token | null {
    const { text } = this;
    const at = this.#at;
    if (text[at] !== "'") return null;
    let end = -1;
    for (let quote = text.indexOf("'", at + 1); quote >= 0; quote = text.indexOf("'", quote + 2)) {
      end = quote + 1;
      if (text[end] !== "'") break;
    }
    if (end < 0) return null;
    this.#at = end;
    return { kind: STRING_TOKEN, text: text.slice(at, end), at };
  }

  #sign(): Token | null {
    const sign = SIGNS.find((each) => this.text.startsWith(each, this.#at));
    if (sign === undefined) return null;
    const at = this.#at;
    this.#at += sign.length;
    return { kind: sign, text: sign, at };
  }
}

/** The value of a string token. */
export function stringValue(token: Token): string {
  return token.text.slice(1, -1).replaceAll("''", "'");
}
