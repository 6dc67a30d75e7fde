import assert from "node:assert/strict";
import { test } from "node:test";
import { Histogram } from "./histogram.ts";

test("a percentile is at most 4 % above the true value and never below it", () => {
  for (const step of [1, 7, 113, 5003]) {
    const histogram = new Histogram();
    for (let i = 1; i <= 10_000; i++) histogram.record(i * step);
    for (const percent of [1, 50, 90, 99, 99.9]) {
      const truth = Math.ceil(100 * percent) * step;
      const told = histogram.percentile(percent);
      assert.ok(told >= truth && told <= truth * 1.04 + 1, `${percent} % of step ${step}: ${told}, true ${truth}`);
    }
    assert.equal(histogram.percentile(100), 10_000 * step);
  }
});

test("nothing recorded, the largest value, and clearing", () => {
  const histogram = new Histogram();
  assert.equal(histogram.percentile(99), 0);
  histogram.record(1e12);
  assert.equal(histogram.max, 0x7fffffff);
  histogram.clear();
  assert.equal(histogram.percentile(50), 0);
});
