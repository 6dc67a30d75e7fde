import assert from "node:assert/strict";
import { test } from "node:test";
import { later, pattern } from "../_suite.ts";
import { type File, PlatformError } from "../types.ts";
import { type Simulation, simulation } from "./mod.ts";

const SEEDS = Array.from({ length: 60 }, (_, i) => i + 1);

async function synced(world: Simulation, file: File): Promise<PlatformError | null> {
  const done = later<PlatformError | null>();
  file.syncData(done.settle);
  return await world.finish(done.promise);
}

async function directorySynced(world: Simulation, path: string): Promise<void> {
  const done = later<PlatformError | null>();
  world.platform.files.syncDirectory(path, done.settle);
  assert.equal(await world.finish(done.promise), null);
}

/** A world with the file `/a`, durable in name and with `bytes` in it. */
async function worldWith(seed: number, bytes: Uint8Array): Promise<{ world: Simulation; file: File }> {
  const world = simulation({ seed });
  const file = world.platform.files.open("/a", { create: true });
  file.writeAt(bytes, 0);
  assert.equal(await synced(world, file), null);
  await directorySynced(world, "/");
  return { world, file };
}

function contentAfter(world: Simulation, powerCut: boolean, path = "/a"): Uint8Array | null {
  return world.crash({ powerCut }).files.readWhole(path);
}

test("what was synced survives a power cut, under every seed", async () => {
  for (const seed of SEEDS) {
    const { world } = await worldWith(seed, pattern(10_000));
    assert.deepEqual(contentAfter(world, true), pattern(10_000));
  }
});

test("what was written after the last sync is lost, kept or torn at sectors, each under some seed", async () => {
  const fates = new Set<string>();
  for (const seed of SEEDS) {
    const { world, file } = await worldWith(seed, pattern(4096));
    file.writeAt(new Uint8Array(4096).fill(0xee), 0);
    const found = contentAfter(world, true);
    assert.equal(found?.length, 4096);
    const sectors = Array.from({ length: 8 }, (_, i) => found.subarray(i * 512, i * 512 + 512));
    const isNew = sectors.map((sector, i) => {
      if (sector.every((byte) => byte === 0xee)) return true;
      assert.deepEqual(sector, pattern(4096).subarray(i * 512, i * 512 + 512));
      return false;
    });
    const count = isNew.filter(Boolean).length;
    const isPrefix = isNew.lastIndexOf(true) === count - 1;
    fates.add(count === 0 ? "lost" : count === 8 ? "whole" : isPrefix ? "prefix" : "sectors");
  }
  assert.deepEqual([...fates].sort(), ["lost", "prefix", "sectors", "whole"]);
});

test("of two unsynced writes the later one may survive without the earlier", async () => {
  let reordered = 0;
  for (const seed of SEEDS) {
    const { world, file } = await worldWith(seed, new Uint8Array(8192));
    file.writeAt(new Uint8Array(4096).fill(1), 0);
    file.writeAt(new Uint8Array(4096).fill(2), 4096);
    const found = contentAfter(world, true) as Uint8Array;
    if (found[0] === 0 && found[8191] === 2) reordered++;
  }
  assert.ok(reordered > 0);
});

test("an appended file may keep its old length, or the new one with zeros in place of data", async () => {
  const seen = new Set<string>();
  for (const seed of SEEDS) {
    const { world, file } = await worldWith(seed, new Uint8Array(1000).fill(1));
    file.writeAt(new Uint8Array(2000).fill(2), 1000);
    const found = contentAfter(world, true) as Uint8Array;
    assert.ok(found.length === 1000 || found.length === 3000);
    assert.ok(found.subarray(0, 1000).every((byte) => byte === 1));
    seen.add(found.length === 1000 ? "old" : found.subarray(1000).some((byte) => byte === 0) ? "zeros" : "new");
  }
  assert.deepEqual([...seen].sort(), ["new", "old", "zeros"]);
});

test("a truncation that was not synced may not have happened", async () => {
  const lengths = new Set<number>();
  for (const seed of SEEDS) {
    const { world, file } = await worldWith(seed, pattern(5000));
    file.truncate(100);
    const found = contentAfter(world, true) as Uint8Array;
    lengths.add(found.length);
    assert.deepEqual(found, pattern(5000).subarray(0, found.length));
  }
  assert.deepEqual([...lengths].sort(), [100, 5000]);
});

test("a file whose entry was not synced may be gone, a removed one back, a rename undone", async () => {
  const seen = new Set<string>();
  for (const seed of SEEDS) {
    const { world, file } = await worldWith(seed, pattern(100));
    const { files } = world.platform;
    const other = files.open("/new", { create: true });
    await synced(world, other);
    files.rename("/a", "/b");
    file.close();
    const after = world.crash({ powerCut: true }).files;
    const names = after.list("/");
    seen.add(names.join());
    assert.deepEqual(after.readWhole(names.includes("a") ? "/a" : "/b"), pattern(100));
  }
  assert.deepEqual([...seen].sort(), ["a", "a,new", "b", "b,new"]);
});

test("a directory sync makes created, renamed and removed entries certain", async () => {
  for (const seed of SEEDS) {
    const { world } = await worldWith(seed, pattern(100));
    const { files } = world.platform;
    files.makeDirectory("/d");
    const file = files.open("/d/new", { create: true });
    file.writeAt(pattern(10), 0);
    await synced(world, file);
    files.rename("/a", "/b");
    await directorySynced(world, "/d");
    await directorySynced(world, "/");
    const after = world.crash({ powerCut: true }).files;
    assert.deepEqual(after.list("/"), ["b", "d"]);
    assert.deepEqual(after.readWhole("/d/new"), pattern(10));
  }
});

test("a file in a directory that is not durable itself goes with it", async () => {
  const seen = new Set<string>();
  for (const seed of SEEDS) {
    const world = simulation({ seed });
    world.platform.files.makeDirectory("/d");
    await synced(world, world.platform.files.open("/d/a", { create: true }));
    await directorySynced(world, "/d");
    seen.add(world.crash({ powerCut: true }).files.list("/").join());
  }
  assert.deepEqual([...seen].sort(), ["", "d"]);
});

test("after a failed sync a second one succeeds without having written anything", async () => {
  for (const seed of SEEDS) {
    const { world, file } = await worldWith(seed, pattern(4096));
    file.writeAt(new Uint8Array(4096).fill(0xee), 0);
    world.disk.failNext({ op: "sync", path: "a", code: "EIO" });
    assert.equal((await synced(world, file))?.code, "EIO");
    const now = new Uint8Array(4096);
    file.readAtSync(now, 0);
    assert.ok(now.every((byte) => byte === 0xee), "still read from memory");
    assert.equal(await synced(world, file), null);
    assert.deepEqual(contentAfter(world, true), pattern(4096));
  }
});

test("writing again after a failed sync and syncing that is what helps", async () => {
  for (const seed of SEEDS) {
    const { world, file } = await worldWith(seed, pattern(4096));
    world.disk.failNext({ op: "sync", code: "EIO" });
    file.writeAt(new Uint8Array(4096).fill(0xee), 0);
    await synced(world, file);
    file.writeAt(new Uint8Array(4096).fill(0xee), 0);
    assert.equal(await synced(world, file), null);
    assert.deepEqual(contentAfter(world, true), new Uint8Array(4096).fill(0xee));
  }
});

test("a sync covers what was written before it began, no more", async () => {
  let lost = 0;
  for (const seed of SEEDS) {
    const { world, file } = await worldWith(seed, new Uint8Array(1024));
    file.writeAt(new Uint8Array(512).fill(1), 0);
    const done = synced(world, file);
    file.writeAt(new Uint8Array(512).fill(2), 512);
    assert.equal(await done, null);
    const found = contentAfter(world, true) as Uint8Array;
    assert.equal(found[0], 1);
    if (found[512] === 0) lost++;
  }
  assert.ok(lost > 0);
});

test("a killed process loses nothing that it wrote, and all that it was waiting for", async () => {
  const { world, file } = await worldWith(7, pattern(100));
  const events: string[] = [];
  const { clock, files } = world.platform;
  file.writeAt(pattern(200, 3), 0);
  files.writeWhole("/b", pattern(5));
  file.syncData(() => events.push("sync"));
  file.readAt(new Uint8Array(1), 0, () => events.push("read"));
  clock.setTimer(10, () => events.push("timer"));
  clock.every(10, () => events.push("every"));
  clock.afterTurn(() => events.push("turn"));
  const next = world.crash({ powerCut: false });
  await world.advance("1m");
  assert.deepEqual(events, []);
  assert.deepEqual(next.files.readWhole("/a"), pattern(200, 3));
  assert.deepEqual(next.files.readWhole("/b"), pattern(5));
  assert.throws(() => file.writeAt(pattern(1), 0), PlatformError);
  assert.throws(() => files.list("/"), PlatformError);
});

test("what a killed process wrote is still not on the device", async () => {
  const found = new Set<number>();
  for (const seed of SEEDS) {
    const { world, file } = await worldWith(seed, new Uint8Array(512));
    file.writeAt(new Uint8Array(512).fill(1), 0);
    world.crash({ powerCut: false });
    found.add((contentAfter(world, true) as Uint8Array)[0]);
  }
  assert.deepEqual([...found].sort(), [0, 1]);
});

test("a lock goes with the process that held it", () => {
  const world = simulation({ seed: 1 });
  world.platform.files.lock("/lock", "");
  assert.throws(() => world.platform.files.lock("/lock", ""), { code: "ELOCKED" });
  world.crash({ powerCut: false }).files.lock("/lock", "").release();
});

test("one seed is one course of events, another seed another", async () => {
  const run = async (seed: number): Promise<string> => {
    const world = simulation({ seed });
    const { files, net, clock } = world.platform;
    const log: string[] = [];
    const opened = ["x", "y", "z"].map((name) => files.open(`/${name}`, { create: true }));
    const listener = await world.finish(net.listen({ host: "127.0.0.1", port: 0 }, (connection) => {
      connection.handler = { data: (chunk) => log.push(`data ${chunk.length}`), close: () => log.push("close") };
    }, () => {}));
    const client = await world.finish(net.connect({ ...listener.address, timeoutMs: 1000 }));
    client.handler = { data: () => {}, close: () => {} };
    client.write(pattern(50_000));
    opened.forEach((file, i) => {
      file.writeAt(pattern(3000, i), 0);
      file.syncData(() => log.push(`sync ${file.path} ${clock.nowMs()}`));
      file.readAt(new Uint8Array(10), 0, () => log.push(`read ${file.path}`));
    });
    await world.settle();
    for (const file of opened) file.writeAt(pattern(9000, 9), 1000);
    const after = world.crash({ powerCut: true }).files;
    for (const name of after.list("/")) log.push(`${name} ${after.readWhole(`/${name}`)?.join("")}`);
    return log.join("\n");
  };
  const runs = await Promise.all([5, 5, 6].map(run));
  assert.equal(runs[0], runs[1]);
  assert.notEqual(runs[0], runs[2]);
});
