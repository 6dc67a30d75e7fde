import assert from "node:assert/strict";
import { test } from "node:test";
import { javaHash } from "@rmq/protocol";
import { matchOfCodes, TagsMatches, tagsOf } from "./tags.ts";

test("a subscription text without tags wants everything", () => {
  assert.equal(tagsOf("*"), null);
  assert.equal(tagsOf(""), null);
  assert.equal(new TagsMatches().of("*"), null);
});

test("tags are separated by two bars, with or without blanks", () => {
  assert.deepEqual(tagsOf("TagA||TagB || TagC"), ["TagA", "TagB", "TagC"]);
});

test("a match looks at the lower 32 bits of the tags code", () => {
  const match = new TagsMatches().of("TagA || TagB")!;
  assert.equal(match(0, javaHash("TagA")), true);
  assert.equal(match(-1, javaHash("TagB")), true);
  assert.equal(match(0, javaHash("TagC")), false);
  assert.equal(match(0, 0), false);
});

test("no codes match everything, as Apache's empty code set does", () => {
  assert.equal(matchOfCodes([]), null);
});

test("remembered texts are bounded", () => {
  const matches = new TagsMatches(2);
  for (let i = 0; i < 10; i++) assert.equal(matches.of(`T${i}`)!(0, javaHash(`T${i}`)), true);
});
