import assert from "node:assert/strict";
import { test } from "node:test";
import { later, pattern } from "../_suite.ts";
import type { Connection, PlatformError } from "../types.ts";
import { simulation } from "./mod.ts";

test("faults befall the operation, path and count that they name", () => {
  const { platform: { files }, disk } = simulation({ seed: 1 });
  disk.failNext({ op: "write", path: "log", code: "EIO", count: 2, skip: 1 });
  const log = files.open("/log", { create: true });
  const other = files.open("/other", { create: true });
  log.writeAt(pattern(1), 0);
  other.writeAt(pattern(1), 0);
  assert.throws(() => log.writeAt(pattern(1), 0), { code: "EIO" });
  assert.throws(() => log.writeAt(pattern(1), 0), { code: "EIO" });
  log.writeAt(pattern(1), 0);
  disk.failNext({ op: "rename", code: "EACCES" });
  assert.throws(() => files.rename("/log", "/b"), { code: "EACCES" });
  files.rename("/log", "/b");
});

test("a short write leaves the bytes that it managed", () => {
  const { platform: { files }, disk } = simulation({ seed: 1 });
  const file = files.open("/a", { create: true });
  disk.failNext({ op: "write", code: "ENOSPC", shortWrite: 100 });
  assert.throws(() => file.writeAt(pattern(500), 0), { code: "ENOSPC" });
  assert.equal(file.size(), 100);
});

test("a full disk refuses writes, not overwrites, and works again when space is made", () => {
  const { platform: { files }, disk } = simulation({ seed: 1 });
  files.writeWhole("/big", pattern(100_000));
  const file = files.open("/a", { create: true });
  disk.setFreeBytes(10_000);
  assert.equal(files.space("/").freeBytes, 10_000);
  assert.throws(() => file.writeAt(pattern(20_000), 0), { code: "ENOSPC" });
  assert.equal(file.size(), 8192);
  file.writeAt(pattern(8000), 0);
  files.remove("/big");
  assert.equal(file.writeAt(pattern(20_000), 0), 20_000);
});

test("the space of a removed file is free once nobody has it open, a killed process either", () => {
  const world = simulation({ seed: 1 });
  const { files } = world.platform;
  const before = world.disk.freeBytes;
  for (const path of ["/a", "/b"]) files.writeWhole(path, pattern(8192));
  const file = files.open("/a");
  files.open("/b");
  files.remove("/a");
  files.remove("/b");
  assert.equal(world.disk.freeBytes, before - 16_384);
  file.close();
  assert.equal(world.disk.freeBytes, before - 8192);
  world.crash({ powerCut: false });
  assert.equal(world.disk.freeBytes, before);
});

test("a flipped bit is read, before and after a power cut", async () => {
  const world = simulation({ seed: 1 });
  const file = world.platform.files.open("/a", { create: true });
  file.writeAt(pattern(1000), 0);
  const done = later<PlatformError | null>();
  file.syncData(done.settle);
  await world.finish(done.promise);
  const entry = later<PlatformError | null>();
  world.platform.files.syncDirectory("/", entry.settle);
  await world.finish(entry.promise);
  world.disk.flipBit("/a", 500, 3);
  const flipped = pattern(1000);
  flipped[500] ^= 8;
  assert.deepEqual(world.platform.files.readWhole("/a"), flipped);
  assert.deepEqual(world.crash({ powerCut: true }).files.readWhole("/a"), flipped);
});

test("a sync that takes time completes when that time has passed", async () => {
  const world = simulation({ seed: 1 });
  world.disk.latencyMs.sync = 50;
  const file = world.platform.files.open("/a", { create: true });
  let done = false;
  file.syncData(() => done = true);
  await world.advance(49);
  assert.equal(done, false);
  await world.advance(1);
  assert.equal(done, true);
});

test("two hours are turned at once, each timer at its time", async () => {
  const world = simulation({ seed: 1, startMs: 1_000_000 });
  const { clock } = world.platform;
  const times: number[] = [];
  clock.setTimer(7_200_000, () => times.push(clock.nowMs()));
  clock.every(3_000_000, () => times.push(clock.nowMs()));
  await world.advance("2h");
  assert.deepEqual(times, [4_000_000, 7_000_000, 8_200_000]);
  assert.equal(clock.nowMs(), 8_200_000);
  world.clock.stepMs(-1_000_000);
  assert.equal(clock.nowMs(), 7_200_000);
  assert.equal(clock.monotonicUs(), 7_200_000_000);
});

test("a partition holds bytes back and connections off until it heals; a drop resets both ends", async () => {
  const world = simulation({ seed: 4 });
  const other = world.addMachine("other");
  const accepted = later<Connection>();
  let received = 0;
  const ends: (string | undefined)[] = [];
  await world.finish(other.platform.net.listen({ host: "0.0.0.0", port: 9876 }, (connection) => {
    connection.handler = {
      data: (chunk) => void (received += chunk.length),
      close: (error) => void ends.push(error?.code),
    };
    accepted.settle(connection);
  }, () => {}));
  const { net } = world.platform;
  const to = { host: "other", port: 9876, timeoutMs: 3000 };
  const client = await world.finish(net.connect(to));
  client.handler = { data: () => {}, close: (error) => void ends.push(error?.code) };
  world.net.partition(world.machine.host, other.host);
  client.write(pattern(1000));
  await world.advance("10s");
  assert.equal(received, 0);
  await assert.rejects(world.finish(net.connect(to)), { code: "ETIMEDOUT" });
  world.net.heal();
  await world.settle();
  assert.equal(received, 1000);
  world.net.drop();
  await world.settle();
  assert.deepEqual(ends, ["ECONNRESET", "ECONNRESET"]);
  await world.finish(net.connect(to));
});

test("a machine's crash breaks its connections and frees its ports", async () => {
  const world = simulation({ seed: 2 });
  const other = world.addMachine("other");
  const listen = () => other.platform.net.listen({ host: other.host, port: 9876 }, () => {}, () => {});
  await world.finish(listen());
  const to = { host: other.host, port: 9876, timeoutMs: 3000 };
  const client = await world.finish(world.platform.net.connect(to));
  const gone = later<PlatformError | null>();
  client.handler = { data: () => {}, close: gone.settle };
  other.crash({ powerCut: true });
  assert.equal((await world.finish(gone.promise))?.code, "ECONNRESET");
  await assert.rejects(world.finish(world.platform.net.connect(to)), { code: "ECONNREFUSED" });
  await world.finish(listen());
  await world.finish(world.platform.net.connect(to));
});
