import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeStored, MessageDraft, StoredMessage, storedSize } from "@rmq/protocol";
import { SqlError } from "./sql_error.ts";
import { SqlFilter } from "./sql_filter.ts";

const LIMITS = { length: 1000, depth: 20, terms: 50 };
const encoder = new TextEncoder();

function messageWith(properties: Record<string, string>): StoredMessage {
  const draft = new MessageDraft();
  draft.topic = encoder.encode("T");
  const text = encoder.encode(Object.entries(properties).map(([name, value]) => `${name}\x01${value}\x02`).join(""));
  draft.properties.readText(text, 0, text.length);
  const bytes = new Uint8Array(storedSize(draft));
  encodeStored(draft, bytes, 0);
  const message = new StoredMessage();
  assert.equal(message.parse(bytes, 0, bytes.length, true), bytes.length);
  return message;
}

const message = messageWith({ a: "5", b: "x", c: "true", d: "2.5", e: "9007199254740993", TAGS: "TagA", u: "größe" });

function wants(expression: string): boolean {
  return new SqlFilter(expression, LIMITS).matches(message);
}

/** Expressions and what 5.5.0 makes of them for the message above. */
const CASES: [string, boolean][] = [
  ["a = 5", true],
  ["a = 5.0", true],
  ["a = '5'", true],
  ["a = '5.0'", false],
  ["5 < a", false],
  ["a BETWEEN 5 AND 7", true],
  ["a NOT BETWEEN 5 AND 7", false],
  ["a between 6 and 7 or b is not null", true],
  ["b IN ('x', 'it''s')", true],
  ["b NOT IN ('x')", false],
  ["z NOT IN ('x')", false],
  ["z IS NULL AND b IS NOT NULL", true],
  ["c = TRUE", true],
  ["TRUE = c", false],
  ["NOT (TRUE = c)", false],
  ["d > 2.4 AND d < 2.6", true],
  ["d > 2", false],
  ["NOT (d > 2)", false],
  ["b = 'x' OR d > 2", true],
  ["d > 2 OR b = 'x'", false],
  ["e > 9007199254740992", true],
  ["e = 9007199254740993", true],
  ["e = 9007199254740992", false],
  ["u CONTAINS 'öß'", true],
  ["u STARTSWITH 'grö' AND u ENDSWITH 'ße'", true],
  ["u NOT CONTAINS 'x' AND u NOT STARTSWITH 'x' AND u NOT ENDSWITH 'x'", true],
  ["z NOT CONTAINS 'x'", false],
  ["NOT (z CONTAINS 'x')", true],
  ["a CONTAINS ''", false],
  ["a", false],
  ["NOT a", true],
  ["NOT z", false],
  ["x = y", true],
  ["x <> y", false],
  ["TAGS = 'TagA'", true],
  ["TRUE", true],
  ["NULL", false],
  ["a > -1 AND a > +1", true],
  ["-a > 1", false],
  ["(a > 1) = TRUE", true],
  ["a /* five */ = -- here\n 5", true],
  ["a = 5 and nothing more", false],
  ["a = 5 nothing more", true],
  ["$_a1 IS NULL", true],
];

test("expressions mean what they mean to Apache", () => {
  for (const [expression, expected] of CASES) assert.equal(wants(expression), expected, expression);
});

const BROKEN: [string, RegExp][] = [
  ["", /^line 1, column 1: .*expected, but the expression ends$/],
  ["a >", /^line 1, column 4: a property, a number.* but the expression ends$/],
  ["a = 1 AND\n  b ~ 2", /^line 2, column 5: unexpected "~"$/],
  ["a IN (1)", /^line 1, column 7: a string in single quotes was expected, but "1" was found$/],
  ["a NOT = 1", /^line 1, column 7: CONTAINS, .* but "=" was found$/],
  ["a IS 5", /^line 1, column 6: NULL or NOT NULL was expected/],
  ["a > 'x'", /^line 1, column 5: only numbers and properties/],
  ["a = NULL", /^line 1, column 5: nothing equals NULL/],
  ["a BETWEEN 5 AND 1", /^line 1, column 11: BETWEEN needs the lower value first/],
  ["a = 99999999999999999999", /^line 1, column 5: .*64 bits/],
  ["a > 0.0", /^line 1, column 5: .*smallest/],
  ["a > 1e999", /^line 1, column 5: .*largest/],
  ["5", /^line 1, column 1: this is neither true nor false/],
  ["a AND 5", /^line 1, column 7: this is neither/],
  ["a = 'x", /^line 1, column 5: this string has no end/],
  ["a = /* x", /^line 1, column 5: this comment has no end/],
  ["(a = 1", /^line 1, column 7: an operator or "\)" was expected/],
  ["5 IN ('x')", /^line 1, column 1: IN needs a property/],
  ["TRUE = 5", /^line 1, column 8: /],
  ["(".repeat(21) + "a" + ")".repeat(21), /^line 1, column 21: more than 20 levels/],
  [Array(52).fill("a").join(" OR "), /^line 1, column 251: .*more than 50 times/],
  ["a".repeat(1001), /1001 characters, at most 1000/],
];

test("what is no expression is refused with its place and what was expected there", () => {
  for (const [expression, expected] of BROKEN) {
    assert.throws(() => new SqlFilter(expression, LIMITS), (error) => {
      assert.ok(error instanceof SqlError, `${expression}: ${error}`);
      assert.match(error.message, expected, expression);
      return true;
    });
  }
});

test("a property of thousands of digits that is no number after all is found out in one pass", () => {
  const digits = "1".repeat(16_000);
  const filter = new SqlFilter("a > 1.5", LIMITS);
  for (const value of [`${digits}${digits}x`, `${digits}.${digits}x`, `1e${digits}x`, `0x${digits}`]) {
    assert.equal(filter.matches(messageWith({ a: value })), false);
  }
  assert.equal(filter.matches(messageWith({ a: "7." })), true);
  assert.equal(filter.matches(messageWith({ a: "+7.e0f" })), true);
});

test("chains of comparisons are bounded like parentheses: their depth could take more stack than there is", () => {
  const bounds = { ...LIMITS, length: 100_000 };
  for (const part of [" = 1", " IS NULL", " CONTAINS 'x'", " <> TRUE", " IS NOT NULL"]) {
    assert.throws(() => new SqlFilter("a" + part.repeat(5000), bounds), SqlError, part);
    assert.throws(() => new SqlFilter("a" + part.repeat(LIMITS.depth + 2), bounds), SqlError, part);
  }
  const flat = Array(LIMITS.depth).fill("(a = 5) = TRUE").join(" AND ");
  assert.equal(new SqlFilter(flat, bounds).matches(message), true);
});
