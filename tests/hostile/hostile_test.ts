import assert from "node:assert/strict";
import { test } from "node:test";
import { rmqAvailable } from "../../scripts/peers/rmq.ts";
import { beHostile, MEMORY_LEFT } from "./hostile.ts";

const available = rmqAvailable();

test("ill-behaved peers harm nobody else, and the memory that they took comes back", {
  skip: available.ok ? false : available.reason,
}, async () => {
  const result = await beHostile({ halfOpen: 200, idle: 1000, rounds: 3 });
  assert.deepEqual(result.errors, []);
  assert.ok(result.goodSends > 0, "the good client did not send");
  assert.ok(
    result.after <= result.before + MEMORY_LEFT,
    `resident before ${result.before}, after ${result.after} bytes`,
  );
});
