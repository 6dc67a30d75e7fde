import assert from "node:assert/strict";
import { test } from "node:test";
import { faultsRun } from "./consume_faults.ts";

for (const ordered of [false, true]) {
  const how = ordered ? "in its order" : "at least once";
  test(`every acknowledged message is handled ${how}, whatever is killed or cut off meanwhile`, async () => {
    const totals = { acknowledged: 0, repeated: 0, crashes: 0 };
    for (let seed = 1; seed <= 4; seed++) {
      const outcome = await faultsRun(seed, ordered);
      assert.equal(outcome.broken, null, `seed ${seed}`);
      totals.acknowledged += outcome.acknowledged;
      totals.repeated += outcome.repeated;
      totals.crashes += outcome.crashes;
    }
    assert.ok(totals.acknowledged > 300 && totals.crashes > 10, JSON.stringify(totals));
  });
}
