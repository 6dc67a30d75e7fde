import { ByteTexts, endsWithText, finderOf, isText, startsWithText } from "./byte_texts.ts";
import {
  compareDoubles,
  compareWhole,
  type JavaNumber,
  type NumberRead,
  readDouble,
  readInt,
  readLong,
} from "./java_number.ts";
import type { PropertyScan } from "./property_scan.ts";
import { compareAsDoubles, compareValues, NOT_COMPARABLE, type Value } from "./sql_value.ts";
import type { Operand, Order, Test } from "./sql_tree.ts";

/** What a test says of a message. */
export const FALSE = 0;
/** It holds. */
export const TRUE = 1;
/** Java's null: something that is needed is missing. */
export const UNKNOWN = 2;
/** Where Java throws: the message does not match, whatever the rest says. */
export const FAILED = 3;

/** One test, made ready: reads the scan, answers FALSE, TRUE, UNKNOWN or FAILED, and allocates nothing but for odd comparisons. */
export type Evaluator = () => number;

type PropertyOperand = Operand & { readonly kind: "property" };

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const read: NumberRead = { high: 0, low: 0, value: 0 };

/** Makes closures of tests: `slots` says where in the scan each property is. */
export class Evaluators {
  constructor(private readonly scan: PropertyScan, private readonly slots: ReadonlyMap<string, number>) {}

  of(test: Test): Evaluator {
    switch (test.is) {
      case "property":
        return this.#alone(test.name);
      case "constant":
        return constantly(test.value === null ? UNKNOWN : Number(test.value));
      case "all":
        return all(test.parts.map((part) => this.of(part)));
      case "any":
        return any(test.parts.map((part) => this.of(part)));
      case "not":
        return not(this.of(test.part));
      case "null":
        return this.#isNull(test.operand);
      case "equal":
        return this.#equal(test.left, test.right);
      case "order":
        return this.#order(test.order, test.left, test.right);
      case "text":
        return this.#text(test);
      case "in":
        return this.#in(test.name, test.list, test.not);
    }
  }

  #slot(name: string): number {
    return this.slots.get(name) as number;
  }

  #alone(name: string): Evaluator {
    const { starts } = this.scan;
    const slot = this.#slot(name);
    return () => starts[slot] < 0 ? UNKNOWN : FALSE;
  }

  #isNull(operand: Operand): Evaluator {
    if (operand.kind === "property") {
      const { starts } = this.scan;
      const slot = this.#slot(operand.name);
      return () => starts[slot] < 0 ? TRUE : FALSE;
    }
    const truth = this.#nullness(operand);
    return () => {
      const value = truth();
      return value === FAILED ? FAILED : value === UNKNOWN ? TRUE : FALSE;
    };
  }

  /** UNKNOWN when an operand that is no property is null. */
  #nullness(operand: Operand): Evaluator {
    if (operand.kind === "test") return this.of(operand.test);
    if (operand.kind === "nothing") {
      const after = operand.after === null ? null : this.of(operand.after);
      return () => after !== null && after() === FAILED ? FAILED : UNKNOWN;
    }
    return constantly(operand.kind === "constant" && operand.value === null ? UNKNOWN : TRUE);
  }

  #equal(left: Operand, right: Operand): Evaluator {
    if (left.kind === "property" && right.kind === "property") return this.#sameProperty(left, right);
    if (left.kind === "property" && right.kind === "constant") {
      const fast = this.#equalConstant(left, right.value, UNKNOWN);
      if (fast !== null) return fast;
    }
    // A missing property on the left is unknown, on the right it is not equal: so Apache has it.
    if (left.kind === "constant" && right.kind === "property" && typeof left.value !== "boolean") {
      const fast = this.#equalConstant(right, left.value, FALSE);
      if (fast !== null) return fast;
    }
    return this.#oddEqual(left, right);
  }

  #equalConstant(property: PropertyOperand, value: Value | null, missing: number): Evaluator | null {
    if (typeof value === "string") return this.#sameText(property, encoder.encode(value), missing);
    if (typeof value !== "object" || value === null) return null;
    return this.#compared(property, value, missing, (order) => order === 0);
  }

  #sameText({ name }: PropertyOperand, text: Uint8Array, missing: number): Evaluator {
    const { scan } = this;
    const slot = this.#slot(name);
    return () => {
      const start = scan.starts[slot];
      if (start < 0) return missing;
      return isText(scan.bytes, start, scan.ends[slot], text) ? TRUE : FALSE;
    };
  }

  #sameProperty(left: PropertyOperand, right: PropertyOperand): Evaluator {
    const { scan } = this;
    const a = this.#slot(left.name);
    const b = this.#slot(right.name);
    return () => {
      const startA = scan.starts[a];
      const startB = scan.starts[b];
      if (startA < 0) return startB < 0 ? TRUE : UNKNOWN;
      if (startB < 0 || scan.ends[a] - startA !== scan.ends[b] - startB) return FALSE;
      for (let i = startA, j = startB; i < scan.ends[a]; i++, j++) if (scan.bytes[i] !== scan.bytes[j]) return FALSE;
      return TRUE;
    };
  }

  #order(order: Order, left: Operand, right: Operand): Evaluator {
    const holds = holdsFor(order);
    if (left.kind === "property" && isNumber(right)) return this.#compared(left, right.value, UNKNOWN, holds);
    if (isNumber(left) && right.kind === "property") {
      return this.#compared(right, left.value, UNKNOWN, (other) => holds(-other));
    }
    if (left.kind === "property" && right.kind === "property") return this.#orderedProperties(left, right, holds);
    return this.#oddOrder(left, right, holds);
  }

  /** A property, read as the number's type, beside that number; `holds` sees the order of the property to the number. */
  #compared(
    { name }: PropertyOperand,
    number: JavaNumber,
    missing: number,
    holds: (order: number) => boolean,
  ): Evaluator {
    const { scan } = this;
    const slot = this.#slot(name);
    const { high, low, value } = number;
    if (number.type === "double") {
      return () => {
        const start = scan.starts[slot];
        if (start < 0) return missing;
        if (!readDouble(scan.bytes, start, scan.ends[slot], read)) return FAILED;
        return holds(compareDoubles(read.value, value)) ? TRUE : FALSE;
      };
    }
    const readWhole = number.type === "int" ? readInt : readLong;
    return () => {
      const start = scan.starts[slot];
      if (start < 0) return missing;
      if (!readWhole(scan.bytes, start, scan.ends[slot], read)) return FAILED;
      return holds(compareWhole(read.high, read.low, high, low)) ? TRUE : FALSE;
    };
  }

  #orderedProperties(left: PropertyOperand, right: PropertyOperand, holds: (order: number) => boolean): Evaluator {
    const { scan } = this;
    const a = this.#slot(left.name);
    const b = this.#slot(right.name);
    return () => {
      const startA = scan.starts[a];
      const startB = scan.starts[b];
      if (startA < 0 || startB < 0) return UNKNOWN;
      if (!readDouble(scan.bytes, startA, scan.ends[a], read)) return FAILED;
      const value = read.value;
      if (!readDouble(scan.bytes, startB, scan.ends[b], read)) return FAILED;
      return holds(compareDoubles(value, read.value)) ? TRUE : FALSE;
    };
  }

  #text(test: Test & { readonly is: "text" }): Evaluator {
    const search = encoder.encode(test.search);
    // Neither nothing to look for nor nothing to look in can be found, and neither is "not found".
    if (search.length === 0) return constantly(FALSE);
    const found = foundBy(test.how, search);
    const hit = test.not ? FALSE : TRUE;
    const { scan } = this;
    const { operand } = test;
    if (operand.kind === "property") {
      const slot = this.#slot(operand.name);
      return () => {
        const start = scan.starts[slot];
        return start < 0 ? FALSE : found(scan.bytes, start, scan.ends[slot]) ? hit : 1 - hit;
      };
    }
    if (operand.kind === "constant" && typeof operand.value === "string") {
      const text = encoder.encode(operand.value);
      return constantly(found(text, 0, text.length) ? hit : 1 - hit);
    }
    const before = this.#nullness(operand);
    return () => before() === FAILED ? FAILED : FALSE;
  }

  #in(name: string, list: readonly string[], negative: boolean): Evaluator {
    const texts = new ByteTexts(list.map((text) => encoder.encode(text)));
    const hit = negative ? FALSE : TRUE;
    const { scan } = this;
    const slot = this.#slot(name);
    return () => {
      const start = scan.starts[slot];
      return start < 0 ? UNKNOWN : texts.has(scan.bytes, start, scan.ends[slot]) ? hit : 1 - hit;
    };
  }

  #oddEqual(left: Operand, right: Operand): Evaluator {
    const a = this.#value(left);
    const b = this.#value(right);
    return () => {
      const x = a();
      if (x === FAILED) return FAILED;
      const y = b();
      if (y === FAILED) return FAILED;
      if (x === null) return y === null ? TRUE : UNKNOWN;
      if (y === null) return FALSE;
      const order = compareValues(x, y);
      return order === NOT_COMPARABLE ? FAILED : order === 0 ? TRUE : FALSE;
    };
  }

  #oddOrder(left: Operand, right: Operand, holds: (order: number) => boolean): Evaluator {
    const a = this.#value(left);
    const b = this.#value(right);
    return () => {
      const x = a();
      if (x === FAILED) return FAILED;
      if (x === null) return UNKNOWN;
      const y = b();
      if (y === FAILED) return FAILED;
      if (y === null) return UNKNOWN;
      const strings = typeof x === "string" && typeof y === "string";
      const order = strings ? compareAsDoubles(x, y) : compareValues(x, y);
      return order === NOT_COMPARABLE ? FAILED : holds(order) ? TRUE : FALSE;
    };
  }

  /** An operand as a value, for comparisons that nobody writes in earnest. */
  #value(operand: Operand): () => Value | null | typeof FAILED {
    if (operand.kind === "constant") {
      const { value } = operand;
      return () => value;
    }
    if (operand.kind === "property") {
      const { scan } = this;
      const slot = this.#slot(operand.name);
      return () => {
        const start = scan.starts[slot];
        return start < 0 ? null : decoder.decode(scan.bytes.subarray(start, scan.ends[slot]));
      };
    }
    const truth = this.#nullness(operand);
    return () => {
      const value = truth();
      return value === FAILED ? FAILED : value === UNKNOWN ? null : value === TRUE;
    };
  }
}

function isNumber(operand: Operand): operand is Operand & { readonly kind: "constant"; readonly value: JavaNumber } {
  return operand.kind === "constant" && typeof operand.value === "object" && operand.value !== null;
}

function foundBy(
  how: "CONTAINS" | "STARTSWITH" | "ENDSWITH",
  search: Uint8Array,
): (bytes: Uint8Array, start: number, end: number) => boolean {
  switch (how) {
    case "CONTAINS":
      return finderOf(search);
    case "STARTSWITH":
      return (bytes, start, end) => startsWithText(bytes, start, end, search);
    case "ENDSWITH":
      return (bytes, start, end) => endsWithText(bytes, start, end, search);
  }
}

function holdsFor(order: Order): (order: number) => boolean {
  switch (order) {
    case ">":
      return (each) => each > 0;
    case ">=":
      return (each) => each >= 0;
    case "<":
      return (each) => each < 0;
    case "<=":
      return (each) => each <= 0;
  }
}

function constantly(value: number): Evaluator {
  return () => value;
}

function not(part: Evaluator): Evaluator {
  return () => {
    const value = part();
    return value > TRUE ? value : 1 - value;
  };
}

function all(parts: readonly Evaluator[]): Evaluator {
  return () => {
    let answer = TRUE;
    for (let i = 0; i < parts.length; i++) {
      const value = parts[i]();
      if (value === FALSE || value === FAILED) return value;
      if (value === UNKNOWN) answer = UNKNOWN;
    }
    return answer;
  };
}

function any(parts: readonly Evaluator[]): Evaluator {
  return () => {
    let answer = FALSE;
    for (let i = 0; i < parts.length; i++) {
      const value = parts[i]();
      if (value === TRUE || value === FAILED) return value;
      if (value === UNKNOWN) answer = UNKNOWN;
    }
    return answer;
  };
}
