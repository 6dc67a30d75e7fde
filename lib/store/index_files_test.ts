import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { hostPlatform } from "@rmq/platform";
import {
  GOLDEN_INDEX_ENTRIES,
  GOLDEN_QUEUE_FILE_BYTES,
  GOLDEN_SLOTS,
  goldenStore,
  MemoryLog,
  quiet,
  unpack,
  withDirectory,
} from "./_golden.ts";
import { ConsumeQueues } from "./consume_queues.ts";
import { Dispatcher } from "./dispatcher.ts";
import { IndexFiles } from "./index_files.ts";
import { readHeader } from "./index_layout.ts";

const platform = hostPlatform();
const clean = { abnormal: false, indexMsgTimestamp: 0, flushedTo: -1 };
const ALWAYS = [0, Number.MAX_SAFE_INTEGER] as const;

function indexIn(
  root: string,
  log: MemoryLog,
  maxHashSlotNum = GOLDEN_SLOTS,
  maxIndexNum = GOLDEN_INDEX_ENTRIES,
): IndexFiles {
  return new IndexFiles(platform, { root, maxHashSlotNum, maxIndexNum }, log, quiet);
}

function done(run: (done: (error: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => run((error) => error === null ? resolve() : reject(error)));
}

function query(
  index: IndexFiles,
  topic: string,
  key: string,
  type: string | null = null,
  range: readonly [number, number] = ALWAYS,
  maxNum = 64,
): Promise<number[]> {
  return new Promise((resolve) => index.query(topic, key, type, maxNum, range[0], range[1], resolve));
}

/** Gives the index the entries of the log in [from, to). */
function feed(root: string, log: MemoryLog, index: IndexFiles, from = 0, to = Infinity): void {
  const options = {
    directory: join(root, "unused"),
    fileBytes: GOLDEN_QUEUE_FILE_BYTES,
    memoryBytes: 1 << 20,
    openFiles: 1,
  };
  const dispatcher = new Dispatcher(new ConsumeQueues(platform, log, options, quiet), [index], []);
  log.scan(dispatcher.message, from, () => {
    if (dispatcher.message.physicalOffset >= to) return;
    dispatcher.prepare();
    dispatcher.deliver();
  });
}

function filesOf(root: string): Uint8Array[] {
  return readdirSync(join(root, "index")).sort().map((name) => readFileSync(join(root, "index", name)));
}

const store = goldenStore("clean");
const log = MemoryLog.of(store);
const golden = [...store.files].filter(([path]) => path.startsWith("index/")).sort().map(([, bytes]) => bytes);

function assertEqualFiles(found: Uint8Array[]): void {
  assert.equal(found.length, golden.length);
  const differing = found.filter((bytes, i) => Buffer.compare(bytes, golden[i]) !== 0).map((bytes) =>
    readHeader(bytes)
  );
  assert.deepEqual(differing, []);
}

async function assertFindsAll(index: IndexFiles): Promise<void> {
  for (const message of store.messages) {
    for (const key of message.keys?.split(" ").filter((key) => key !== "") ?? []) {
      assert.ok((await query(index, message.topic, key)).includes(message.physical), `${message.topic}#${key}`);
    }
  }
}

test("index files built from the Java store's log are its index files byte for byte", () =>
  withDirectory(async (root) => {
    const index = indexIn(root, log);
    await index.load(clean);
    feed(root, log, index);
    await assertFindsAll(index);
    await done((done) => index.close(done));
    assertEqualFiles(filesOf(root));
  }));

test("flushing in between, and opening again, changes nothing in the files", () =>
  withDirectory(async (root) => {
    let from = 0;
    for (const at of [3, 50, 51, 200, 333, 414]) {
      const to = store.messages[at]?.physical ?? Infinity;
      const index = indexIn(root, log);
      await index.load(clean);
      feed(root, log, index, from, to);
      await done((done) => index.flush(done));
      assert.equal(index.flushedTo, store.messages[at - 1].physical + store.messages[at - 1].size);
      await done((done) => index.close(done));
      from = to;
    }
    assertEqualFiles(filesOf(root));
  }));

test("keys and tags are found in the Java store's index, newest first", () =>
  withDirectory(async (root) => {
    unpack(store, "index/", root);
    const index = indexIn(root, log);
    await index.load(clean);
    await assertFindsAll(index);
    const tagged = store.messages.filter((message) => message.topic === "StTagged" && message.tags === "TagA");
    assert.ok(tagged.length > 1);
    const found = await query(index, "StTagged", "TagA", "T");
    for (const message of tagged) assert.ok(found.includes(message.physical));
    assert.deepEqual(found, found.toSorted((a, b) => b - a));
    const times = tagged.map((message) => message.storeTimestamp);
    assert.deepEqual(
      await query(index, "StTagged", "TagA", "T", [Math.max(...times) + 2000, Math.max(...times) + 9000]),
      [],
    );
    assert.equal((await query(index, "StTagged", "TagA", "T", ALWAYS, 1)).length, 1);
    assert.deepEqual(await query(index, "StTagged", "no such key"), []);
    log.minOffset = found[0];
    assert.deepEqual(await query(index, "StTagged", "TagA", "T"), [found[0]]);
    log.minOffset = 0;
    await done((done) => index.close(done));
  }));

test("what is cut at recovery and taken again gives the same files", () =>
  withDirectory(async (root) => {
    for (const at of [0, 20, 140, 200, 410]) {
      unpack(store, "index/", root);
      const index = indexIn(root, log);
      await index.load({ abnormal: true, indexMsgTimestamp: Number.MAX_SAFE_INTEGER, flushedTo: -1 });
      const cut = store.messages[at].physical;
      index.truncate(cut);
      feed(root, log, index, cut);
      await done((done) => index.close(done));
      assertEqualFiles(filesOf(root));
      for (const name of readdirSync(join(root, "index"))) platform.files.remove(join(root, "index", name));
    }
  }));

test("after a crash a file that is ahead of the checkpoint is removed, as Apache does", () =>
  withDirectory(async (root) => {
    unpack(store, "index/", root);
    const index = indexIn(root, log);
    const end = readHeader(golden[2]).endTimestamp;
    await index.load({ abnormal: true, indexMsgTimestamp: end, flushedTo: -1 });
    assert.equal(filesOf(root).length, 3);
    await done((done) => index.close(done));
  }));

test("the header on disk goes no further than what was announced before it", () =>
  withDirectory(async (root) => {
    const index = indexIn(root, log);
    await index.load(clean);
    let announced = 0;
    index.beforeHeader = (timestamp, done) => {
      const ends = filesOf(root).map((bytes) => readHeader(bytes).endTimestamp);
      assert.ok(ends.every((end) => end <= announced));
      announced = timestamp;
      done(null);
    };
    feed(root, log, index, 0, store.messages[100].physical);
    await done((done) => index.flush(done));
    feed(root, log, index, store.messages[100].physical);
    await done((done) => index.flush(done));
    assert.equal(announced, readHeader(golden[3]).endTimestamp);
    assert.equal(index.flushedTimestamp, announced);
    await done((done) => index.close(done));
  }));

test("at each instant the slots on disk lead to entries that the header counts", () =>
  withDirectory(async (root) => {
    const index = indexIn(root, log, 5000, 4000);
    await index.load(clean);
    index.beforeHeader = (_timestamp, done) => {
      // As a killed process would leave it: more was taken while the flush was under way.
      const [bytes] = filesOf(root);
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      const count = readHeader(bytes).count;
      for (let slot = 0; slot < 5000; slot++) assert.ok(view.getInt32(40 + slot * 4) < count);
      done(null);
    };
    feed(root, log, index, 0, store.messages[200].physical);
    const flushed = done((done) => index.flush(done));
    feed(root, log, index, store.messages[200].physical);
    await flushed;
    await done((done) => index.close(done));
  }));

test("files whose messages are gone are dropped, the newest one stays", () =>
  withDirectory(async (root) => {
    unpack(store, "index/", root);
    const index = indexIn(root, log);
    await index.load(clean);
    index.expire(readHeader(golden[1]).endPhysical + 1);
    assert.equal(filesOf(root).length, 2);
    index.expire(Number.MAX_SAFE_INTEGER);
    assert.equal(filesOf(root).length, 1);
    await done((done) => index.close(done));
  }));
