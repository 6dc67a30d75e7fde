import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { hostPlatform } from "@rmq/platform";
import {
  GOLDEN_QUEUE_FILE_BYTES,
  type GoldenStore,
  goldenStore,
  MemoryLog,
  quiet,
  unpack,
  withDirectory,
} from "./_golden.ts";
import { BLANK_SIZE, putUnit, UNIT_BYTES, unitPhysical, unitSize } from "./consume_queue_layout.ts";
import { ConsumeQueues } from "./consume_queues.ts";
import type { Follower } from "./dispatch.ts";
import { Dispatcher } from "./dispatcher.ts";

const platform = hostPlatform();
const DELAYS = [1, 5, 10, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 1200, 1800, 3600, 7200];
const clean = { abnormal: false, indexMsgTimestamp: 0, flushedTo: -1 };
const crashed = { abnormal: true, indexMsgTimestamp: 0, flushedTo: -1 };

function queuesIn(root: string, log: { readonly minOffset: number }, memoryBytes = 1 << 20): ConsumeQueues {
  const options = {
    directory: join(root, "consumequeue"),
    fileBytes: GOLDEN_QUEUE_FILE_BYTES,
    memoryBytes,
    openFiles: 4,
  };
  return new ConsumeQueues(platform, log, options, quiet);
}

function done(run: (done: (error: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => run((error) => error === null ? resolve() : reject(error)));
}

function feed(log: MemoryLog, queues: ConsumeQueues, from = 0): void {
  const followers: Follower[] = [queues];
  const dispatcher = new Dispatcher(queues, followers, DELAYS.map((seconds) => seconds * 1000));
  log.scan(dispatcher.message, from, () => {
    dispatcher.prepare();
    dispatcher.deliver();
  });
}

function assertHolds(queues: ConsumeQueues, store: GoldenStore): void {
  for (const [name, max] of Object.entries(store.maxQueueOffsets)) {
    const [topic, queueId] = name.split("@");
    assert.equal(queues.existing(topic, Number(queueId))?.max, max, name);
  }
  for (const message of store.messages) {
    const queue = queues.existing(message.topic, message.queueId);
    assert.ok(queue !== null && queue.locate(message.queueOffset));
    assert.equal(unitPhysical(queue.unitBytes, queue.unitAt), message.physical);
    assert.equal(unitSize(queue.unitBytes, queue.unitAt), message.size);
  }
}

/** Takes units of 100-byte entries of topic T, queue 0, at log positions 100 n. */
function append(queues: ConsumeQueues, from: number, to: number): void {
  const queue = queues.queue("T", 0);
  for (let n = from; n < to; n++) queue.append(n, n * 100, 100, 0, n);
}

for (const which of ["clean", "killed"] as const) {
  test(`every queue of the Java store (${which}) reads as the manifest says`, () =>
    withDirectory(async (root) => {
      const store = goldenStore(which);
      unpack(store, "consumequeue/", root);
      const queues = queuesIn(root, MemoryLog.of(store));
      await queues.load(which === "clean" ? clean : crashed);
      assertHolds(queues, store);
      const names = queues.topics().flatMap((topic) => queues.queueIds(topic).map((id) => `${topic}@${id}`));
      assert.deepEqual(names.sort(), Object.keys(store.maxQueueOffsets).sort());
    }));
}

test("queues built from the Java store's log are its queue files byte for byte", () =>
  withDirectory(async (root) => {
    const store = goldenStore("clean");
    const log = MemoryLog.of(store);
    const queues = queuesIn(root, log);
    await queues.load(clean);
    feed(log, queues);
    assertHolds(queues, store);
    await done((done) => queues.close(done));
    let compared = 0;
    for (const [path, bytes] of store.files) {
      if (!path.startsWith("consumequeue/")) continue;
      assert.ok(readFileSync(join(root, path)).equals(bytes), path);
      compared++;
    }
    assert.ok(compared > 20);
  }));

test("entries that a loaded queue has are not taken again", () =>
  withDirectory(async (root) => {
    const store = goldenStore("killed");
    unpack(store, "consumequeue/", root);
    const log = MemoryLog.of(store);
    const queues = queuesIn(root, log);
    await queues.load(crashed);
    feed(log, queues);
    assert.equal(queues.dirtyQueues, 0);
    assertHolds(queues, store);
  }));

test("after a crash everything beyond the cut is taken again from the log", () =>
  withDirectory(async (root) => {
    const store = goldenStore("killed");
    unpack(store, "consumequeue/", root);
    const log = MemoryLog.of(store);
    const cut = store.messages[300].physical;
    const queues = queuesIn(root, log);
    await queues.load(crashed);
    queues.truncate(cut);
    const before = store.messages.filter((message) =>
      message.topic === "StRoll" && message.queueId === 1 && message.physical < cut
    );
    assert.equal(queues.existing("StRoll", 1)?.max, before.length);
    feed(log, queues, cut);
    await done((done) => queues.close(done));
    const again = queuesIn(root, log);
    await again.load(clean);
    assertHolds(again, store);
  }));

test("what a crash left in a queue that nobody uses is gone after the first flush", () =>
  withDirectory(async (root) => {
    const log = new MemoryLog(new Uint8Array(0));
    const first = queuesIn(root, log);
    await first.load(clean);
    append(first, 0, 120);
    await done((done) => first.close(done));
    const second = queuesIn(root, log);
    await second.load(crashed);
    second.truncate(7000);
    await done((done) => second.flush(done));
    await done((done) => second.close(done));
    const third = queuesIn(root, log);
    await third.load(clean);
    assert.equal(third.existing("T", 0)?.max, 70);
    assert.equal(existsSync(join(root, "consumequeue/T/0/00000000000000002000")), false);
    const file = readFileSync(join(root, "consumequeue/T/0/00000000000000001000"));
    assert.ok(file.subarray(400).every((byte) => byte === 0));
  }));

test("units behind a hole that a power cut left are not believed", () =>
  withDirectory(async (root) => {
    const log = new MemoryLog(new Uint8Array(0));
    const first = queuesIn(root, log);
    await first.load(clean);
    append(first, 0, 10);
    await done((done) => first.close(done));
    const path = join(root, "consumequeue/T/0/00000000000000000000");
    const bytes = new Uint8Array(readFileSync(path));
    for (let n = 20; n < 30; n++) putUnit(bytes, n * UNIT_BYTES, n * 100, 100, 0, 0);
    writeFileSync(path, bytes);
    const second = queuesIn(root, log);
    await second.load(crashed);
    second.truncate(1000);
    append(second, 10, 15);
    await done((done) => second.close(done));
    const third = queuesIn(root, log);
    await third.load(clean);
    assert.equal(third.existing("T", 0)?.max, 15);
  }));

test("a queue that starts within a file has blank units before its first one", () =>
  withDirectory(async (root) => {
    const log = new MemoryLog(new Uint8Array(0));
    const queues = queuesIn(root, log);
    await queues.load(clean);
    append(queues, 73, 75);
    const queue = queues.queue("T", 0);
    assert.deepEqual([queue.min, queue.max, queue.nextOffset], [73, 75, 75]);
    await done((done) => queues.close(done));
    const bytes = new Uint8Array(readFileSync(join(root, "consumequeue/T/0/00000000000000001000")));
    assert.equal(unitSize(bytes, 0), BLANK_SIZE);
    assert.equal(unitSize(bytes, 22 * UNIT_BYTES), BLANK_SIZE);
    assert.equal(unitPhysical(bytes, 23 * UNIT_BYTES), 7300);
    assert.equal(unitSize(bytes, 25 * UNIT_BYTES), 0);
    const again = queuesIn(root, log);
    await again.load(clean);
    assert.deepEqual([again.existing("T", 0)?.min, again.existing("T", 0)?.max], [73, 75]);
  }));

test("the min offset follows the log's start, in memory and on disk", () =>
  withDirectory(async (root) => {
    const log = { minOffset: 0 };
    const queues = queuesIn(root, log, 1000);
    await queues.load(clean);
    append(queues, 0, 200);
    const queue = queues.queue("T", 0);
    assert.equal(queue.min, 0);
    log.minOffset = 4250;
    assert.equal(queue.min, 43);
    log.minOffset = 19900;
    assert.equal(queue.min, 199);
    log.minOffset = 20000;
    assert.equal(queue.min, 200);
    await done((done) => queues.close(done));
  }));

test("whole files of messages that are gone are removed, the last one stays", () =>
  withDirectory(async (root) => {
    const log = { minOffset: 0 };
    const queues = queuesIn(root, log);
    await queues.load(clean);
    append(queues, 0, 200);
    await done((done) => queues.flush(done));
    log.minOffset = 9850;
    queues.expire(9850);
    const exists = (start: number): boolean =>
      existsSync(join(root, `consumequeue/T/0/${`${start}`.padStart(20, "0")}`));
    assert.deepEqual([0, 1000, 2000, 3000].map(exists), [false, true, true, true]);
    assert.equal(queues.queue("T", 0).min, 99);
    log.minOffset = 1_000_000;
    queues.expire(1_000_000);
    assert.deepEqual([0, 1000, 2000, 3000].map(exists), [false, false, false, true]);
    assert.deepEqual([queues.queue("T", 0).min, queues.queue("T", 0).max], [200, 200]);
    await done((done) => queues.close(done));
  }));

test("memory stays within its bound however much is taken between flushes", () =>
  withDirectory(async (root) => {
    const log = new MemoryLog(new Uint8Array(0));
    const queues = queuesIn(root, log, 16 * 1024);
    await queues.load(clean);
    const message = { physicalOffset: 0, size: 100, queueOffset: 0 };
    for (let n = 0; n < 6000; n++) {
      const queue = queues.queue("T", n % 20);
      message.physicalOffset = n * 100;
      message.queueOffset = Math.floor(n / 20);
      const entry = { message, queue, tagsHigh: 0, tagsLow: 0, batchCount: 1 };
      queues.take(entry as unknown as Parameters<ConsumeQueues["take"]>[0]);
      assert.ok(queues.memoryBytes <= 20 * 1024);
    }
    await done((done) => queues.flush(done));
    assert.equal(queues.flushedTo, 600_000);
    for (let id = 0; id < 20; id++) {
      const queue = queues.queue("T", id);
      assert.ok(queue.locate(150));
      assert.equal(unitPhysical(queue.unitBytes, queue.unitAt), (150 * 20 + id) * 100);
    }
    await done((done) => queues.close(done));
  }));

test("a deleted topic leaves nothing, and starts again at 0", () =>
  withDirectory(async (root) => {
    const log = new MemoryLog(new Uint8Array(0));
    const queues = queuesIn(root, log);
    await queues.load(clean);
    append(queues, 0, 60);
    await done((done) => queues.flush(done));
    const old = queues.queue("T", 0);
    append(queues, 60, 61);
    await done((done) => queues.deleteTopic("T", done));
    old.append(61, 6100, 100, 0, 0);
    await done((done) => queues.flush(done));
    assert.equal(existsSync(join(root, "consumequeue/T")), false);
    assert.equal(queues.existing("T", 0), null);
    assert.deepEqual(queues.topics(), []);
    assert.equal(queues.queue("T", 0).nextOffset, 0);
    await done((done) => queues.close(done));
  }));

test("queue files of another size are refused, with the way to mend it", () =>
  withDirectory(async (root) => {
    const log = new MemoryLog(new Uint8Array(0));
    const first = queuesIn(root, log);
    await first.load(clean);
    append(first, 0, 10);
    await done((done) => first.close(done));
    const options = { directory: join(root, "consumequeue"), fileBytes: 6_000_000, memoryBytes: 1 << 20, openFiles: 4 };
    const other = new ConsumeQueues(platform, log, options, quiet);
    await assert.rejects(other.load(clean), { code: "CORRUPT", message: /mappedFileSizeConsumeQueue/ });
  }));
