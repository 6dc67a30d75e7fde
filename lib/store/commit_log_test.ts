import assert from "node:assert/strict";
import { test } from "node:test";
import { simulation } from "@rmq/platform/simulated";
import { draftOf, getOnce, KeptLog, openSmall, put, readQueue, ROOT } from "./_test_store.ts";
import { AppendStatus, type Store } from "./store.ts";

const SEGMENT = 64 * 1024;
/** What an entry of topic "T" without properties has besides its body. */
const OVERHEAD = 92;

async function started(options: Parameters<typeof openSmall>[1] = {}) {
  const sim = simulation({ seed: 7 });
  const log = new KeptLog();
  const store = await sim.finish(openSmall(sim.platform, options, log));
  return { sim, store, log };
}

function append(store: Store, ...message: Parameters<typeof draftOf>): number {
  return store.append(draftOf(...message), store.queue(message[0], message[1]));
}

test("what one turn appends is one batch, and nothing of it is visible before the sync is done", async () => {
  const { sim, store } = await started();
  sim.disk.latencyMs.sync = 5;
  const rungs: number[][] = [];
  store.onAdvance(() => rungs.push([store.written, store.durable, store.visible]));
  for (let i = 0; i < 10; i++) put(store, "T", 0, `body ${i}`);
  assert.equal(store.written, 0);
  await sim.settle();
  const end = store.appended;
  assert.deepEqual(rungs, [[end, 0, 0]]);
  assert.equal(store.stats().batches, 1);
  assert.equal(store.queue("T", 0).max, 0);
  await sim.advance(10); // the directory, then the file
  assert.deepEqual(rungs.at(-1), [end, end, end]);
  assert.equal(store.queue("T", 0).max, 10);
});

test("with ASYNC_FLUSH a message is visible when it is written, and on disk when the interval is over", async () => {
  const { sim, store } = await started({ flushDiskType: "ASYNC_FLUSH" });
  for (let i = 0; i < 20; i++) put(store, "T", 0, "x".repeat(1000));
  await sim.settle();
  assert.equal(store.visible, store.appended);
  assert.equal(store.durable, 0);
  await sim.advance(500);
  assert.equal(store.durable, store.appended);
  put(store, "T", 0, "less than four pages");
  await sim.advance(1000);
  assert.ok(store.durable < store.appended);
  await sim.advance(10_000);
  assert.equal(store.durable, store.appended);
});

test("an entry may end 8 bytes before the segment does; one byte more and a blank record takes its place", async () => {
  for (const spare of [8, 7]) {
    const { sim, store } = await started();
    const size = SEGMENT - spare;
    // In two parts, as topic and properties add little to two bodies.
    const first = put(store, "T", 0, "a".repeat(40_000));
    const second = put(store, "T", 0, "b".repeat(size - 40_000 - 2 * OVERHEAD));
    await sim.finish(store.flush());
    const rolled = spare < 8;
    assert.equal(second.physical, rolled ? SEGMENT : 40_000 + OVERHEAD);
    const third = put(store, "T", 0, "c");
    assert.equal(third.physical, rolled ? SEGMENT + size - 40_000 - OVERHEAD : SEGMENT);
    await sim.finish(store.flush());
    const bytes = sim.platform.files.readWhole(`${ROOT}/commitlog/00000000000000000000`) as Uint8Array;
    assert.equal(bytes.length, SEGMENT);
    const blankAt = rolled ? 40_000 + OVERHEAD : SEGMENT - 8;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    assert.equal(view.getInt32(blankAt), SEGMENT - blankAt);
    assert.equal(view.getInt32(blankAt + 4), -875286124);
    assert.deepEqual((await sim.finish(readQueue(store, "T", 0))).map((seen) => seen.physical), [
      first.physical,
      second.physical,
      third.physical,
    ]);
  }
});

test("reserve makes a batch lie in one segment", async () => {
  const { sim, store } = await started();
  put(store, "T", 0, "a".repeat(SEGMENT - 1000));
  assert.equal(store.reserve(3 * (400 + OVERHEAD)), AppendStatus.OK);
  for (let i = 0; i < 3; i++) {
    assert.equal(put(store, "T", 0, "b".repeat(400)).physical, SEGMENT + i * (400 + OVERHEAD));
  }
  assert.equal(store.reserve(SEGMENT), AppendStatus.MESSAGE_ILLEGAL);
  await sim.finish(store.flush());
  assert.equal((await sim.finish(readQueue(store, "T", 0))).length, 4);
});

test("what can't be stored is refused with its reason", async () => {
  const { store } = await started({ maxMessageSize: 5000 });
  assert.equal(append(store, "T", 0, "x".repeat(5000)), AppendStatus.OK);
  assert.equal(append(store, "T", 0, "x".repeat(5001)), AppendStatus.MESSAGE_ILLEGAL);
  assert.equal(append(store, "T".repeat(127), 0, "x"), AppendStatus.OK);
  assert.equal(append(store, "T".repeat(128), 0, "x"), AppendStatus.MESSAGE_ILLEGAL);
  assert.equal(append(store, "%RETRY%" + "T".repeat(248), 0, "x"), AppendStatus.OK);
  assert.equal(append(store, "%RETRY%" + "T".repeat(249), 0, "x"), AppendStatus.MESSAGE_ILLEGAL);
  assert.equal(append(store, "a\0b", 0, "x"), AppendStatus.MESSAGE_ILLEGAL);
  const long = `KEY\x01${"v".repeat(32_768)}\x02`;
  assert.equal(append(store, "T", 0, "x", long), AppendStatus.PROPERTIES_SIZE_EXCEEDED);
  store.setFenced(true);
  assert.equal(append(store, "T", 0, "x"), AppendStatus.SERVICE_NOT_AVAILABLE);
  assert.match(store.refusal ?? "", /fenced/);
  store.setFenced(false);
  assert.equal(append(store, "T", 0, "x"), AppendStatus.OK);
});

test("a message larger than a segment is refused, not rolled for ever", async () => {
  const { store } = await started();
  assert.equal(append(store, "T", 0, new Uint8Array(SEGMENT)), AppendStatus.MESSAGE_ILLEGAL);
  assert.equal(append(store, "T", 0, new Uint8Array(SEGMENT - OVERHEAD - 8)), AppendStatus.OK);
});

test("prepared and rollback transaction entries take no queue offset and are in no queue", async () => {
  const { sim, store } = await started();
  for (const [sysFlag, offset] of [[0, 0], [4, 0], [12, 0], [8, 1], [0, 2]]) {
    const draft = draftOf("T", 0, "x");
    draft.sysFlag = sysFlag;
    assert.equal(store.append(draft, store.queue("T", 0)), AppendStatus.OK);
    assert.equal(draft.queueOffset, offset);
  }
  await sim.finish(store.flush());
  assert.equal(store.queue("T", 0).max, 3);
});

test("too much that is not durable answers BUSY until the disk has caught up", async () => {
  const { sim, store } = await started({ undurableBytes: 10_000 });
  sim.disk.latencyMs.sync = 5;
  for (let i = 0; i < 9; i++) assert.equal(append(store, "T", 0, "x".repeat(1000)), AppendStatus.OK);
  assert.equal(append(store, "T", 0, "x".repeat(1000)), AppendStatus.BUSY);
  await sim.advance(20);
  assert.equal(append(store, "T", 0, "x".repeat(1000)), AppendStatus.OK);
});

test("store timestamps stand still while the clock is set back", async () => {
  const { sim, store, log } = await started();
  put(store, "T", 0, "a");
  await sim.finish(store.flush());
  sim.clock.stepMs(-3_600_000);
  put(store, "T", 0, "b");
  await sim.finish(store.flush());
  const [a, b] = await sim.finish(readQueue(store, "T", 0));
  assert.equal(b.storeTimestamp, a.storeTimestamp);
  assert.ok(log.has(/the clock was set back/));
});

test("entries that left memory are read from the disk, whether their blocks are cached or not", async () => {
  const { sim, store } = await started({ segmentBytes: 8 * 1024 * 1024, tailBytes: 1024 * 1024 });
  for (let i = 0; i < 600; i++) {
    put(store, "T", 0, `${i} `.padEnd(10_000, "."));
    if (i % 50 === 49) await sim.finish(store.flush());
  }
  assert.equal(store.inMemory(0), false);
  assert.ok(store.inMemory(store.visible - 10_000));
  const bodies = (await sim.finish(readQueue(store, "T", 0))).map((seen) => Number(seen.body.split(" ")[0]));
  assert.deepEqual(bodies, Array.from({ length: 600 }, (_, i) => i));
});

test("an entry is found by its physical offset alone, and nothing is found between entries", async () => {
  const { sim, store } = await started();
  put(store, "T", 0, "a".repeat(300));
  const second = put(store, "T", 0, "b".repeat(300));
  await sim.finish(store.flush());
  const sizeAt = (offset: number, size: number) =>
    sim.finish(
      new Promise<number | null>((resolve) =>
        store.entryAt(offset, size, (bytes, start, end) => resolve(bytes === null ? null : end - start))
      ),
    );
  assert.equal(await sizeAt(second.physical, 0), 300 + OVERHEAD);
  assert.equal(await sizeAt(second.physical, 300 + OVERHEAD), 300 + OVERHEAD);
  for (const offset of [1, second.physical + 1, store.visible - 3, store.visible, -1, 2 ** 50]) {
    assert.equal(await sizeAt(offset, 0), null, `at ${offset}`);
  }
  assert.equal(await sizeAt(second.physical, 299 + OVERHEAD), null);
  assert.equal((await sim.finish(getOnce(store, "T", 0, 1))).found[0].physical, second.physical);
});

test("a batch above undurableBytes gets in as a whole or not at all", async () => {
  const { sim, store } = await started({ undurableBytes: 10_000 });
  const batch = (): number[] => Array.from({ length: 16 }, () => append(store, "T", 0, "x".repeat(1000)));
  const bytes = 16 * (1000 + OVERHEAD);
  assert.equal(store.reserve(bytes), AppendStatus.OK);
  assert.deepEqual(batch(), Array(16).fill(AppendStatus.OK));
  // What was let in is used up, by the next message as by the next batch.
  assert.equal(append(store, "T", 0, "x".repeat(1000)), AppendStatus.BUSY);
  assert.equal(store.reserve(bytes), AppendStatus.BUSY);
  await sim.finish(store.flush());
  // A reservation that is not used ends with its turn.
  assert.equal(store.reserve(bytes), AppendStatus.OK);
  await sim.settle();
  const statuses = batch();
  assert.deepEqual(statuses.slice(-1), [AppendStatus.BUSY]);
});
