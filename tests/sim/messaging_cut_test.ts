import assert from "node:assert/strict";
import { test } from "node:test";
import { messagingCutRun } from "./messaging_cut.ts";
import { messagingSabotages } from "./messaging_sabotage.ts";

const SEEDS = 20;
const SEEDS_A_TEST = 2;

for (let from = 1; from <= SEEDS; from += SEEDS_A_TEST) {
  const to = from + SEEDS_A_TEST - 1;
  test(`timers, delays, transactions and retries outlive power cuts: seeds ${from} to ${to}`, async () => {
    let acknowledged = 0;
    for (let seed = from; seed <= to; seed++) {
      const outcome = await messagingCutRun(seed);
      assert.equal(outcome.broken, null, `seed ${seed}`);
      acknowledged += outcome.acknowledged;
    }
    assert.ok(acknowledged > SEEDS_A_TEST * 10, `only ${acknowledged} messages were acknowledged`);
  });
}

for (const [name, sabotage] of Object.entries(messagingSabotages)) {
  test(`a broker that ${name} is caught`, async () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      if ((await messagingCutRun(seed, sabotage)).broken !== null) return;
    }
    assert.fail(`${SEEDS} seeds and nobody noticed`);
  });
}
