import assert from "node:assert/strict";
import { test } from "node:test";
import { type Simulation, simulation } from "@rmq/platform/simulated";
import { encodeStored, type MessageDraft, StoredMessage } from "@rmq/protocol";
import { draftOf, KeptLog, openSmall, put, readQueue, ROOT } from "./_test_store.ts";
import type { Store } from "./store.ts";

const FIRST = `${ROOT}/commitlog/00000000000000000000`;

/** A store with three durable messages, its process killed. */
async function killed(): Promise<{ sim: Simulation; end: number }> {
  const sim = simulation({ seed: 21 });
  const store = await sim.finish(openSmall(sim.platform));
  for (let i = 0; i < 3; i++) put(store, "T", 0, `message ${i}`, "TAGS\x01A\x02");
  await sim.finish(store.flush());
  const end = store.appended;
  sim.crash({ powerCut: false });
  return { sim, end };
}

/** Puts bytes into the first segment, as if the killed process had written them. */
function write(sim: Simulation, bytes: Uint8Array, position: number): void {
  const file = sim.platform.files.open(FIRST);
  file.writeAt(bytes, position);
  file.close();
}

/** An entry as it would stand at `physicalOffset`. */
function entry(
  physicalOffset: number,
  queueOffset: number,
  change: (draft: MessageDraft) => void = () => {},
): Uint8Array {
  const draft = draftOf("T", 0, "late", `TAGS\x01A\x02KEYS\x01${"k".repeat(2000)}\x02`);
  draft.physicalOffset = physicalOffset;
  draft.queueOffset = queueOffset;
  draft.storeTimestamp = 1_767_225_600_000;
  change(draft);
  const bytes = new Uint8Array(4096);
  return bytes.subarray(0, encodeStored(draft, bytes, 0));
}

async function reopened(sim: Simulation): Promise<{ store: Store; log: KeptLog; count: number }> {
  const log = new KeptLog();
  const store = await sim.finish(openSmall(sim.platform, {}, log));
  return { store, log, count: (await sim.finish(readQueue(store, "T", 0))).length };
}

test("a valid entry beyond the last sync is taken, and is durable from then on", async () => {
  const { sim, end } = await killed();
  write(sim, entry(end, 3), end);
  assert.equal((await reopened(sim)).count, 4);
  sim.crash({ powerCut: true });
  assert.equal((await reopened(sim)).count, 4);
});

test("an entry that stands where it does not belong ends the log, and its bytes are removed", async () => {
  const { sim, end } = await killed();
  write(sim, entry(end + 1, 3), end);
  const { store, count } = await reopened(sim);
  assert.deepEqual([count, store.appended], [3, end]);
  const bytes = sim.platform.files.readWhole(FIRST) as Uint8Array;
  assert.equal(bytes.length, 64 * 1024);
  assert.ok(bytes.subarray(end).every((byte) => byte === 0));
});

test("a body that does not match its checksum ends the log", async () => {
  const { sim, end } = await killed();
  const bytes = entry(end, 3);
  const message = new StoredMessage();
  assert.equal(message.parse(bytes, 0, bytes.length, true), bytes.length);
  bytes[message.bodyStart] ^= 1;
  write(sim, bytes, end);
  assert.equal((await reopened(sim)).count, 3);
});

test("of our own unsynced tail an entry whose queue offset does not follow is cut", async () => {
  const { sim, end } = await killed();
  write(sim, entry(end, 7), end);
  const { log, count } = await reopened(sim);
  assert.equal(count, 3);
  assert.ok(log.has(/queue offset should be 3/));
});

test("of our own unsynced tail an entry with lost sectors is cut: in its topic, in its properties, at its end", async () => {
  for (const part of ["topic", "middle", "end"]) {
    const { sim, end } = await killed();
    const bytes = entry(end, 3);
    const message = new StoredMessage();
    message.parse(bytes, 0, bytes.length, true);
    const sector = 512 - (end % 512);
    if (part === "topic") bytes.fill(0, message.topicStart, message.topicEnd);
    else if (part === "middle") bytes.fill(0, sector + 512, sector + 1024);
    else bytes.fill(0, message.propertiesEnd - 3, message.propertiesEnd);
    write(sim, bytes, end);
    const { log, count } = await reopened(sim);
    assert.equal(count, 3, part);
    assert.ok(log.has(/it is torn/), part);
  }
});

test("a NUL that a client put into a property is no reason to cut", async () => {
  const { sim, end } = await killed();
  const odd = (draft: MessageDraft): void => {
    const text = new TextEncoder().encode("KEYS\x01a\0b\x02");
    draft.properties.readText(text, 0, text.length);
  };
  write(sim, entry(end, 3, odd), end);
  assert.equal((await reopened(sim)).count, 4);
});

test("in another broker's log queue offsets may jump: that is noted, not cut", async () => {
  const { sim, end } = await killed();
  sim.platform.files.removeTree(`${ROOT}/rmq`);
  write(sim, entry(end, 7), end);
  const log = new KeptLog();
  const store = await sim.finish(openSmall(sim.platform, {}, log));
  assert.ok(store.appended > end);
  assert.ok(log.has(/queue offsets in the log do not follow each other/));
});

test("a log that is shorter than what was recorded is reported", async () => {
  const sim = simulation({ seed: 22 });
  const store = await sim.finish(openSmall(sim.platform, { checkpointIntervalMs: 10 }));
  for (let i = 0; i < 3; i++) put(store, "T", 0, `message ${i}`);
  await sim.finish(store.flush());
  await sim.advance(20);
  sim.crash({ powerCut: false });
  write(sim, new Uint8Array(64 * 1024), 0);
  sim.platform.files.writeWhole(`${ROOT}/rmq/progress.json`, withFollowersAt(0, sim));
  const log = new KeptLog();
  await sim.finish(openSmall(sim.platform, {}, log));
  assert.ok(log.has(/damaged below what was recorded as on disk/));
});

/** Our record with the followers further back than the log is durable. */
function withFollowersAt(offset: number, sim: Simulation): Uint8Array {
  const text = new TextDecoder().decode(sim.platform.files.readWhole(`${ROOT}/rmq/progress.json`) ?? undefined);
  return new TextEncoder().encode(JSON.stringify({ ...JSON.parse(text), followers: offset }));
}
