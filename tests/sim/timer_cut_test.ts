import assert from "node:assert/strict";
import { test } from "node:test";
import { sabotages } from "./sabotage.ts";
import { timerCutRun } from "./timer_cut.ts";

const SEEDS = 10;

test("timers are delivered in time, whenever the power fails or the process is killed, and not if they were recalled", async () => {
  const totals = { promised: 0, delivered: 0, recalled: 0 };
  for (let seed = 1; seed <= SEEDS; seed++) {
    const outcome = await timerCutRun(seed);
    assert.equal(outcome.broken, null, `seed ${seed}`);
    totals.promised += outcome.promised;
    totals.delivered += outcome.delivered;
    totals.recalled += outcome.recalled;
  }
  assert.ok(totals.promised > 1000 && totals.delivered > 1000 && totals.recalled > 20, JSON.stringify(totals));
});

test("a broker that answers before its message is on disk is caught", async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    if ((await timerCutRun(seed, sabotages["answers before fdatasync"])).broken !== null) return;
  }
  assert.fail(`${SEEDS} seeds and nobody noticed`);
});
