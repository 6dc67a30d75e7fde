import assert from "node:assert/strict";
import test from "node:test";
import type { PlatformError } from "@rmq/platform";
import { simulation } from "@rmq/platform/simulated";
import { newTimerUnit } from "./timer_log_layout.ts";
import { TimerLog } from "./timer_log.ts";

const DIRECTORY = "/data/timerlog";
const FILE_BYTES = 520;

test("units whose sync failed are written again, so that the next sync makes them durable", async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const world = simulation({ seed });
    const log = new TimerLog(world.platform.files, DIRECTORY, FILE_BYTES);
    log.load();
    const flush = (): Promise<PlatformError | null> =>
      world.finish(new Promise((resolve) => log.flush((run) => run(), resolve)));
    const unit = { ...newTimerUnit(), magic: 1, size: 100 };
    const append = (count: number): void => {
      for (; count > 0; count--) {
        log.append(unit);
        unit.physicalOffset += unit.size;
      }
    };
    append(4);
    assert.equal(await flush(), null);
    append(8);
    world.disk.failNext({ op: "sync", path: "timerlog", code: "EIO" });
    assert.equal((await flush())?.code, "EIO");
    append(9);
    assert.equal(await flush(), null);
    const after = new TimerLog(world.crash({ powerCut: true }).files, DIRECTORY, FILE_BYTES);
    after.load();
    const seen: number[] = [];
    await world.finish(
      new Promise<void>((resolve) => {
        after.scan(0, ({ physicalOffset }) => {
          seen.push(physicalOffset);
          return true;
        }, () => resolve());
      }),
    );
    assert.deepEqual(seen, Array.from({ length: 21 }, (_, i) => i * 100), `seed ${seed}`);
  }
});
