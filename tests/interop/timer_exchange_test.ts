import assert from "node:assert/strict";
import { test } from "node:test";
import { apacheAvailable } from "../../scripts/peers/apache.ts";
import { rmqAvailable } from "../../scripts/peers/rmq.ts";
import { timerExchange, timerExchanges } from "./timer_exchange.ts";

const missing = [rmqAvailable(), apacheAvailable()].find((one) => !one.ok);

// A clean end is easier on who comes next: the run by hand has it too.
for (const [first, ending, second] of timerExchanges.filter(([, how]) => how === "killed")) {
  test(`timers that a killed ${first} left are delivered by ${second}`, {
    skip: missing ? missing.reason : false,
  }, async () => {
    const { violations } = await timerExchange(first, ending, second, () => {});
    assert.deepEqual(violations, []);
  });
}
