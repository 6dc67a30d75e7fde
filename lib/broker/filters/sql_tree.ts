import type { JavaNumber } from "./java_number.ts";

/** A value written in an expression; null is `NULL`. */
export type Constant = JavaNumber | string | boolean | null;

/** What a comparison may look at. */
export type Operand =
  | { readonly kind: "property"; readonly name: string }
  /** `plain`: as written; else it came out of a minus sign, which Apache's checks of constants do not see. */
  | { readonly kind: "constant"; readonly value: Constant; readonly plain: boolean }
  | { readonly kind: "test"; readonly test: Test }
  /** The negation of what is no number: always null, once `after` has been evaluated. */
  | { readonly kind: "nothing"; readonly after: Test | null };

/** `>` and the like. */
export type Order = ">" | ">=" | "<" | "<=";

/** What is true, false or unknown of a message. */
export type Test =
  /** A property alone: false when it is there, since properties are strings. */
  | { readonly is: "property"; readonly name: string }
  | { readonly is: "constant"; readonly value: boolean | null }
  | { readonly is: "all" | "any"; readonly parts: Test[] }
  | { readonly is: "not"; readonly part: Test }
  | { readonly is: "null"; readonly operand: Operand }
  | { readonly is: "equal"; readonly left: Operand; readonly right: Operand }
  | { readonly is: "order"; readonly order: Order; readonly left: Operand; readonly right: Operand }
  | {
    readonly is: "text";
    readonly how: "CONTAINS" | "STARTSWITH" | "ENDSWITH";
    readonly not: boolean;
    readonly operand: Operand;
    readonly search: string;
  }
  | { readonly is: "in"; readonly not: boolean; readonly name: string; readonly list: readonly string[] };
