import assert from "node:assert/strict";
import { test } from "node:test";
import { retryCutRun } from "./retry_cut.ts";
import { sabotages } from "./sabotage.ts";

const SEEDS = 20;

test("what was taken back returns in time or is a dead letter, whenever the power fails or the process is killed", async () => {
  const totals = { promised: 0, returned: 0, dead: 0 };
  for (let seed = 1; seed <= SEEDS; seed++) {
    const outcome = await retryCutRun(seed);
    assert.equal(outcome.broken, null, `seed ${seed}`);
    totals.promised += outcome.promised;
    totals.returned += outcome.returned;
    totals.dead += outcome.dead;
  }
  assert.ok(totals.promised > 300 && totals.returned > 300 && totals.dead > 30, JSON.stringify(totals));
});

test("a broker that answers before its message is on disk is caught", async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    if ((await retryCutRun(seed, sabotages["answers before fdatasync"])).broken !== null) return;
  }
  assert.fail(`${SEEDS} seeds and nobody noticed`);
});
