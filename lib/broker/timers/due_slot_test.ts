import assert from "node:assert/strict";
import test from "node:test";
import { simulation } from "@rmq/platform/simulated";
import { newTimerUnit, TIMER_UNIT_BYTES, TimerLog } from "@rmq/store";
import { DueSlot } from "./due_slot.ts";
import { DUE_UNITS } from "./due_units.ts";

const DIRECTORY = "/data/store/timerlog";

/** A log on disk whose units are one chain, and what reads it; `delivered`: physical offsets in their order. */
async function chainOf(count: number, unitsOfAFile: number) {
  const world = simulation({ seed: 1 });
  const { clock, files } = world.platform;
  files.makeDirectory(DIRECTORY);
  const log = new TimerLog(files, DIRECTORY, (unitsOfAFile + 1) * TIMER_UNIT_BYTES);
  let last = -1;
  for (let i = 0; i < count; i++) {
    last = log.append({ ...newTimerUnit(), magic: 1, previous: last, physicalOffset: i, size: 1 });
  }
  await world.finish(
    new Promise<void>((resolve) => log.flush((run) => void clock.setTimer(0, run), () => resolve())),
  );
  log.cut(log.end);
  const delivered: number[] = [];
  const slot = new DueSlot({ clock, log, store: { entryAt: (_offset, _size, done) => done(null, 0, 0, false) } });
  const read = (delivering: () => void = () => {}) =>
    world.finish(
      new Promise<string>((resolve) => {
        slot.read(
          last,
          (units, next) => {
            delivered.push(...units.offsets.subarray(0, units.count));
            delivering();
            clock.setTimer(0, next);
          },
          (error) => resolve(error?.code ?? "done"),
        );
      }),
    );
  return { world, log, delivered, read };
}

test("a chain that leads into a file of the log that was removed ends there", async () => {
  const { log, delivered, read } = await chainOf(25, 10);
  // The messages of the first file expired, and with them the file; what waits behind it is still to be delivered.
  log.expire(10);
  assert.equal(await read(), "done");
  assert.deepEqual(delivered, Array.from({ length: 15 }, (_, i) => 10 + i));
});

test("when a part of a long chain can't be read at first, what was delivered before it is not delivered again", async () => {
  const count = 2 * DUE_UNITS + 10;
  const { world, delivered, read } = await chainOf(count, 4 * DUE_UNITS);
  let parts = 0;
  const done = await read(() => {
    if (parts++ === 0) world.disk.failNext({ op: "read", path: "timerlog", code: "EIO", count: 2 });
  });
  assert.equal(done, "done");
  assert.deepEqual(delivered, Array.from({ length: count }, (_, i) => i));
});
