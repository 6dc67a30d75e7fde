import assert from "node:assert/strict";
import { test } from "node:test";
import { type Simulation, simulation } from "@rmq/platform/simulated";
import { draftOf, KeptLog, openSmall, put, readQueue } from "./_test_store.ts";
import { AppendStatus, type Store } from "./store.ts";

async function started(options: Parameters<typeof openSmall>[1] = {}) {
  const sim = simulation({ seed: 11 });
  const log = new KeptLog();
  const store = await sim.finish(openSmall(sim.platform, options, log));
  return { sim, store, log };
}

test("a failed write takes the batch back, and the disk is tried again until it works", async () => {
  const { sim, store } = await started();
  put(store, "T", 0, "kept");
  await sim.finish(store.flush());
  const end = store.appended;
  const rollbacks: [number, string][] = [];
  store.onRollback((from, cause) => rollbacks.push([from, cause]));
  sim.disk.failNext({ op: "write", path: "commitlog", code: "EIO", shortWrite: 150, count: 2 });
  put(store, "T", 0, "gone");
  put(store, "T", 1, "gone too");
  await sim.settle();
  assert.equal(rollbacks.length, 1);
  assert.equal(rollbacks[0][0], end);
  assert.match(rollbacks[0][1], /EIO/);
  assert.deepEqual([store.appended, store.queue("T", 0).nextOffset, store.queue("T", 1).nextOffset], [end, 1, 0]);
  assert.match(store.refusal ?? "", /could not be written/);
  await sim.advance(1000);
  assert.match(store.refusal ?? "", /could not be written/);
  await sim.advance(1000);
  assert.equal(store.refusal, null);
  assert.deepEqual(put(store, "T", 0, "next"), { physical: end, offset: 1 });
  await sim.finish(store.flush());
  const again = await sim.finish(openSmall(sim.crash({ powerCut: true })));
  assert.deepEqual((await sim.finish(readQueue(again, "T", 0))).map((seen) => seen.body), ["kept", "next"]);
  assert.deepEqual(await sim.finish(readQueue(again, "T", 1)), []);
});

test("after a failed sync everything is written again before it counts as durable", async () => {
  const { sim, store, log } = await started();
  sim.disk.failNext({ op: "sync", path: "commitlog", code: "EIO" });
  put(store, "T", 0, "precious");
  await sim.settle();
  assert.deepEqual([store.written > 0, store.durable, store.visible], [true, 0, 0]);
  assert.match(store.refusal ?? "", /could not be synced/);
  assert.equal(store.append(draftOf("T", 0, "x"), store.queue("T", 0)), AppendStatus.SERVICE_NOT_AVAILABLE);
  await sim.advance(100);
  assert.equal(store.visible, store.appended);
  assert.equal(store.refusal, null);
  assert.ok(log.has(/can be synced again/));
  const again = await sim.finish(openSmall(sim.crash({ powerCut: true })));
  assert.deepEqual((await sim.finish(readQueue(again, "T", 0))).map((seen) => seen.body), ["precious"]);
});

test("a process that is killed after a failed sync does not fool the next one", async () => {
  const { sim, store } = await started();
  sim.disk.failNext({ op: "sync", path: "commitlog", code: "EIO" });
  put(store, "T", 0, "precious");
  await sim.settle();
  const next = await sim.finish(openSmall(sim.crash({ powerCut: false })));
  assert.equal(next.queue("T", 0).max, 1);
  const last = await sim.finish(openSmall(sim.crash({ powerCut: true })));
  assert.deepEqual((await sim.finish(readQueue(last, "T", 0))).map((seen) => seen.body), ["precious"]);
});

test("flush rejects when the disk can't be synced", async () => {
  const { sim, store } = await started();
  sim.disk.latencyMs.sync = 5;
  sim.disk.failNext({ op: "sync", path: "commitlog", code: "EIO" });
  put(store, "T", 0, "x");
  await assert.rejects(sim.finish(store.flush()), /EIO/);
});

test("a full disk refuses writes, reads go on, and with room again everything goes on", async () => {
  const { sim, store, log } = await started({ minFreeBytes: 1_000_000 });
  put(store, "T", 0, "before");
  await sim.finish(store.flush());
  sim.disk.setFreeBytes(500_000);
  await sim.advance(70_000);
  assert.match(store.refusal ?? "", /disk is full/);
  assert.equal((await sim.finish(readQueue(store, "T", 0))).length, 1);
  sim.disk.setFreeBytes(50_000_000);
  await sim.advance(10_000);
  assert.equal(store.refusal, null);
  assert.ok(log.has(/room again/));
  put(store, "T", 0, "after");
  await sim.finish(store.flush());
  assert.equal(store.queue("T", 0).max, 2);
});

test("a write that finds no room at all is taken back and works once there is room", async () => {
  const { sim, store } = await started();
  put(store, "T", 0, "before");
  await sim.finish(store.flush());
  sim.disk.setFreeBytes(0);
  put(store, "T", 0, "x".repeat(20_000));
  await sim.settle();
  assert.match(store.refusal ?? "", /could not be written/);
  assert.equal(store.queue("T", 0).nextOffset, 1);
  sim.disk.setFreeBytes(2 ** 30);
  await sim.advance(1000);
  assert.equal(store.refusal, null);
  assert.equal(put(store, "T", 0, "after").offset, 1);
});

test("a clean close on a disk that fails leaves a store that the next start recovers", async () => {
  const { sim, store, log } = await started();
  put(store, "T", 0, "x");
  await sim.finish(store.flush());
  sim.disk.failNext({ op: "sync", path: "consumequeue", code: "EIO" });
  await sim.finish(store.close());
  assert.ok(log.has(/could not be closed cleanly/));
  assert.notEqual(sim.platform.files.stat("/data/store/abort"), null);
  const again = await sim.finish(openSmall(sim.crash({ powerCut: true })));
  assert.equal((await sim.finish(readQueue(again, "T", 0))).length, 1);
});

test("a note of a failed sync that can't be removed stops nothing, here or at the next start", async () => {
  const { sim, store, log } = await started();
  sim.disk.failNext({ op: "sync", path: "commitlog", code: "EIO" });
  sim.disk.failNext({ op: "remove", path: "failed_sync", code: "EROFS" });
  put(store, "T", 0, "precious");
  await sim.settle();
  await sim.advance(100);
  assert.deepEqual([store.visible, store.refusal], [store.appended, null]);
  assert.ok(log.has(/note of a failed sync can't be removed/));
  const next = await sim.finish(openSmall(sim.crash({ powerCut: false })));
  assert.equal(next.queue("T", 0).max, 1);
  assert.equal(sim.platform.files.stat("/data/store/rmq/failed_sync.json"), null);
});

test("a queue file that can't be opened for its sync is synced the next time", async () => {
  const { sim, store, log } = await started({ openFiles: 8 });
  // Six files of one queue, of which four may be open: the first one has to be opened again.
  for (let i = 0; i < 600; i++) put(store, "T", 0, "x");
  await sim.finish(store.flush());
  sim.disk.failNext({ op: "open", path: "consumequeue", code: "EMFILE", skip: 6 });
  await sim.advance(10_000);
  assert.ok(log.has(/could not be brought to disk.*EMFILE/));
  await sim.advance(10_000);
  const again = await sim.finish(openSmall(sim.crash({ powerCut: true })));
  assert.equal((await sim.finish(readQueue(again, "T", 0))).length, 600);
});

/** Stores one message for each key k of [from, to), and lets the index come to disk. */
async function putKeys(sim: Simulation, store: Store, from: number, to: number): Promise<void> {
  for (let k = from; k < to; k++) put(store, "T", 0, "x", `KEYS\u0001k${k}\u0002`);
  await sim.finish(store.flush());
  await sim.advance(10_000);
}

/** The keys of [0, end) that the index finds. */
async function foundKeys(sim: Simulation, store: Store, end: number): Promise<number[]> {
  const found: number[] = [];
  for (let k = 0; k < end; k++) {
    const offsets = await sim.finish(
      new Promise<number[]>((resolve) => store.query("T", `k${k}`, null, 64, 0, Number.MAX_SAFE_INTEGER, resolve)),
    );
    if (offsets.length > 0) found.push(k);
  }
  return found;
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
const failures = (log: KeptLog) => log.lines.filter((line) => /could not be brought to disk/.test(line));

test("a sync of the index that failed is made up for, whichever it was, and progress is recorded again", async () => {
  for (const skip of [0, 1]) {
    const { sim, store, log } = await started();
    await putKeys(sim, store, 0, 30);
    sim.disk.failNext({ op: "sync", path: "/index/", code: "EIO", skip });
    await putKeys(sim, store, 30, 60);
    assert.equal(failures(log).length, 1);
    await sim.advance(10_000);
    await putKeys(sim, store, 60, 90);
    assert.equal(failures(log).length, 1);
    const again = await sim.finish(openSmall(sim.crash({ powerCut: true })));
    assert.deepEqual(await foundKeys(sim, again, 90), range(0, 90));
  }
});

test("index entries that the kernel lost with a failed sync are given up, the others and new ones are found", async () => {
  const { sim, store, log } = await started();
  await putKeys(sim, store, 0, 30);
  sim.disk.failNext({ op: "sync", path: "/index/", code: "EIO" });
  await putKeys(sim, store, 30, 60);
  const name = sim.platform.files.list("/data/store/index")[0];
  const file = sim.platform.files.open(`/data/store/index/${name}`);
  file.writeAt(new Uint8Array(30 * 20), 40 + 100 * 4 + 31 * 20);
  file.close();
  await sim.advance(20_000);
  assert.match(failures(log)[1], /the last 30 entries were lost with a failed sync/);
  await putKeys(sim, store, 60, 90);
  assert.equal(failures(log).length, 2);
  const found = [...range(0, 30), ...range(60, 90)];
  assert.deepEqual(await foundKeys(sim, store, 90), found);
  const again = await sim.finish(openSmall(sim.crash({ powerCut: true })));
  assert.deepEqual(await foundKeys(sim, again, 90), found);
});
