import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { anyExpression } from "./_expressions.ts";
import { SqlError } from "./sql_error.ts";
import { SqlFilter } from "./sql_filter.ts";

const LIMITS = { length: 65_536, depth: 256, terms: 512 };

/** "filter", or the error's place. */
function outcome(expression: string, limits = LIMITS): string {
  try {
    return typeof new SqlFilter(expression, limits).matches === "function" ? "filter" : "nothing";
  } catch (error) {
    if (error instanceof SqlError) return `${error.line}:${error.column}`;
    throw error;
  }
}

test("any text is a filter or an error with a place inside of the text", () => {
  fc.assert(
    fc.property(fc.oneof(anyExpression, fc.string({ unit: "binary", maxLength: 40 })), (expression) => {
      const result = outcome(expression);
      if (result === "filter") return;
      const [line, column] = result.split(":").map(Number);
      const lines = expression.split(/\r\n|\r|\n/);
      assert.ok(line >= 1 && line <= lines.length, `${result} in ${JSON.stringify(expression)}`);
      assert.ok(column >= 1 && column <= expression.length + 1, `${result} in ${JSON.stringify(expression)}`);
    }),
    { seed: 92, numRuns: 400 },
  );
});

test("what is nested as deeply or is as long as allowed compiles, one more is an error", () => {
  for (const opening of ["(", "NOT ", "NOT (", "-(", "+"]) {
    const closing = opening.endsWith("(") ? ")" : "";
    const levels = LIMITS.depth / (opening.length > 1 && closing !== "" ? 2 : 1);
    const nested = (count: number) =>
      `${opening.repeat(count)}a${closing.repeat(count)}${opening === "-(" ? " IS NULL" : ""}`;
    assert.equal(outcome(nested(levels)), "filter", opening);
    assert.match(outcome(nested(levels + 1)), /^1:/, opening);
    assert.match(outcome(nested(50_000 / opening.length | 0)), /^1:/, opening);
  }
  assert.equal(outcome(Array(512).fill("a = 1").join(" OR ")), "filter");
  assert.match(outcome(Array(513).fill("a = 1").join(" OR ")), /^1:/);
  assert.equal(outcome(`a IN (${Array(10_000).fill("'x'").join(",")})`), "filter");
  assert.equal(outcome("a".repeat(65_537)), "1:1");
});
