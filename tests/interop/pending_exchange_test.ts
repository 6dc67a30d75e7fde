import assert from "node:assert/strict";
import { test } from "node:test";
import { apacheAvailable } from "../../scripts/peers/apache.ts";
import { rmqAvailable } from "../../scripts/peers/rmq.ts";
import { exchangePending, turns } from "./pending_exchange.ts";

const missing = [rmqAvailable(), apacheAvailable()].find((one) => !one.ok);

test("rmq and Apache 5.5.0 go on with what the other one left pending, stopped or killed", {
  skip: missing ? missing.reason : false,
}, async () => {
  const { handedOver, checked, violations } = await exchangePending(turns, () => {});
  assert.deepEqual(violations, []);
  for (const kind of ["timer", "delay", "plain", "commit", "rollback"]) {
    assert.ok(handedOver[kind] > 0, `no ${kind} was pending: ${JSON.stringify(handedOver)}`);
  }
  assert.ok(checked > 0, "no transaction was checked");
});
