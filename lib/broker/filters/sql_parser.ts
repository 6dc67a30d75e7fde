import { compareNumbers, doubleNumber, negated, wholeNumber } from "./java_number.ts";
import { errorAt, SqlError } from "./sql_error.ts";
import {
  DOUBLE_TOKEN,
  END_TOKEN,
  NAME_TOKEN,
  STRING_TOKEN,
  stringValue,
  type Token,
  Tokens,
  WHOLE_TOKEN,
} from "./sql_tokens.ts";
import type { Constant, Operand, Order, Test } from "./sql_tree.ts";

/** How large an expression may be. */
export interface SqlLimits {
  /** UTF-16 units. */
  readonly length: number;
  /** Parentheses, signs and NOTs within each other. */
  readonly depth: number;
  /** Looks at properties. */
  readonly terms: number;
}

/**
 * Reads a filter expression by the grammar and the type rules of Apache's SelectorParser.jj and its expression classes.
 * As there, what follows a complete expression is not an error: `a = 1 b` is `a = 1`. Throws SqlError.
 */
export function parseSql(text: string, limits: SqlLimits): Test {
  if (text.length > limits.length) {
    throw new SqlError(`the expression has ${text.length} characters, at most ${limits.length} are taken`, 1, 1);
  }
  return new Parser(text, limits).whole();
}

/** Words that go on with a comparison behind its first operand. */
const TEXTS = ["CONTAINS", "STARTSWITH", "ENDSWITH"] as const;
const ORDERS: readonly string[] = [">", ">=", "<", "<="];

class Parser {
  readonly #tokens: Tokens;
  #depth = 0;
  #terms = 0;
  #chained = 0;

  constructor(private readonly text: string, private readonly limits: SqlLimits) {
    this.#tokens = new Tokens(text);
  }

  whole(): Test {
    const at = this.#tokens.peek().at;
    return this.#test(this.#any(), at);
  }

  #any(): Operand {
    return this.#joined("OR", "any", () => this.#joined("AND", "all", () => this.#equality()));
  }

  /** A chain of AND or OR is one flat list: evaluated from the left, it means the same. */
  #joined(word: string, is: "all" | "any", next: () => Operand): Operand {
    let at = this.#tokens.peek().at;
    const first = next();
    if (this.#tokens.peek().kind !== word) return first;
    const parts = [this.#test(first, at)];
    while (this.#tokens.peek().kind === word) {
      this.#tokens.take();
      at = this.#tokens.peek().at;
      parts.push(this.#test(next(), at));
    }
    return { kind: "test", test: { is, parts } };
  }

  #equality(): Operand {
    const at = this.#tokens.peek().at;
    let left = this.#comparison();
    for (;;) {
      const { kind } = this.#tokens.peek();
      if (kind === "IS" || kind === "=" || kind === "<>") this.#countChained(left);
      if (kind === "IS") left = test(this.#isNull(left));
      else if (kind === "=" || kind === "<>") {
        this.#tokens.take();
        const rightAt = this.#tokens.peek().at;
        const right = this.#comparison();
        this.#refuseNull(left, at);
        this.#refuseNull(right, rightAt);
        this.#refuseBooleanWithOther(left, right, rightAt);
        const equal: Test = { is: "equal", left, right };
        left = test(kind === "=" ? equal : { is: "not", part: equal });
      } else return left;
    }
  }

  /** `a = 1 = 1 = 1`: what is compared with something again is one level deeper, without a parenthesis that says so. */
  #countChained(left: Operand): void {
    if (left.kind !== "test" || ++this.#chained <= this.limits.depth) return;
    const { at } = this.#tokens.peek();
    throw errorAt(this.text, at, `more than ${this.limits.depth} comparisons are compared with something again`);
  }

  #isNull(operand: Operand): Test {
    this.#tokens.take();
    const negative = this.#tokens.peek().kind === "NOT";
    if (negative) this.#tokens.take();
    this.#expect("NULL", negative ? "NULL" : "NULL or NOT NULL");
    const isNull: Test = { is: "null", operand };
    return negative ? { is: "not", part: isNull } : isNull;
  }

  #comparison(): Operand {
    const at = this.#tokens.peek().at;
    let left = this.#unary();
    for (;;) {
      const { kind } = this.#tokens.peek();
      if (ORDERS.includes(kind)) {
        this.#countChained(left);
        this.#tokens.take();
        const rightAt = this.#tokens.peek().at;
        left = test(this.#order(kind as Order, left, at, this.#unary(), rightAt));
        continue;
      }
      const next = this.#worded(left, at);
      if (next === null) return left;
      this.#countChained(left);
      left = test(next);
    }
  }

  /** CONTAINS, STARTSWITH, ENDSWITH, BETWEEN, IN, each with or without NOT; null: none of them follows. */
  #worded(left: Operand, at: number): Test | null {
    const not = this.#tokens.peek().kind === "NOT";
    const { kind } = not ? this.#tokens.peek(1) : this.#tokens.peek();
    const how = TEXTS.find((each) => each === kind);
    if (how === undefined && kind !== "BETWEEN" && kind !== "IN") {
      if (!not) return null;
      this.#tokens.take();
      throw this.#unexpected("CONTAINS, STARTSWITH, ENDSWITH, BETWEEN or IN");
    }
    if (not) this.#tokens.take();
    this.#tokens.take();
    if (how !== undefined) return { is: "text", how, not, operand: left, search: this.#string() };
    return kind === "IN" ? this.#in(left, at, not) : this.#between(left, at, not);
  }

  #between(value: Operand, at: number, not: boolean): Test {
    const lowAt = this.#tokens.peek().at;
    const low = this.#unary();
    this.#expect("AND", "AND");
    const highAt = this.#tokens.peek().at;
    const high = this.#unary();
    const below = this.#order(not ? "<" : ">=", value, at, low, lowAt);
    const above = this.#order(not ? ">" : "<=", value, at, high, highAt);
    if (!not && isPlainNumber(low) && isPlainNumber(high) && compareNumbers(high.value, low.value) < 0) {
      throw errorAt(this.text, lowAt, "BETWEEN needs the lower value first");
    }
    return { is: not ? "any" : "all", parts: [below, above] };
  }

  #in(left: Operand, at: number, not: boolean): Test {
    if (left.kind !== "property") throw errorAt(this.text, at, "IN needs a property on its left");
    this.#expect("(", '"("');
    const list = [this.#string()];
    while (this.#tokens.peek().kind === ",") {
      this.#tokens.take();
      list.push(this.#string());
    }
    this.#expect(")", '"," or ")"');
    return { is: "in", not, name: left.name, list };
  }

  #order(order: Order, left: Operand, leftAt: number, right: Operand, rightAt: number): Test {
    this.#refuseUnordered(left, leftAt);
    this.#refuseUnordered(right, rightAt);
    return { is: "order", order, left, right };
  }

  #unary(): Operand {
    const token = this.#tokens.peek();
    if (token.kind !== "+" && token.kind !== "-" && token.kind !== "NOT" && token.kind !== "(") return this.#primary();
    if (++this.#depth > this.limits.depth) {
      throw errorAt(this.text, token.at, `more than ${this.limits.depth} levels of parentheses, signs and NOTs`);
    }
    this.#tokens.take();
    const { at } = this.#tokens.peek();
    const operand = token.kind === "(" ? this.#any() : this.#unary();
    if (token.kind === "(") this.#expect(")", 'an operator or ")"');
    this.#depth--;
    if (token.kind === "-") return negation(operand);
    return token.kind === "NOT" ? test({ is: "not", part: this.#test(operand, at) }) : operand;
  }

  #primary(): Operand {
    const token = this.#tokens.peek();
    if (token.kind === NAME_TOKEN) {
      if (++this.#terms > this.limits.terms) {
        throw errorAt(this.text, token.at, `properties are looked at more than ${this.limits.terms} times`);
      }
      this.#tokens.take();
      return { kind: "property", name: token.text };
    }
    return { kind: "constant", value: this.#constant(token), plain: true };
  }

  #constant(token: Token): Constant {
    switch (token.kind) {
      case "TRUE":
      case "FALSE":
        this.#tokens.take();
        return token.kind === "TRUE";
      case "NULL":
        this.#tokens.take();
        return null;
      case STRING_TOKEN:
        return this.#string();
      case WHOLE_TOKEN:
      case DOUBLE_TOKEN:
        this.#tokens.take();
        return this.#number(token);
      default:
        throw this.#unexpected('a property, a number, a string, TRUE, FALSE, NULL, NOT or "("');
    }
  }

  #number(token: Token): Constant {
    if (token.kind === WHOLE_TOKEN) {
      const number = wholeNumber(token.text.replace(/[lL]$/, ""));
      if (number === null) throw errorAt(this.text, token.at, `${token.text} does not fit into 64 bits`);
      return number;
    }
    const value = Number(token.text);
    // Apache refuses a zero written with a decimal point as being less than the smallest double.
    if (value === 0) throw errorAt(this.text, token.at, `${token.text} is less than the smallest positive double`);
    if (value === Infinity) throw errorAt(this.text, token.at, `${token.text} is greater than the largest double`);
    return doubleNumber(value);
  }

  #string(): string {
    const token = this.#tokens.peek();
    if (token.kind !== STRING_TOKEN) throw this.#unexpected("a string in single quotes");
    return stringValue(this.#tokens.take());
  }

  #expect(kind: string, expected: string): void {
    if (this.#tokens.peek().kind !== kind) throw this.#unexpected(expected);
    this.#tokens.take();
  }

  #unexpected(expected: string): SqlError {
    const token = this.#tokens.peek();
    const found = token.kind === END_TOKEN ? "the expression ends" : `${JSON.stringify(token.text)} was found`;
    return errorAt(this.text, token.at, `${expected} was expected, but ${found}`);
  }

  /** A test of what stands alone: a property or a truth value; nothing else has a truth. */
  #test(operand: Operand, at: number): Test {
    if (operand.kind === "test") return operand.test;
    if (operand.kind === "property") return { is: "property", name: operand.name };
    if (operand.kind === "constant" && operand.plain && isTruth(operand.value)) {
      return { is: "constant", value: operand.value };
    }
    throw errorAt(this.text, at, "this is neither true nor false: a comparison was expected");
  }

  #refuseNull(operand: Operand, at: number): void {
    if (operand.kind !== "constant" || !operand.plain || operand.value !== null) return;
    throw errorAt(this.text, at, "nothing equals NULL: use IS NULL or IS NOT NULL");
  }

  #refuseBooleanWithOther(left: Operand, right: Operand, at: number): void {
    if (left.kind !== "constant" || !left.plain || typeof left.value !== "boolean") return;
    if (right.kind !== "constant" || !right.plain || isTruth(right.value)) return;
    throw errorAt(this.text, at, "TRUE and FALSE can't be compared with this");
  }

  #refuseUnordered(operand: Operand, at: number): void {
    if (operand.kind === "property" || operand.kind === "nothing") return;
    if (operand.kind === "constant" && (!operand.plain || isPlainNumber(operand))) return;
    throw errorAt(this.text, at, "only numbers and properties can be compared by size");
  }
}

function test(each: Test): Operand {
  return { kind: "test", test: each };
}

function isTruth(value: Constant): value is boolean | null {
  return value === null || typeof value === "boolean";
}

function isPlainNumber(
  operand: Operand,
): operand is Operand & { readonly kind: "constant"; readonly value: import("./java_number.ts").JavaNumber } {
  return operand.kind === "constant" && operand.plain && typeof operand.value === "object" && operand.value !== null;
}

function negation(operand: Operand): Operand {
  if (operand.kind === "nothing") return operand;
  if (operand.kind === "test") return { kind: "nothing", after: operand.test };
  if (operand.kind === "property" || typeof operand.value !== "object" || operand.value === null) {
    return { kind: "nothing", after: null };
  }
  return { kind: "constant", value: negated(operand.value), plain: false };
}
