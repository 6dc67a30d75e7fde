import assert from "node:assert/strict";
import { test } from "node:test";
import { hostPlatform } from "@rmq/platform";
import { encodeStored, MessageDraft, StoredMessage, storedSize } from "@rmq/protocol";
import { MemoryLog, quiet, withDirectory } from "./_golden.ts";
import type { ConsumeQueue } from "./consume_queue.ts";
import { ConsumeQueues } from "./consume_queues.ts";
import { type GetRequest, type GetResult, GetStatus, getStatusNames } from "./get.ts";
import { type DiskLimits, QueueReader } from "./queue_reader.ts";
import { searchByTime, storeTimeAt } from "./time_search.ts";

const platform = hostPlatform();
const encoder = new TextEncoder();

interface Scene {
  log: MemoryLog;
  queues: ConsumeQueues;
  queue: ConsumeQueue;
  reader: QueueReader;
  /** Physical offset of each message. */
  at: number[];
  size: number;
}

/** A queue with `count` messages of `bodyBytes`, one a second from time 1000 on; tags code = offset modulo 4. */
async function scene(root: string, count: number, bodyBytes = 100, firstOffset = 0): Promise<Scene> {
  const draft = new MessageDraft();
  draft.topic = encoder.encode("T");
  draft.body = new Uint8Array(bodyBytes);
  draft.bodyEnd = bodyBytes;
  draft.bornHost = draft.storeHost = Uint8Array.of(127, 0, 0, 1);
  const size = storedSize(draft);
  const log = new MemoryLog(new Uint8Array(count * size));
  const options = { directory: `${root}/consumequeue`, fileBytes: 2000, memoryBytes: 1 << 20, openFiles: 4 };
  const queues = new ConsumeQueues(platform, log, options, quiet);
  await queues.load({ abnormal: false, indexMsgTimestamp: 0, flushedTo: -1 });
  const queue = queues.queue("T", 0);
  const at: number[] = [];
  for (let n = 0; n < count; n++) {
    draft.queueOffset = firstOffset + n;
    draft.physicalOffset = n * size;
    draft.storeTimestamp = 1000 * (n + 1);
    encodeStored(draft, log.bytes, n * size);
    queue.append(firstOffset + n, n * size, size, 0, n % 4);
    at.push(n * size);
  }
  return { log, queues, queue, reader: new QueueReader(log, limits(1 << 30), platform.clock), at, size };
}

/** The queue is flushed and gives all its memory back; the log is on disk too and answers later. */
async function cool(scene: Scene): Promise<void> {
  await new Promise<void>((resolve, reject) => scene.queues.flush((error) => error ? reject(error) : resolve()));
  scene.queue.release(scene.queue.max);
  scene.log.hot = scene.log.visible;
  scene.log.later = (run) => platform.clock.afterTurn(run);
}

function limits(diskDistanceBytes: number): DiskLimits {
  return { diskDistanceBytes, maxTransferCountOnMessageInDisk: 8, maxTransferBytesOnMessageInDisk: 65_536 };
}

function request(queue: ConsumeQueue, offset: number, more: Partial<GetRequest> = {}): GetRequest {
  return { queue, offset, maxCount: 32, maxBytes: 1 << 30, tags: null, matches: null, ...more };
}

function get(reader: QueueReader, request: GetRequest): Promise<Found> {
  return new Promise((resolve) => reader.get(request, (result) => resolve(found(result))));
}

interface Found {
  status: string;
  next: number;
  offsets: number[];
  fromDisk: boolean;
}

/** Parses the pieces while the result is valid. */
function found(result: GetResult): Found {
  const offsets: number[] = [];
  const message = new StoredMessage();
  let bytes = 0;
  for (let i = 0; i < result.pieces; i++) {
    for (let p = result.starts[i]; p < result.ends[i]; p += message.size) {
      assert.ok(message.parse(result.buffers[i], p, result.ends[i], true) > 0);
      offsets.push(message.queueOffset);
      bytes += message.size;
    }
  }
  assert.deepEqual([result.count, result.bytes], [offsets.length, bytes]);
  return { status: getStatusNames[result.status], next: result.nextBeginOffset, offsets, fromDisk: result.fromDisk };
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

for (const where of ["memory", "disk"] as const) {
  const prepare = async (root: string, count: number, bodyBytes?: number, first?: number): Promise<Scene> => {
    const made = await scene(root, count, bodyBytes, first);
    if (where === "disk") await cool(made);
    return made;
  };

  test(`offsets outside the queue are answered as Apache answers them (${where})`, () =>
    withDirectory(async (root) => {
      const { reader, queue, queues, log, size } = await prepare(root, 250);
      const answer = async (offset: number): Promise<unknown[]> => {
        const { status, next, offsets } = await get(reader, request(queue, offset));
        return [status, next, offsets.length];
      };
      assert.deepEqual(await answer(250), ["OFFSET_OVERFLOW_ONE", 250, 0]);
      assert.deepEqual(await answer(251), ["OFFSET_OVERFLOW_BADLY", 250, 0]);
      assert.deepEqual(await answer(-1), ["OFFSET_TOO_SMALL", 0, 0]);
      log.minOffset = 120 * size;
      assert.deepEqual(await answer(119), ["OFFSET_TOO_SMALL", 120, 0]);
      assert.deepEqual(await answer(120), ["FOUND", 152, 32]);
      const empty = await get(reader, request(queues.queue("T", 1), 7));
      assert.deepEqual([empty.status, empty.next], ["NO_MATCHED_LOGIC_QUEUE", 0]);
    }));

  test(`messages come in order, up to 32, or to 262144 bytes, or to what was asked (${where})`, () =>
    withDirectory(async (root) => {
      const small = await prepare(root, 100);
      assert.deepEqual((await get(small.reader, request(small.queue, 90))).offsets, range(90, 100));
      assert.deepEqual((await get(small.reader, request(small.queue, 10))).offsets, range(10, 42));
      assert.deepEqual((await get(small.reader, request(small.queue, 10, { maxCount: 100 }))).offsets, range(10, 42));
      assert.deepEqual((await get(small.reader, request(small.queue, 10, { maxCount: 3 }))).offsets, range(10, 13));
      assert.deepEqual((await get(small.reader, request(small.queue, 10, { maxCount: 0 }))).offsets, [10]);
      assert.deepEqual((await get(small.reader, request(small.queue, 10, { maxBytes: 500 }))).offsets, [10, 11]);
    }));

  test(`a batch of large messages ends before 262144 bytes, but the first is always there (${where})`, () =>
    withDirectory(async (root) => {
      const large = await prepare(root, 10, 100_000);
      assert.deepEqual((await get(large.reader, request(large.queue, 1))).offsets, [1, 2]);
      const huge = await prepare(`${root}/huge`, 3, 300_000);
      assert.deepEqual((await get(huge.reader, request(huge.queue, 1))).offsets, [1]);
    }));

  test(`tags are filtered by code, and at most 800 units are looked at (${where})`, () =>
    withDirectory(async (root) => {
      const { reader, queue } = await prepare(root, 1000, 10);
      const some = await get(reader, request(queue, 2, { tags: (_high, low) => low === 1, maxCount: 3 }));
      assert.deepEqual([some.offsets, some.next], [[5, 9, 13], 14]);
      const none = await get(reader, request(queue, 5, { tags: () => false }));
      assert.deepEqual([none.status, none.next], ["NO_MATCHED_MESSAGE", 805]);
      const matches = (message: StoredMessage): boolean => message.queueOffset > 20;
      assert.deepEqual((await get(reader, request(queue, 10, { matches, maxCount: 2 }))).offsets, [21, 22]);
    }));

  test(`bytes that are not the entry that the queue points to are never served (${where})`, () =>
    withDirectory(async (root) => {
      const { reader, queue, log, at, size } = await prepare(root, 10);
      log.bytes.fill(0, at[3], at[3] + size);
      log.bytes.copyWithin(at[4], at[8], at[8] + size);
      assert.deepEqual((await get(reader, request(queue, 0))).offsets, [0, 1, 2, 5, 6, 7, 8, 9]);
      const first = await get(reader, request(queue, 3, { maxCount: 1 }));
      assert.deepEqual([first.status, first.offsets], ["FOUND", [5]]);
      log.bytes.fill(0, at[9]);
      const last = await get(reader, request(queue, 9));
      assert.deepEqual([last.status, last.next], ["MESSAGE_WAS_REMOVING", 10]);
    }));

  test(`far behind the head the smaller limits apply (${where})`, () =>
    withDirectory(async (root) => {
      const { log, queue, size } = await prepare(root, 100);
      const reader = new QueueReader(log, limits(40 * size), platform.clock);
      const far = await get(reader, request(queue, 10));
      assert.deepEqual([far.offsets, far.fromDisk], [range(10, 18), true]);
      const near = await get(reader, request(queue, 70));
      assert.deepEqual([near.offsets, near.fromDisk], [range(70, 100), false]);
    }));

  test(`a search by time finds the first at or after, the last at or before (${where})`, () =>
    withDirectory(async (root) => {
      const { log, queue, size } = await prepare(root, 250);
      const search = (time: number, boundary: "lower" | "upper"): Promise<number> =>
        new Promise((resolve) => searchByTime(log, queue, time, boundary, resolve));
      assert.deepEqual([await search(51_000, "lower"), await search(51_000, "upper")], [50, 50]);
      assert.deepEqual([await search(51_500, "lower"), await search(51_500, "upper")], [51, 50]);
      assert.deepEqual([await search(999_000, "lower"), await search(999_000, "upper")], [250, 249]);
      assert.deepEqual([await search(1, "lower"), await search(1, "upper")], [0, 0]);
      log.minOffset = 120 * size;
      assert.deepEqual([await search(1, "lower"), await search(1, "upper")], [100, 0]);
      assert.deepEqual([await search(121_000, "lower"), await search(121_000, "upper")], [120, 120]);
      const timeAt = (offset: number): Promise<number> =>
        new Promise((resolve) => storeTimeAt(log, queue, offset, resolve));
      assert.deepEqual([await timeAt(200), await timeAt(119), await timeAt(250)], [201_000, -1, -1]);
    }));
}

test("a filter that takes its time ends the read early, with what it found", () =>
  withDirectory(async (root) => {
    const made = await scene(root, 100);
    const { log, queue } = made;
    let now = 0;
    const reader = new QueueReader(log, limits(1 << 30), { monotonicUs: () => now });
    const read = async (offset: number, us: number) => {
      const matches = (message: StoredMessage) => {
        now += us;
        return message.queueOffset % 7 === 0;
      };
      const { status, offsets, next } = await get(reader, request(queue, offset, { matches }));
      return [status, offsets.length, next];
    };
    assert.deepEqual(await read(0, 5000), ["FOUND", 1, 1]);
    assert.deepEqual(await read(1, 5000), ["NO_MATCHED_MESSAGE", 0, 2]);
    assert.deepEqual(await read(0, 100), ["FOUND", 5, 32]);
    assert.deepEqual(await read(0, 10), ["FOUND", 15, 100]);
    await cool(made);
    assert.deepEqual(await read(1, 5000), ["NO_MATCHED_MESSAGE", 0, 2]);
    // Here each entry comes in a turn of its own.
    assert.deepEqual(await read(0, 100), ["FOUND", 15, 100]);
  }));

test("what is in memory is answered within the call, adjacent entries as one piece", () =>
  withDirectory(async (root) => {
    const { reader, queue } = await scene(root, 100);
    let pieces = -1;
    reader.get(request(queue, 50), (result) => pieces = result.pieces);
    assert.equal(pieces, 1);
  }));

test("a read from within a read's answer does not disturb it", () =>
  withDirectory(async (root) => {
    const { reader, queue } = await scene(root, 100);
    reader.get(request(queue, 50, { maxCount: 2 }), (outer) => {
      reader.get(request(queue, 10, { maxCount: 5 }), (inner) => assert.equal(inner.count, 5));
      assert.deepEqual(found(outer).offsets, [50, 51]);
    });
  }));

test("reads under way at the same time have results of their own", () =>
  withDirectory(async (root) => {
    const made = await scene(root, 100);
    await cool(made);
    const results = await Promise.all(
      [3, 40, 77].map((offset) => get(made.reader, request(made.queue, offset, { maxCount: 4 }))),
    );
    assert.deepEqual(results.map((result) => result.offsets), [range(3, 7), range(40, 44), range(77, 81)]);
  }));

test("an entry that can't be read now is not skipped", () =>
  withDirectory(async (root) => {
    const made = await scene(root, 50);
    await cool(made);
    const read = made.log.read;
    made.log.read = (offset, size, done) => {
      if (offset === made.at[7]) made.log.visible = 0;
      read.call(made.log, offset, size, done);
      made.log.visible = made.log.bytes.length;
    };
    made.log.later = null;
    const before = await get(made.reader, request(made.queue, 5));
    assert.deepEqual([before.status, before.offsets, before.next], ["FOUND", [5, 6], 7]);
    const at = await get(made.reader, request(made.queue, 7));
    assert.deepEqual([at.status, at.next], [getStatusNames[GetStatus.OFFSET_FOUND_NULL], 7]);
  }));
