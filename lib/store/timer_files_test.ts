import assert from "node:assert/strict";
import test from "node:test";
import { simulation } from "@rmq/platform/simulated";
import { javaHash } from "@rmq/protocol";
import { goldenStore } from "../../tests/golden/golden.ts";
import { TimerCheck } from "./timer_check.ts";
import { TimerLog } from "./timer_log.ts";
import { newTimerUnit, readTimerUnit, TIMER_UNIT_BYTES, type TimerUnit } from "./timer_log_layout.ts";
import { TimerWheel } from "./timer_wheel.ts";

const ROOT = "/data/store";

function unitOf(physicalOffset: number, more: Partial<TimerUnit> = {}): TimerUnit {
  return { ...newTimerUnit(), magic: 1, writtenMs: 1_000_000, slotMs: 1_002_000, physicalOffset, size: 100, ...more };
}

/** A world with the directory of a store. */
function world() {
  const sim = simulation({ seed: 1 });
  sim.platform.files.makeDirectory(`${ROOT}/config`);
  const { clock } = sim.platform;
  const flush = (log: TimerLog) =>
    sim.finish(
      new Promise<void>((resolve, reject) =>
        log.flush((run) => void clock.setTimer(0, run), (error) => error === null ? resolve() : reject(error))
      ),
    );
  return { sim, files: sim.platform.files, flush };
}

function scanned(sim: ReturnType<typeof world>["sim"], log: TimerLog, from: number) {
  const units: (TimerUnit & { position: number })[] = [];
  return sim.finish(
    new Promise<{ units: typeof units; end: number }>((resolve, reject) =>
      log.scan(from, (unit, position) => {
        units.push({ ...unit, position });
        return true;
      }, (error, end) => error === null ? resolve({ units, end }) : reject(error))
    ),
  );
}

test("log and wheel are what a Java broker wrote of the same messages, byte by byte", async () => {
  const { sim, files, flush } = world();
  const golden = new Map(goldenStore("store-clean"));
  const log = new TimerLog(files, `${ROOT}/timerlog`, 102_400);
  const wheel = new TimerWheel(files, ROOT, 1000);
  wheel.reset();
  const writtenMs = 1_795_372_016_000;
  const topicHash = javaHash("StTimer");
  for (const [slotMs, physicalOffset, size] of [[writtenMs + 2000, 6009, 327], [writtenMs + 86_400_000, 6336, 330]]) {
    const unit = unitOf(physicalOffset, { writtenMs, slotMs, size, topicHash, previous: wheel.last(slotMs) });
    wheel.put(slotMs, log.append(unit), 1);
  }
  await flush(log);
  await sim.finish(new Promise<void>((resolve) => wheel.write(wheel.take(), (run) => run(), () => resolve())));
  assert.deepEqual(
    files.readWhole(`${ROOT}/timerlog/00000000000000000000`),
    golden.get("store/timerlog/00000000000000000000"),
  );
  assert.deepEqual(files.readWhole(`${ROOT}/timerwheel`), golden.get("store/timerwheel"));
});

test("the checkpoint of a Java broker is read, and ours has its form", async () => {
  const { sim, files } = world();
  const java = new Map(goldenStore("store-clean")).get("store/config/timercheck") ?? new Uint8Array();
  files.writeWhole(`${ROOT}/config/timercheck`, java);
  const check = new TimerCheck(files, ROOT);
  assert.deepEqual(check.load(), { readMs: 1_795_372_102_000, logPosition: 104, queueOffset: 2 });
  const progress = { readMs: 1_795_372_103_000, logPosition: 156, queueOffset: 3 };
  await sim.finish(new Promise<void>((resolve) => check.save(progress, 1_795_372_103_500, () => resolve())));
  const bytes = files.readWhole(`${ROOT}/config/timercheck`) ?? new Uint8Array();
  assert.equal(bytes.length, 4096);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const longs = [0, 8, 16, 24, 32, 40, 48].map((at) => Number(view.getBigInt64(at)));
  assert.deepEqual(longs, [1_795_372_103_000, 156, 3, 3, 0, 1_795_372_103_500, 77]);
  assert.deepEqual(new TimerCheck(files, ROOT).load(), progress);
});

test("a file ends with a blank record when no further unit has room, and units go on in the next", async () => {
  const { sim, files, flush } = world();
  // Room for ten units and 48 bytes.
  const fileBytes = 11 * TIMER_UNIT_BYTES - 4;
  const log = new TimerLog(files, `${ROOT}/timerlog`, fileBytes);
  const positions = Array.from({ length: 25 }, (_, i) => log.append(unitOf(i)));
  assert.deepEqual(positions.slice(8, 12), [8 * 52, 9 * 52, fileBytes, fileBytes + 52]);
  assert.equal(log.end, 2 * fileBytes + 5 * 52);
  await flush(log);
  assert.deepEqual(files.list(`${ROOT}/timerlog`).map(Number), [0, fileBytes, 2 * fileBytes]);
  const first = files.readWhole(`${ROOT}/timerlog/${"0".repeat(20)}`) ?? new Uint8Array();
  const view = new DataView(first.buffer, first.byteOffset + 10 * 52);
  assert.equal(first.length, fileBytes);
  assert.deepEqual([view.getInt32(0), Number(view.getBigInt64(4)), view.getUint32(12)], [48, 0, 0xcbd43194]);

  const again = new TimerLog(files, `${ROOT}/timerlog`, fileBytes);
  again.load();
  const { units, end } = await scanned(sim, again, 0);
  assert.deepEqual(units.map((unit) => unit.physicalOffset), Array.from({ length: 25 }, (_, i) => i));
  assert.deepEqual(units.map((unit) => unit.position), positions);
  assert.equal(end, log.end);
  again.cut(end);
  assert.equal(again.before(fileBytes), 9 * 52);
  assert.equal(again.before(end), end - 52);
  assert.equal(again.append(unitOf(99)), end);
  again.expire(15);
  assert.deepEqual(files.list(`${ROOT}/timerlog`).map(Number), [fileBytes, 2 * fileBytes]);
});

test("a unit is found with those before it, in memory and in the files, and the end of a chain holds in both", async () => {
  const { sim, files, flush } = world();
  const log = new TimerLog(files, `${ROOT}/timerlog`, 100 * TIMER_UNIT_BYTES);
  let last = -1;
  for (let i = 0; i < 20; i++) last = log.append(unitOf(i, { previous: last }));
  const buffer = new Uint8Array(5 * TIMER_UNIT_BYTES);
  const find = (position: number) =>
    sim.finish(
      new Promise<{ physical: number; previous: number; before: number }>((resolve, reject) =>
        log.block(position, buffer, (error, bytes, at, first) => {
          const unit = newTimerUnit();
          if (error !== null || !readTimerUnit(bytes, at, unit)) return reject(error);
          resolve({ physical: unit.physicalOffset, previous: unit.previous, before: (at - first) / TIMER_UNIT_BYTES });
        })
      ),
    );
  assert.deepEqual(await find(last), { physical: 19, previous: last - 52, before: 19 });
  log.endChain(10 * 52);
  await flush(log);
  log.cut(log.end);
  assert.deepEqual(await find(last), { physical: 19, previous: last - 52, before: 4 });
  assert.deepEqual(await find(10 * 52), { physical: 10, previous: -1, before: 4 });
  log.endChain(12 * 52);
  assert.deepEqual(await find(12 * 52), { physical: 12, previous: -1, before: 4 });
  await assert.rejects(find(last + 52));
});

test("files of another size are refused with the key that fits them", () => {
  const { files } = world();
  files.makeDirectory(`${ROOT}/timerlog`);
  files.writeWhole(`${ROOT}/timerlog/${"0".repeat(20)}`, new Uint8Array(5200));
  assert.throws(() => new TimerLog(files, `${ROOT}/timerlog`, 4160).load(), /set mappedFileSizeTimerLog/);
  files.writeWhole(`${ROOT}/timerwheel`, new Uint8Array(100));
  assert.throws(() => new TimerWheel(files, ROOT, 1000).open(), /timerwheel has 100 bytes/);
});

test("the wheel tells the next slot in its order, round its end, and what was put there survives a restart", async () => {
  const { sim, files } = world();
  const wheel = new TimerWheel(files, ROOT, 1000);
  assert.equal(wheel.open(), false);
  wheel.reset();
  const turnMs = 1_209_600_000;
  const base = 1_480 * turnMs - 2000;
  wheel.put(base + 5000, 520, 1);
  wheel.put(base + 1000, 104, 1);
  wheel.put(base + 1000, 156, 1);
  assert.equal(wheel.count, 3);
  assert.equal(wheel.next(base), base + 1000);
  assert.equal(wheel.last(base + 1000), 156);
  assert.equal(wheel.last(base + 1000 - turnMs), -1);
  assert.equal(wheel.taken(base + 1000 - turnMs), true);
  await sim.finish(new Promise<void>((resolve) => wheel.write(wheel.take(), (run) => run(), () => resolve())));
  wheel.clear(base + 1000);
  assert.equal(wheel.next(base), base + 5000);
  assert.equal(wheel.count, 1);

  const again = new TimerWheel(files, ROOT, 1000);
  assert.equal(again.open(), true);
  const highest = await sim.finish(new Promise<number>((resolve) => again.scan(base, (_, found) => resolve(found))));
  assert.equal(highest, 520);
  assert.equal(again.next(base), base + 1000);
  assert.equal(again.count, 3);
  const later = new TimerWheel(files, ROOT, 1000);
  later.open();
  await sim.finish(new Promise<number>((resolve) => later.scan(base + 2000, (_, found) => resolve(found))));
  assert.equal(later.next(base), base + 5000);
});

test("pages all over the wheel are written in several turns, and all are there", async () => {
  const { sim, files } = world();
  const wheel = new TimerWheel(files, ROOT, 1000);
  wheel.reset();
  const base = 1_480 * 1_209_600_000;
  const slots = Array.from({ length: 200 }, (_, i) => base + i * 500_000);
  slots.forEach((slotMs, i) => wheel.put(slotMs, i * TIMER_UNIT_BYTES, 1));
  let turns = 1;
  const later = (run: () => void) => {
    turns++;
    sim.platform.clock.setTimer(0, run);
  };
  await sim.finish(new Promise<void>((resolve) => wheel.write(wheel.take(), later, () => resolve())));
  assert.ok(turns > 1);
  const again = new TimerWheel(files, ROOT, 1000);
  again.open();
  await sim.finish(new Promise<number>((resolve) => again.scan(base, (_, found) => resolve(found))));
  assert.deepEqual(slots.map((slotMs) => again.last(slotMs)), slots.map((_, i) => i * TIMER_UNIT_BYTES));
});
