// Our filters beside Apache's own classes, on thousands of random expressions and properties.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeStored, MessageDraft, StoredMessage, storedSize } from "@rmq/protocol";
import { anyExpression, propertyText } from "../../lib/broker/filters/_expressions.ts";
import { Bloom } from "../../lib/broker/filters/bloom.ts";
import { SqlError } from "../../lib/broker/filters/sql_error.ts";
import { SqlFilter } from "../../lib/broker/filters/sql_filter.ts";
import { judge, judgeAvailable, word } from "./filters/judge.ts";

const SEED = Number(process.env.FILTER_SEED ?? 5500);
const EXPRESSIONS = Number(process.env.FILTER_CASES ?? 4000);
const PROPERTIES = 6;
const LIMITS = { length: 100_000, depth: 256, terms: 10_000 };

const available = judgeAvailable();
const skip = available.ok ? false : available.reason;
const encoder = new TextEncoder();

/** A message whose property text is exactly that, as a log written by Java may hold it. */
function messageWith(text: string): StoredMessage {
  const draft = new MessageDraft();
  draft.topic = encoder.encode("T");
  const bytes = encoder.encode(text);
  draft.properties.copyRaw(bytes, 0, bytes.length);
  const entry = new Uint8Array(storedSize(draft));
  encodeStored(draft, entry, 0);
  const message = new StoredMessage();
  assert.equal(message.parse(entry, 0, entry.length, false), entry.length);
  return message;
}

function ours(expression: string, texts: readonly string[]): string {
  try {
    const filter = new SqlFilter(expression, LIMITS);
    return texts.map((text) => filter.matches(messageWith(text)) ? "1" : "0").join("");
  } catch (error) {
    if (error instanceof SqlError) return "!";
    throw error;
  }
}

test("filters take, refuse and match what Apache's do", { skip }, () => {
  const one = fc.tuple(anyExpression, fc.array(propertyText, { minLength: PROPERTIES, maxLength: PROPERTIES }));
  const cases = fc.sample(one, { seed: SEED, numRuns: EXPRESSIONS });
  const theirs = judge(cases.map(([expression, texts]) => `F ${word(expression)} ${texts.map(word).join(" ")}`));
  const different = cases.flatMap(([expression, texts], i) => {
    const answer = ours(expression, texts);
    return answer === theirs[i] ? [] : [{ expression, texts, ours: answer, theirs: theirs[i] }];
  });
  assert.deepEqual(different.slice(0, 5), [], `${different.length} of ${cases.length} differ (FILTER_SEED=${SEED})`);
  const valid = theirs.filter((answer) => answer !== "!");
  const matched = valid.join("").split("1").length - 1;
  // The cases must not all be nonsense, nor all the same.
  assert.ok(valid.length > EXPRESSIONS * 0.4, `only ${valid.length} compile`);
  assert.ok(valid.length < EXPRESSIONS * 0.9, `${valid.length} compile`);
  assert.ok(matched > valid.length * PROPERTIES * 0.05, `only ${matched} match`);
});

test("the bits in consumerFilter.json are those that Java makes", { skip }, () => {
  const names = fc.tuple(fc.string({ maxLength: 40, unit: "grapheme" }), fc.string({ maxLength: 40 }));
  const sizes = fc.constantFrom([20, 32], [1, 64], [5, 1000], [50, 1]);
  const cases = fc.sample(fc.tuple(names, sizes), { seed: SEED, numRuns: 300 });
  const theirs = judge(
    cases.map(([[group, topic], [error, count]]) => `B ${error} ${count} ${word(`${group}#${topic}`)}`),
  );
  cases.forEach(([[group, topic], [error, count]], i) => {
    const { bitNum, bitPos } = new Bloom(error, count).of(group, topic);
    assert.equal(`${bitNum} [${bitPos.join(",")}]`, theirs[i], `${group}#${topic}`);
  });
});
