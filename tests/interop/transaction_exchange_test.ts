import assert from "node:assert/strict";
import { test } from "node:test";
import { apacheAvailable } from "../../scripts/peers/apache.ts";
import { rmqAvailable } from "../../scripts/peers/rmq.ts";
import { exchangeTransactions, transactionExchanges } from "./transaction_exchange.ts";

const missing = [rmqAvailable(), apacheAvailable()].find((one) => !one.ok);

for (const [name, turns] of Object.entries(transactionExchanges)) {
  test(name, { skip: missing ? missing.reason : false }, async () => {
    const { open, violations } = await exchangeTransactions(turns);
    assert.deepEqual(violations, []);
    assert.ok(open > 0, "no open transaction changed hands");
  });
}
