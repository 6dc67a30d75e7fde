import assert from "node:assert/strict";
import { test } from "node:test";
import { hostPlatform, turnedClock } from "../mod.ts";

const HOUR_MS = 3_600_000;

test("two hours pass at once: every timer runs at its time, those too that others set", async () => {
  const clock = turnedClock(hostPlatform().clock);
  const startMs = clock.nowMs();
  const seen: [name: string, minutes: number][] = [];
  const note = (name: string) => seen.push([name, Math.floor((clock.nowMs() - startMs) / 60_000)]);
  clock.setTimer(90 * 60_000, () => note("late"));
  clock.setTimer(30 * 60_000, () => {
    note("first");
    clock.setTimer(40 * 60_000, () => note("from first"));
  });
  const hourly = clock.every(HOUR_MS, () => note("hourly"));
  await clock.advance("2h");
  hourly.cancel();
  assert.deepEqual(seen, [["first", 30], ["hourly", 60], ["from first", 70], ["late", 90], ["hourly", 120]]);
  assert.ok(clock.nowMs() - startMs >= 2 * HOUR_MS && clock.monotonicUs() > 0);
});

test("what a timer sets going at the end of a turn is through before the next one runs", async () => {
  const clock = turnedClock(hostPlatform().clock);
  const order: string[] = [];
  clock.setTimer(1000, () => clock.afterTurn(() => order.push("turn")));
  clock.setTimer(1001, () => order.push("timer"));
  await clock.advance(2000);
  assert.deepEqual(order, ["turn", "timer"]);
});

test("two turns of the clock at once follow each other", async () => {
  const clock = turnedClock(hostPlatform().clock);
  const startMs = clock.nowMs();
  await Promise.all([clock.advance("1h"), clock.advance("1h 30m")]);
  assert.ok(clock.nowMs() - startMs >= 2.5 * HOUR_MS);
  await assert.rejects(async () => await clock.advance("soon"), RangeError);
});

test("a timer that throws does not stop the others", async () => {
  const clock = turnedClock(hostPlatform().clock);
  const ran: number[] = [];
  clock.setTimer(10, () => {
    throw new Error("meant to");
  });
  clock.setTimer(20, () => ran.push(20));
  await assert.rejects(clock.advance(15), /meant to/);
  await clock.advance(15);
  assert.deepEqual(ran, [20]);
});
