import assert from "node:assert/strict";
import { test } from "node:test";
import { rmqAvailable } from "../../scripts/peers/rmq.ts";
import { killAgainAndAgain } from "./kill9.ts";

const available = rmqAvailable();

test("what was acknowledged survives kill -9 at its queue and offset", {
  skip: available.ok ? false : available.reason,
}, async () => {
  const result = await killAgainAndAgain({ rounds: 2, seconds: 1 });
  assert.deepEqual(result.violations, []);
  assert.ok(result.acknowledged > 0, "nothing was acknowledged: the load did not run");
});
