import assert from "node:assert/strict";
import test from "node:test";
import type { PlatformError } from "@rmq/platform";
import { type Simulation, simulation } from "@rmq/platform/simulated";
import { makeDirectoriesDurably, withParents } from "./durable_directory.ts";
import { newTimerUnit } from "./timer_log_layout.ts";
import { TimerLog } from "./timer_log.ts";

const DIRECTORY = "/data/timerlog";
const FILE_BYTES = 520;

function opened(world: Simulation): TimerLog {
  const log = new TimerLog(world.platform.files, DIRECTORY, FILE_BYTES);
  log.load();
  return log;
}

/** Appends units about messages of 100 bytes, the first one at `from`. */
function append(log: TimerLog, count: number, from: number): void {
  const unit = { ...newTimerUnit(), magic: 1, size: 100 };
  for (let i = 0; i < count; i++) {
    unit.physicalOffset = from + 100 * i;
    log.append(unit);
  }
}

function flush(world: Simulation, log: TimerLog): Promise<PlatformError | null> {
  return world.finish(new Promise((resolve) => log.flush((run) => run(), resolve)));
}

/** Physical offsets of all units; how far the log goes. */
function read(world: Simulation, log: TimerLog): Promise<[seen: number[], end: number]> {
  const seen: number[] = [];
  const visit = ({ physicalOffset }: { physicalOffset: number }): boolean => seen.push(physicalOffset) > 0;
  return world.finish(new Promise((resolve) => log.scan(0, visit, (_error, end) => resolve([seen, end]))));
}

const hundreds = (count: number): number[] => Array.from({ length: count }, (_, i) => i * 100);

test("units whose sync failed are written again, so that the next sync makes them durable", async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const world = simulation({ seed });
    const log = opened(world);
    append(log, 4, 0);
    assert.equal(await flush(world, log), null);
    append(log, 8, 400);
    world.disk.failNext({ op: "sync", path: "timerlog", code: "EIO" });
    assert.equal((await flush(world, log))?.code, "EIO");
    append(log, 9, 1200);
    assert.equal(await flush(world, log), null);
    world.crash({ powerCut: true });
    assert.deepEqual((await read(world, opened(world)))[0], hundreds(21), `seed ${seed}`);
  }
});

test("what a killed run wrote and did not sync is durable after the next run's first sync", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const world = simulation({ seed });
    await world.finish(makeDirectoriesDurably(world.platform.files, withParents(DIRECTORY)));
    const first = opened(world);
    append(first, 12, 0);
    world.disk.latencyMs.sync = 100;
    first.flush((run) => run(), () => assert.fail("it was killed before that"));
    await world.advance(250);
    world.crash({ powerCut: false });
    const second = opened(world);
    const [found, end] = await read(world, second);
    assert.deepEqual(found, hundreds(12));
    second.cut(end);
    append(second, 1, 1200);
    assert.equal(await flush(world, second), null);
    world.crash({ powerCut: true });
    assert.deepEqual((await read(world, opened(world)))[0], hundreds(13), `seed ${seed}`);
  }
});
