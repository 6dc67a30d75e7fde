import assert from "node:assert/strict";
import { test } from "node:test";
import { powerCutRun } from "./power_cut.ts";
import { sabotages } from "./sabotage.ts";

const SEEDS = 30;
const SEEDS_A_TEST = 3;

for (let from = 1; from <= SEEDS; from += SEEDS_A_TEST) {
  const to = from + SEEDS_A_TEST - 1;
  test(`nothing acknowledged is lost and nothing visible was not durable: power cuts of seeds ${from} to ${to}`, async () => {
    let acknowledged = 0;
    for (let seed = from; seed <= to; seed++) {
      const outcome = await powerCutRun(seed);
      assert.equal(outcome.broken, null, `seed ${seed}`);
      acknowledged += outcome.acknowledged;
    }
    assert.ok(acknowledged > SEEDS_A_TEST * 10, `only ${acknowledged} messages were acknowledged`);
  });
}

for (const [name, sabotage] of Object.entries(sabotages)) {
  test(`a build that ${name} is caught`, async () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      if ((await powerCutRun(seed, sabotage)).broken !== null) return;
    }
    assert.fail(`${SEEDS} seeds and nobody noticed`);
  });
}
