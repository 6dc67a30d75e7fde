// Our filters beside Apache's own classes, on thousands of random expressions and properties.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { simulation } from "@rmq/platform/simulated";
import { encodeStored, MessageDraft, StoredMessage, storedSize } from "@rmq/protocol";
import { anyExpression, propertyText } from "../../lib/broker/filters/_expressions.ts";
import { Bloom } from "../../lib/broker/filters/bloom.ts";
import { FilterTable } from "../../lib/broker/filters/filter_table.ts";
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

/** A table of filters whose file is a text: what it was loaded from, and in the end what it left. */
function tableOn(file: { text: string | null }): { table: FilterTable; finish(): Promise<void> } {
  const world = simulation({ seed: 1 });
  const settings = {
    filterDataCleanTimeSpan: 86_400_000,
    // Those of the constructor of ConsumerFilterManager that needs no broker.
    maxErrorRateOfBloomFilter: 20,
    expectConsumerNumUseFilter: 64,
    maxFilterLength: 65_536,
    maxFilterDepth: 256,
    maxFilterTerms: 512,
    maxFilters: 100,
  };
  const table = new FilterTable({
    clock: world.platform.clock,
    logger: { info() {}, warn() {}, error() {} },
    settings,
    file: {
      path: "consumerFilter.json",
      load: (accept) => file.text !== null && accept(file.text) ? file.text : null,
      save: (bytes, done) => {
        file.text = new TextDecoder().decode(bytes);
        done(null);
      },
    },
  });
  table.load();
  return { table, finish: () => world.finish(new Promise((resolve) => table.close(resolve))) };
}

/** Groups, topics and sizes of bloom filters. */
const bitCases = fc.sample(
  fc.tuple(
    fc.tuple(fc.string({ maxLength: 40, unit: "grapheme" }), fc.string({ maxLength: 40 })),
    fc.constantFrom([20, 32], [1, 64], [5, 1000], [50, 1]),
  ),
  { seed: SEED, numRuns: 300 },
);

function bitQuestion([[group, topic], [error, count]]: (typeof bitCases)[number]): string {
  return `B ${error} ${count} ${word(`${group}#${topic}`)}`;
}

test(
  "Java goes on with our consumerFilter.json, with the bits that it would make, and we with Java's",
  { skip },
  async () => {
    const file: { text: string | null } = { text: null };
    const { table, finish } = tableOn(file);
    for (
      const [group, topic, subString] of [["G1", "T", "a > 1"], ["G2", "T", "b = 'größe'"], ["G1", "T2", "c IS NULL"]]
    ) {
      const data = { topic, subString, subVersion: 7, expressionType: "SQL92", tagsSet: [], codeSet: [] };
      table.register(group, [...table.get("T", group) === null ? [] : [own("T")], { ...data, classFilterMode: false }]);
    }
    await finish();
    const ours = JSON.parse(file.text ?? "");
    const [java, ...bits] = judge([`C ${word(file.text ?? "")}`, ...bitCases.map(bitQuestion)]);
    bitCases.forEach(([[group, topic], [error, count]], i) => {
      const { bitNum, bitPos } = new Bloom(error, count).of(group, topic);
      assert.equal(`${bitNum} [${bitPos.join(",")}]`, bits[i], `${group}#${topic}`);
    });
    const theirs = JSON.parse(java);
    assert.deepEqual(Object.keys(theirs.filterDataByTopic).sort(), ["T", "T2"]);
    // Java takes whoever was alive for dead when it reads the file.
    const alive = (text: string) =>
      JSON.parse(text.replaceAll(/"dead":true,"deadTime":\d+/g, '"dead":false,"deadTime":0'));
    assert.deepEqual(alive(java), alive(JSON.stringify(ours)));

    const back = tableOn({ text: java });
    assert.equal(back.table.get("T", "G2")?.filter.expression, "b = 'größe'");
    assert.equal(back.table.get("T2", "G1")?.clientVersion, 7);
    await back.finish();
  },
);

function own(topic: string) {
  const tags = { tagsSet: [], codeSet: [], classFilterMode: false };
  return { topic, subString: "a > 1", subVersion: 7, expressionType: "SQL92", ...tags };
}
