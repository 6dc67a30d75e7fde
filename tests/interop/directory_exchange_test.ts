import assert from "node:assert/strict";
import { test } from "node:test";
import { apacheAvailable } from "../../scripts/peers/apache.ts";
import { exchange, exchanges } from "./directory_exchange.ts";
import { rmqAvailable } from "../../scripts/peers/rmq.ts";

const missing = [rmqAvailable(), apacheAvailable()].find((one) => !one.ok);

for (const [name, turns] of Object.entries(exchanges)) {
  test(name, { skip: missing ? missing.reason : false }, async () => {
    const result = await exchange(turns, () => {});
    assert.deepEqual(result.violations, []);
    assert.ok(result.acknowledged > 0, "nothing was acknowledged: the load did not run");
  });
}
