import assert from "node:assert/strict";
import { test } from "node:test";
import { later, type Subject } from "./_suite.ts";

/** Time and turns. */
export function clockScenarios(subject: Subject): void {
  const { clock } = subject.platform;

  test(`${subject.name}: timers run in the order of their delays, a cancelled one never`, async () => {
    const ran: string[] = [];
    const last = later<void>();
    clock.setTimer(40, () => {
      ran.push("late");
      last.settle();
    });
    const cancelled = clock.setTimer(10, () => ran.push("cancelled"));
    clock.setTimer(5, () => ran.push("early"));
    cancelled.cancel();
    cancelled.cancel();
    await Promise.all([subject.finish(last.promise), subject.pass(60)]);
    assert.deepEqual(ran, ["early", "late"]);
  });

  test(`${subject.name}: a periodic timer runs until it is cancelled`, async () => {
    let runs = 0;
    const third = later<void>();
    const timer = clock.every(5, () => {
      if (++runs === 3) {
        timer.cancel();
        third.settle();
      }
    });
    await Promise.all([subject.finish(third.promise), subject.pass(30)]);
    await subject.pass(20);
    assert.equal(runs, 3);
  });

  test(`${subject.name}: a delay beyond 2^31 ms does not run at once`, async () => {
    let ran = false;
    const timer = clock.setTimer(2 ** 33, () => ran = true);
    await subject.pass(20);
    timer.cancel();
    assert.equal(ran, false);
  });

  test(`${subject.name}: afterTurn runs in order, and what is added in a drain runs in the same drain`, async () => {
    const ran: number[] = [];
    const done = later<void>();
    clock.afterTurn(() => {
      ran.push(1);
      clock.afterTurn(() => {
        ran.push(3);
        clock.afterTurn(() => {
          ran.push(4);
          done.settle();
        });
      });
    });
    clock.afterTurn(() => ran.push(2));
    assert.deepEqual(ran, []);
    await subject.finish(done.promise);
    assert.deepEqual(ran, [1, 2, 3, 4]);
  });

  test(`${subject.name}: the monotonic clock and the wall clock move with time`, async () => {
    const wall = clock.nowMs();
    const start = clock.monotonicUs();
    await subject.pass(20);
    assert.ok(clock.monotonicUs() - start >= 15_000);
    assert.ok(clock.nowMs() - wall >= 15);
    assert.ok(Number.isSafeInteger(clock.nowMs()) && Number.isSafeInteger(clock.monotonicUs()));
  });

  test(`${subject.name}: local time names the parts of an instant`, () => {
    const ms = Date.UTC(2026, 5, 15, 12, 34, 56, 789);
    const { year, month, minute, second, millisecond } = clock.localTime(ms);
    assert.deepEqual([year, month, second, millisecond], [2026, 6, 56, 789]);
    assert.equal(minute % 15, 34 % 15);
  });
}
