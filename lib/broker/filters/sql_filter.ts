import type { StoredMessage } from "@rmq/protocol";
import { PropertyScan } from "./property_scan.ts";
import { type Evaluator, Evaluators, TRUE } from "./sql_evaluator.ts";
import { parseSql, type SqlLimits } from "./sql_parser.ts";
import type { Operand, Test } from "./sql_tree.ts";

/** A compiled SQL92 expression (Apache: `SqlFilter`, `ExpressionMessageFilter`). */
export class SqlFilter {
  /** Whether a message is wanted: the expression is true of its properties. */
  readonly matches: (message: StoredMessage) => boolean;

  /** Throws SqlError. */
  constructor(readonly expression: string, limits: SqlLimits) {
    const test = parseSql(expression, limits);
    const slots = new Map<string, number>();
    namesOfTest(test, slots);
    const scan = new PropertyScan([...slots.keys()]);
    const evaluate: Evaluator = new Evaluators(scan, slots).of(test);
    this.matches = (message) => {
      scan.scan(message);
      return evaluate() === TRUE;
    };
  }
}

/** Gives a slot to each property that a test looks at. */
function namesOfTest(test: Test, slots: Map<string, number>): void {
  switch (test.is) {
    case "all":
    case "any":
      for (const part of test.parts) namesOfTest(part, slots);
      break;
    case "not":
      namesOfTest(test.part, slots);
      break;
    case "property":
    case "in":
      note(test.name, slots);
      break;
    case "null":
    case "text":
      namesOfOperand(test.operand, slots);
      break;
    case "equal":
    case "order":
      namesOfOperand(test.left, slots);
      namesOfOperand(test.right, slots);
  }
}

function namesOfOperand(operand: Operand, slots: Map<string, number>): void {
  if (operand.kind === "property") note(operand.name, slots);
  else if (operand.kind === "test") namesOfTest(operand.test, slots);
  else if (operand.kind === "nothing" && operand.after !== null) namesOfTest(operand.after, slots);
}

function note(name: string, slots: Map<string, number>): void {
  if (!slots.has(name)) slots.set(name, slots.size);
}
