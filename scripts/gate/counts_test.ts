import assert from "node:assert/strict";
import { test } from "node:test";
import { readCounts } from "./counts.ts";

test("the summary of deno test is read, ignored tests by name", () => {
  const output =
    "a cuts ... ok (3ms)\nb waits ... ignored (0ms)\n\nFAILED | 12 passed (3 steps) | 2 failed | 1 ignored (9s)\n";
  assert.deepEqual(readCounts(output), { passed: 15, failed: 2, skipped: 1, reasons: ["b waits"] });
});

test("the summary of bun test is read, and errors outside of tests are failures", () => {
  const output = "(skip) b waits\n\n 7 pass\n 1 skip\n 2 fail\n 1 error\n 30 expect() calls\n";
  assert.deepEqual(readCounts(output), { passed: 7, failed: 3, skipped: 1, reasons: ["b waits"] });
});

test("a reason that a test prints stands in for its name", () => {
  const output = "skipped: Java client: no JVM here\nx ... ignored (0ms)\nok | 1 passed | 0 failed | 1 ignored (1ms)\n";
  assert.deepEqual(readCounts(output)?.reasons, ["Java client: no JVM here"]);
});

test("output without a summary is no result", () => {
  assert.equal(readCounts("error: Module not found"), null);
});
