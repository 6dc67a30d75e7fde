import assert from "node:assert/strict";
import test from "node:test";
import type { Clock } from "@rmq/platform";
import { simulation } from "@rmq/platform/simulated";
import { encodeSliced } from "./text_slices.ts";

/** A clock on which each part that is made costs a tenth of a millisecond. */
function costlyParts(clock: Clock, count: number) {
  let us = 0;
  let made = 0;
  let longest = 0;
  let sliceStart = 0;
  function* parts(): IterableIterator<string> {
    for (; made < count; made++) {
      us += 100;
      longest = Math.max(longest, us - sliceStart);
      yield made % 2 === 0 ? "ä" : "b";
    }
  }
  const costly: Clock = {
    ...clock,
    monotonicUs: () => us,
    setTimer: (delayMs, run) =>
      clock.setTimer(delayMs, () => {
        sliceStart = us;
        run();
      }),
  };
  return { costly, parts, longest: () => longest };
}

test("a long text is made in slices of a few milliseconds, and comes out whole", async () => {
  const world = simulation({ seed: 1 });
  const { costly, parts, longest } = costlyParts(world.platform.clock, 5000);
  let text = "";
  encodeSliced(
    costly,
    parts(),
    (bytes) => text = new TextDecoder().decode(bytes),
    (error) => assert.fail(String(error)),
  );
  assert.equal(text, "");
  await world.settle();
  await world.advance(1);
  assert.equal(text, "äb".repeat(2500));
  assert.ok(longest() <= 3700, `${longest()} us`);
});

test("what fails while a part is made is told, once", () => {
  const { clock } = simulation({ seed: 1 }).platform;
  const errors: unknown[] = [];
  function* broken(): IterableIterator<string> {
    yield "a";
    throw new Error("no");
  }
  encodeSliced(clock, broken(), () => assert.fail(), (error) => errors.push(error));
  assert.deepEqual(errors.map(String), ["Error: no"]);
});
