import assert from "node:assert/strict";
import test from "node:test";
import { parseDelayTimes } from "../delay/delay_times.ts";
import { newGroupConfig } from "./group_config.ts";
import { levelFor, policyDelayMs } from "./retry_policy.ts";

const none = newGroupConfig("G").groupRetryPolicy;

test("a group without a policy of its own leaves the delay to the levels", () => {
  assert.equal(policyDelayMs(none, 0), null);
  assert.equal(policyDelayMs({ ...none, customizedNext: [] }, 0), null);
  assert.equal(policyDelayMs({ ...none, type: "EXPONENTIAL" }, 0), null);
  assert.equal(policyDelayMs({ ...none, exponential: { initial: 1, max: 2, multiplier: 3 } }, 0), null);
});

test("an exponential policy grows with each try up to its maximum", () => {
  const policy = {
    ...none,
    type: "EXPONENTIAL",
    exponential: { initial: 5000, max: 7_200_000, multiplier: 2 },
  } as const;
  const delays = [-1, 0, 1, 2, 10, 11, 2_000_000_000].map((times) => policyDelayMs(policy, times));
  assert.deepEqual(delays, [5000, 5000, 10_000, 20_000, 5_120_000, 7_200_000, 7_200_000]);
  const huge = { ...policy, exponential: { initial: 2 ** 50, max: 2 ** 53 - 1, multiplier: 2 ** 50 } };
  assert.equal(policyDelayMs(huge, 30), 2 ** 53 - 1);
  assert.equal(policyDelayMs({ ...policy, exponential: { initial: -5, max: 9, multiplier: 1 } }, 0), 0);
});

test("a customized policy begins with its third delay and stays with its last", () => {
  const policy = { ...none, customizedNext: [1, 2, 3, 4, 5] };
  assert.deepEqual([0, 1, 2, 3, 100].map((times) => policyDelayMs(policy, times)), [3, 4, 5, 5, 5]);
  assert.equal(policyDelayMs({ ...none, customizedNext: [7] }, 0), 7);
});

test("a delay takes the shortest level that is not shorter, or the longest there is", () => {
  const levels = parseDelayTimes("1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h");
  const chosen = [0, 1000, 1001, 10_000, 10_001, 7_200_000, 9_999_999].map((delay) => levelFor(delay, levels));
  assert.deepEqual(chosen, [1, 1, 2, 3, 4, 18, 18]);
  assert.equal(levelFor(3, [10, 4, 2]), 2);
});
