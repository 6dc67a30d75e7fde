import assert from "node:assert/strict";
import { test } from "node:test";
import { rmqAvailable } from "../../scripts/peers/rmq.ts";
import { killWhileMessaging } from "./messaging_kill9.ts";

const available = rmqAvailable();

test("timers, delays, transactions and retries survive kill -9 and keep their time", {
  skip: available.ok ? false : available.reason,
}, async () => {
  const result = await killWhileMessaging({ rounds: 2, seconds: 1.5, longestMs: 4000 });
  assert.deepEqual(result.violations, []);
  assert.ok(result.acknowledged > 0, "nothing was acknowledged: the load did not run");
});
