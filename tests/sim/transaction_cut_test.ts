import assert from "node:assert/strict";
import { test } from "node:test";
import { sabotages } from "./sabotage.ts";
import { transactionCutRun } from "./transaction_cut.ts";

const SEEDS = 15;

test("what is committed is delivered and what is rolled back never, whenever the power fails or the process is killed", async () => {
  const totals = { committed: 0, settled: 0, checks: 0 };
  for (let seed = 1; seed <= SEEDS; seed++) {
    const outcome = await transactionCutRun(seed);
    assert.equal(outcome.broken, null, `seed ${seed}`);
    totals.committed += outcome.committed;
    totals.settled += outcome.settled;
    totals.checks += outcome.checks;
  }
  assert.ok(totals.committed > 80 && totals.settled > 60 && totals.checks > 200, JSON.stringify(totals));
});

test("a broker that answers before its message is on disk is caught", async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    if ((await transactionCutRun(seed, sabotages["answers before fdatasync"])).broken !== null) return;
  }
  assert.fail(`${SEEDS} seeds and nobody noticed`);
});
