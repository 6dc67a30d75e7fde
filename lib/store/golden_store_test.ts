import assert from "node:assert/strict";
import { test } from "node:test";
import { inflateSync } from "node:zlib";
import { simulation } from "@rmq/platform/simulated";
import { StoredMessage } from "@rmq/protocol";
import { goldenManifest, type GoldenMessage, goldenStore, sha256 } from "../../tests/golden/golden.ts";
import { KeptLog, openSmall, put, readQueue, ROOT } from "./_test_store.ts";
import type { Store } from "./store.ts";

/** The sizes that the broker which wrote the golden stores was told. */
const sizes = { segmentBytes: 1_048_576, consumeQueueFileBytes: 1000, maxHashSlotNum: 100, maxIndexNum: 400 };
const COMPRESSED = 1;

const killedMessages = () => [...goldenManifest("clean").messages, ...goldenManifest("killed").messages];

/** A simulated machine with the directory of a Java broker on its disk. */
function machineWith(name: "store-clean" | "store-killed") {
  const sim = simulation({ seed: 1 });
  const { files } = sim.platform;
  for (const [path, bytes] of goldenStore(name)) {
    const at = path.indexOf("store/");
    if (at < 0 || path.endsWith("/timerwheel")) continue;
    const target = `${ROOT}/${path.slice(at + "store/".length)}`;
    files.makeDirectory(target.slice(0, target.lastIndexOf("/")));
    files.writeWhole(target, bytes);
  }
  return sim;
}

function bodyOf(store: Store, row: GoldenMessage): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    store.entryAt(row.commitLogOffset, row.size, (bytes, start, end) => {
      const message = new StoredMessage();
      if (bytes === null || message.parse(bytes, start, end, true) <= 0) return reject(new Error("no entry"));
      const body = message.bytes.slice(message.bodyStart, message.bodyEnd);
      resolve((row.sysFlag & COMPRESSED) === 0 ? body : inflateSync(body));
    });
  });
}

/** Each message of the manifest must be at its queue and offset, and nothing else. */
async function check(store: Store, rows: GoldenMessage[], finish: <T>(outcome: Promise<T>) => Promise<T>) {
  const expected = new Map<string, GoldenMessage[]>();
  for (const row of rows) {
    const key = `${row.topic}@${row.queueId}`;
    expected.set(key, [...expected.get(key) ?? [], row]);
  }
  for (const [key, messages] of expected) {
    const { topic, queueId } = messages[0];
    const found = await finish(readQueue(store, topic, queueId));
    const place = (each: { offset: number; physical: number; size: number }) =>
      `${each.offset} ${each.physical} ${each.size}`;
    assert.deepEqual(
      found.map(place),
      messages.map((row) => place({ offset: row.queueOffset, physical: row.commitLogOffset, size: row.size })),
      key,
    );
    assert.equal(store.queue(topic, queueId).nextOffset, messages.length, key);
  }
  for (const row of rows) assert.equal(sha256(await finish(bodyOf(store, row))), row.bodySha256);
}

test("a store that a Java broker closed serves every message at its queue and offset", async () => {
  const sim = machineWith("store-clean");
  const log = new KeptLog();
  const store = await sim.finish(openSmall(sim.platform, sizes, log));
  assert.equal(store.appended, goldenManifest("clean").maxPhysicalOffset);
  await check(store, goldenManifest("clean").messages, (outcome) => sim.finish(outcome));
  assert.deepEqual(log.lines.filter((line) => !line.startsWith("info")), []);
});

test("a store whose Java broker was killed serves every message at its queue and offset", async () => {
  const sim = machineWith("store-killed");
  const store = await sim.finish(openSmall(sim.platform, sizes));
  assert.equal(store.appended, goldenManifest("killed").maxPhysicalOffset);
  await check(store, killedMessages(), (outcome) => sim.finish(outcome));
});

test("a Java store goes on in our hands: new messages follow, and all of them outlive our close and our crash", async () => {
  const sim = machineWith("store-killed");
  let store = await sim.finish(openSmall(sim.platform, sizes));
  const before = killedMessages().filter((row) => row.topic === "StNormal" && row.queueId === 1).length;
  const { maxPhysicalOffset } = goldenManifest("killed");
  assert.deepEqual(put(store, "StNormal", 1, "ours"), { physical: maxPhysicalOffset, offset: before });
  await sim.finish(store.close());
  assert.equal(sim.platform.files.stat(`${ROOT}/abort`), null);
  store = await sim.finish(openSmall(sim.crash({ powerCut: false }), sizes));
  put(store, "StNormal", 1, "ours too");
  await sim.finish(store.flush());
  store = await sim.finish(openSmall(sim.crash({ powerCut: false }), sizes));
  const bodies = (await sim.finish(readQueue(store, "StNormal", 1))).map((seen) => seen.body);
  assert.deepEqual(bodies.slice(before), ["ours", "ours too"]);
  await check(store, killedMessages().filter((row) => row.topic !== "StNormal"), (outcome) => sim.finish(outcome));
});
