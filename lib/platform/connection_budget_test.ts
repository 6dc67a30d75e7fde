import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectionBudget } from "./connection_budget.ts";

test("connections leave a reserve of descriptors, and one that closes makes room", () => {
  const budget = new ConnectionBudget(() => 100);
  let taken = 0;
  while (budget.take()) taken++;
  assert.equal(taken, 36);
  assert.equal(budget.exhausted().code, "EMFILE");
  budget.giveBack();
  assert.equal(budget.take(), true);
  assert.equal(budget.take(), false);
});

test("an unknown limit is none", () => {
  const budget = new ConnectionBudget(() => 0);
  for (let i = 0; i < 1000; i++) assert.equal(budget.take(), true);
});
