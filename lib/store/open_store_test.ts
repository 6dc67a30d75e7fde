import assert from "node:assert/strict";
import { test } from "node:test";
import { simulation } from "@rmq/platform/simulated";
import { KeptLog, openSmall, put, readQueue, ROOT } from "./_test_store.ts";
import type { Store } from "./store.ts";

const SEGMENT = 64 * 1024;
const LOG = `${ROOT}/commitlog`;

const name = (base: number) => `${LOG}/${base.toString().padStart(20, "0")}`;

function started() {
  const sim = simulation({ seed: 3 });
  const open = (log = new KeptLog(), options = {}): Promise<Store> => sim.finish(openSmall(sim.platform, options, log));
  return { sim, open, files: () => sim.platform.files };
}

/** Fills some segments and closes. */
async function filled() {
  const world = started();
  const store = await world.open();
  for (let i = 0; i < 60; i++) {
    put(store, "T", i % 2, `${i} `.padEnd(4000, "."), `TAGS\x01A\x02KEYS\x01k${i}\x02UNIQ_KEY\x01u${i}\x02`);
    if (i % 10 === 9) await world.sim.finish(store.flush());
  }
  await world.sim.finish(store.close());
  return world;
}

test("abort and lock are there while the store is open; a clean close leaves neither abort nor a broken record", async () => {
  const { open, files, sim } = started();
  const store = await open();
  assert.match(new TextDecoder().decode(files().readWhole(`${ROOT}/abort`) ?? undefined), /^0\nrmq /);
  assert.equal(new TextDecoder().decode(files().readWhole(`${ROOT}/lock`) ?? undefined), "lock");
  await assert.rejects(open(), { code: "LOCKED" });
  await sim.finish(store.close());
  assert.equal(files().stat(`${ROOT}/abort`), null);
  const log = new KeptLog();
  await open(log);
  assert.deepEqual(log.lines, []);
});

test("after a clean close everything is where it was, and nothing is scanned or cut", async () => {
  const { open, files, sim } = await filled();
  const cut = files().stat(name(3 * SEGMENT))?.modifiedMs;
  await sim.advance(1000);
  const log = new KeptLog();
  const store = await open(log);
  assert.deepEqual(log.lines, []);
  assert.equal(files().stat(name(3 * SEGMENT))?.modifiedMs, cut);
  assert.deepEqual([store.queue("T", 0).max, store.queue("T", 1).nextOffset], [30, 30]);
  const bodies = (await sim.finish(readQueue(store, "T", 1))).map((seen) => Number(seen.body.split(" ")[0]));
  assert.deepEqual(bodies, Array.from({ length: 30 }, (_, i) => 2 * i + 1));
  const offsets = await sim.finish(
    new Promise<number[]>((resolve) => store.query("T", "k7", null, 10, 0, 2 ** 50, (found) => resolve(found))),
  );
  assert.equal(offsets.length, 1);
});

test("the checkpoint tells a Java broker what is on disk: times of the last message, end of the queues", async () => {
  const { files, open } = await filled();
  const bytes = files().readWhole(`${ROOT}/checkpoint`) as Uint8Array;
  assert.equal(bytes.length, 4096);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const [physic, logics, index] = [0, 8, 16].map((at) => Number(view.getBigInt64(at)));
  assert.ok(physic > 0);
  assert.deepEqual([logics, index], [physic, physic]);
  const store = await open();
  assert.equal(Number(view.getBigInt64(40)), store.appended);
});

test("an empty last file is removed; a file of another size is refused by name", async () => {
  const { open, files, sim } = await filled();
  const end = files().list(LOG).length * SEGMENT;
  files().writeWhole(name(end), new Uint8Array(0));
  const log = new KeptLog();
  const store = await open(log);
  assert.equal(files().stat(name(end)), null);
  assert.ok(log.has(/removed an empty commit log file/));
  await sim.finish(store.close());
  files().writeWhole(name(SEGMENT), new Uint8Array(100));
  await assert.rejects(open(), {
    code: "CORRUPT",
    message: /00000000000000065536 has 100 bytes.*mappedFileSizeCommitLog/,
  });
});

test("a file of another name and a missing file are refused; a folder is skipped", async () => {
  const { open, files } = await filled();
  files().makeDirectory(`${LOG}/lost+found`);
  files().writeWhole(`${LOG}/readme.txt`, new Uint8Array(1));
  await assert.rejects(open(), { code: "CORRUPT", message: /readme.txt is not a commit log file/ });
  files().remove(`${LOG}/readme.txt`);
  files().remove(name(SEGMENT));
  await assert.rejects(open(), { code: "CORRUPT", message: /00000000000000065536 is missing/ });
});

test("a refused store keeps no lock", async () => {
  const { open, files } = await filled();
  files().writeWhole(`${LOG}/x`, new Uint8Array(1));
  await assert.rejects(open(), { code: "CORRUPT" });
  files().remove(`${LOG}/x`);
  assert.equal((await open()).queue("T", 0).max, 30);
});

test("a log whose first files are gone starts at the first that is there", async () => {
  const { open, files, sim } = await filled();
  files().remove(name(0));
  const store = await open();
  assert.equal(store.minOffset, SEGMENT);
  const queue = store.queue("T", 0);
  assert.ok(queue.min > 0 && queue.max === 30);
  const found = await sim.finish(readQueue(store, "T", 0));
  assert.equal(found[0].offset, queue.min);
  assert.ok(found[0].physical >= SEGMENT);
  put(store, "T", 0, "next");
  await sim.finish(store.flush());
  assert.equal(queue.max, 31);
});

test("without our own record the same directory is recovered by Apache's rules, after a close and after a kill", async () => {
  for (const killed of [false, true]) {
    const { open, files, sim } = await filled();
    if (killed) files().writeWhole(`${ROOT}/abort`, new TextEncoder().encode("4711"));
    files().removeTree(`${ROOT}/rmq`);
    const store = await open();
    for (const queueId of [0, 1]) {
      assert.equal(store.queue("T", queueId).nextOffset, 30);
      assert.equal((await sim.finish(readQueue(store, "T", queueId))).length, 30);
    }
  }
});

test("a record that another broker has outrun is harmless", async () => {
  const { open, files, sim } = await filled();
  const stale = files().readWhole(`${ROOT}/rmq/progress.json`) as Uint8Array;
  const store = await open();
  for (let i = 0; i < 30; i++) put(store, "T", 0, `more ${i}`.padEnd(3000, "."));
  await sim.finish(store.flush());
  await sim.finish(store.close());
  files().writeWhole(`${ROOT}/rmq/progress.json`, stale);
  files().writeWhole(`${ROOT}/abort`, new TextEncoder().encode("4711"));
  const again = await open();
  assert.equal(again.queue("T", 0).nextOffset, 60);
  assert.equal((await sim.finish(readQueue(again, "T", 0))).length, 60);
});

test("a deleted topic stays deleted over a kill, and starts at 0 when it is made again", async () => {
  const { open, sim } = started();
  const store = await open();
  put(store, "Gone", 0, "old");
  put(store, "Stays", 0, "kept");
  await sim.finish(store.flush());
  put(store, "Gone", 0, "not yet visible");
  await sim.finish(new Promise<void>((resolve) => store.deleteTopic("Gone", () => resolve())));
  await sim.finish(store.flush());
  assert.deepEqual(store.topics(), ["Stays"]);
  sim.crash({ powerCut: true });
  const second = await open();
  assert.deepEqual(second.topics(), ["Stays"]);
  assert.equal(put(second, "Gone", 0, "new").offset, 0);
  await sim.finish(second.flush());
  sim.crash({ powerCut: true });
  const third = await open();
  assert.deepEqual((await sim.finish(readQueue(third, "Gone", 0))).map((seen) => seen.body), ["new"]);
  assert.equal((await sim.finish(readQueue(third, "Stays", 0))).length, 1);
});

test("recovery does not bring back queues of a topic that the broker does not know", async () => {
  const { open, files, sim } = await filled();
  files().writeWhole(`${ROOT}/abort`, new TextEncoder().encode("4711"));
  files().removeTree(`${ROOT}/rmq`);
  files().removeTree(`${ROOT}/consumequeue/T`);
  const store = await open(new KeptLog(), { topicExists: (topic: string) => topic !== "T" });
  assert.deepEqual(store.topics(), []);
  assert.equal(put(store, "T", 0, "new").offset, 0);
  await sim.finish(store.flush());
});

test("the earliest store time and the counters are told", async () => {
  const { open, sim } = await filled();
  const store = await open();
  const earliest = await sim.finish(new Promise<number>((resolve) => store.earliestStoreTime(resolve)));
  const first = (await sim.finish(readQueue(store, "T", 0)))[0].storeTimestamp;
  assert.equal(earliest, first);
  put(store, "T", 0, "x");
  await sim.finish(store.flush());
  const stats = store.stats();
  assert.deepEqual([stats.appendedEntries, stats.batches, stats.dispatchedEntries, stats.undurableBytes], [1, 1, 1, 0]);
  assert.ok(stats.flushes >= 1 && stats.segments === 4);
});

test("options that can't work are refused", async () => {
  const { open } = started();
  await assert.rejects(open(new KeptLog(), { segmentBytes: 100 }), {
    code: "BAD_OPTION",
    message: /mappedFileSizeCommitLog/,
  });
});

test("queues that somebody removed are built anew from the whole log, after a close and after a kill", async () => {
  for (const clean of [true, false]) {
    const { open, files, sim } = await filled();
    if (!clean) {
      await open();
      sim.crash({ powerCut: false });
    }
    files().removeTree(`${ROOT}/consumequeue`);
    const store = await open();
    assert.deepEqual([store.queue("T", 0).max, store.queue("T", 1).nextOffset], [30, 30]);
    assert.equal((await sim.finish(readQueue(store, "T", 1))).length, 30);
  }
});

test("a topic that recovery passed over does not come back when it is made again", async () => {
  const { open, files, sim } = await filled();
  files().writeWhole(`${ROOT}/abort`, new TextEncoder().encode("4711"));
  files().removeTree(`${ROOT}/consumequeue/T`);
  const store = await open(new KeptLog(), { topicExists: () => false });
  assert.equal(put(store, "T", 0, "new").offset, 0);
  await sim.finish(store.flush());
  sim.crash({ powerCut: true });
  const again = await open(new KeptLog(), { topicExists: () => true });
  assert.deepEqual((await sim.finish(readQueue(again, "T", 0))).map((seen) => seen.body), ["new"]);
});

test("keys are found after a power cut in the first run of a store", async () => {
  const sim = simulation({ seed: 8 });
  const store = await sim.finish(openSmall(sim.platform));
  put(store, "T", 0, "x", "KEYS\x01once\x02");
  await sim.finish(store.flush());
  await sim.advance(20_000);
  const again = await sim.finish(openSmall(sim.crash({ powerCut: true })));
  const offsets = await sim.finish(
    new Promise<number[]>((resolve) => again.query("T", "once", null, 10, 0, 2 ** 50, (found) => resolve(found))),
  );
  assert.equal(offsets.length, 1);
});

test("a start that fails, wherever it does, leaves no file open and no lock behind", async () => {
  for (const [op, path] of [["open", "/"], ["sync", "/"], ["read", "/"], ["truncate", "/commitlog/"]] as const) {
    const sim = simulation({ seed: 21 });
    const first = await sim.finish(openSmall(sim.platform));
    for (let i = 0; i < 40; i++) put(first, "T", i % 3, "x".repeat(2500), `KEYS\x01k${i}\x02`);
    await sim.finish(first.flush());
    await sim.advance(20_000);
    put(first, "T", 0, "not taken by the followers on disk");
    await sim.finish(first.flush());
    const { files } = sim.crash({ powerCut: false });
    const live = new Set<string>();
    const open = files.open.bind(files);
    files.open = (path, options) => {
      const file = open(path, options);
      const close = file.close.bind(file);
      live.add(path);
      file.close = () => {
        live.delete(path);
        close();
      };
      return file;
    };
    let failures = 0;
    for (let skip = 0;; skip++) {
      sim.disk.failNext({ op, path, code: "EIO", skip });
      const failed = await sim.finish(
        openSmall(sim.platform).then((store) => store.close(), (error) => String(error)),
      );
      sim.disk.clearFaults();
      await sim.settle();
      assert.deepEqual([...live], [], `${op} ${skip}`);
      if (failed === undefined) break;
      failures++;
    }
    assert.ok(failures > 0, op);
    const again = await sim.finish(openSmall(sim.platform));
    assert.equal((await sim.finish(readQueue(again, "T", 0))).length, 15);
  }
});
