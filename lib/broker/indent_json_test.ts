import assert from "node:assert/strict";
import test from "node:test";
import { goldenStore } from "../../tests/golden/golden.ts";
import { indentJson } from "./indent_json.ts";

test("texts with brackets, commas and escaped quotes are left alone", () => {
  assert.equal(indentJson('{"a":"x{\\"},[","b":[]}', 0), '{\n\t"a":"x{\\"},[",\n\t"b":[]\n}');
});

test("every file that a Java broker wrote is laid out the same", () => {
  let files = 0;
  for (const [path, bytes] of goldenStore("store-clean")) {
    if (!/config\/(topics|subscriptionGroup|consumerOffset|delayOffset)\.json$/.test(path)) continue;
    const text = new TextDecoder().decode(bytes);
    const compact = text.replaceAll(/\n\t*/g, "");
    assert.equal(indentJson(compact, 0), text.trimEnd(), path);
    files++;
  }
  assert.equal(files, 4);
});
