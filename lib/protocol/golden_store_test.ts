import assert from "node:assert/strict";
import { test } from "node:test";
import { inflateSync } from "node:zlib";
import { goldenManifest, type GoldenMessage, goldenStore, sha256 } from "../../tests/golden/golden.ts";
import {
  BAD_MAGIC,
  encodeStored,
  javaHashBytes,
  MessageDraft,
  offsetMessageId,
  parseOffsetMessageId,
  StoredMessage,
  storedSize,
} from "./mod.ts";

/** The segments in the order of their names, which are the offsets of their first bytes. */
function segments(store: Map<string, Uint8Array>): [number, Uint8Array][] {
  const logs = [...store].filter(([path]) => path.startsWith("store/commitlog/"));
  return logs.map(([path, bytes]): [number, Uint8Array] => [Number(path.split("/")[2]), bytes]).sort((a, b) =>
    a[0] - b[0]
  );
}

function* entries(store: Map<string, Uint8Array>): Generator<StoredMessage> {
  const message = new StoredMessage();
  for (const [base, bytes] of segments(store)) {
    for (let at = 0; at < bytes.length;) {
      const size = message.parse(bytes, at, bytes.length, true);
      if (size <= 0) {
        if (size < 0) assert.equal(size, BAD_MAGIC, "after the last entry there are zeros");
        break;
      }
      assert.equal(message.physicalOffset, base + at);
      yield message;
      at += size;
    }
  }
}

const text = (message: StoredMessage, start: number, end: number) =>
  start < 0 ? null : new TextDecoder().decode(message.bytes.subarray(start, end));

function view(message: StoredMessage): Omit<GoldenMessage, "bodySha256" | "bodyLength"> {
  message.scanProperties();
  return {
    topic: message.topicText(),
    queueId: message.queueId,
    queueOffset: message.queueOffset,
    commitLogOffset: message.physicalOffset,
    size: message.size,
    sysFlag: message.sysFlag,
    flag: message.flag,
    bornTimestamp: message.bornTimestamp,
    storeTimestamp: message.storeTimestamp,
    reconsumeTimes: message.reconsumeTimes,
    preparedTransactionOffset: message.preparedTransactionOffset,
    keys: text(message, message.keysStart, message.keysEnd),
    tags: text(message, message.tagsStart, message.tagsEnd),
    storedBodyLength: message.bodyEnd - message.bodyStart,
  };
}

function draftOf(message: StoredMessage): MessageDraft {
  const draft = new MessageDraft();
  const { bytes } = message;
  draft.topic = bytes.slice(message.topicStart, message.topicEnd);
  draft.bornHost = bytes.slice(message.bornHostStart, message.bornHostEnd);
  draft.storeHost = bytes.slice(message.storeHostStart, message.storeHostEnd);
  draft.body = bytes;
  draft.properties.readVerbatim(bytes, message.propertiesStart, message.propertiesEnd);
  const { queueId, flag, sysFlag, bornTimestamp, bornPort, storePort, storeTimestamp, bodyStart, bodyEnd } = message;
  const { reconsumeTimes, preparedTransactionOffset, queueOffset, physicalOffset } = message;
  return Object.assign(draft, {
    ...{ queueId, flag, sysFlag, bornTimestamp, bornPort, storePort, storeTimestamp, bodyStart, bodyEnd },
    ...{ reconsumeTimes, preparedTransactionOffset, queueOffset, physicalOffset },
  });
}

for (const state of ["clean", "killed"] as const) {
  test(`the ${state} store of a Java broker holds what its manifest says`, () => {
    const expected = goldenManifest("clean").messages;
    if (state === "killed") expected.push(...goldenManifest("killed").messages);
    let n = 0;
    for (const message of entries(goldenStore(`store-${state}`))) {
      const { bodySha256, bodyLength, ...rest } = expected[n++];
      assert.deepEqual(view(message), rest);
      const stored = message.bytes.subarray(message.bodyStart, message.bodyEnd);
      const body = (message.sysFlag & 1) === 0 ? stored : inflateSync(stored);
      assert.equal(body.length, bodyLength);
      assert.equal(sha256(body), bodySha256);
    }
    assert.equal(n, expected.length);
  });

  test(`every entry of the ${state} store encodes again to the same bytes`, () => {
    for (const message of entries(goldenStore(`store-${state}`))) {
      const original = message.bytes.slice(message.at, message.at + message.size);
      const draft = draftOf(message);
      assert.equal(storedSize(draft), message.size);
      const again = new Uint8Array(message.size + 3);
      assert.equal(encodeStored(draft, again, 3), message.size + 3);
      assert.deepEqual(again.subarray(3), original);
    }
  });
}

test("properties that end as the broker ends them are the same after reading", () => {
  let checked = 0;
  for (const message of entries(goldenStore("store-clean"))) {
    const { bytes, propertiesStart, propertiesEnd } = message;
    if (bytes[propertiesEnd - 1] !== 2) continue;
    const { properties } = new MessageDraft();
    properties.readText(bytes, propertiesStart, propertiesEnd);
    assert.deepEqual(properties.bytes.slice(0, properties.length), bytes.slice(propertiesStart, propertiesEnd));
    for (const [name, value] of properties.entries()) assert.equal(message.property(name), value);
    checked++;
  }
  assert.ok(checked > 300);
});

test("tag codes in the consume queues are the hashes of the tags", () => {
  const store = goldenStore("store-clean");
  let checked = 0;
  for (const message of entries(store)) {
    const path = `store/consumequeue/${message.topicText()}/${message.queueId}/00000000000000000000`;
    const queue = store.get(path);
    message.scanProperties();
    if (queue === undefined || message.tagsStart < 0 || message.property("DELAY") !== null) continue;
    const at = message.queueOffset * 20;
    const unit = new DataView(queue.buffer, queue.byteOffset + at, 20);
    if (at + 20 > queue.length || unit.getInt32(4) !== message.physicalOffset) continue;
    assert.equal(unit.getInt32(16), javaHashBytes(message.bytes, message.tagsStart, message.tagsEnd));
    checked++;
  }
  assert.ok(checked > 50, String(checked));
});

test("an offset message id says where the message lies", () => {
  for (const message of entries(goldenStore("store-clean"))) {
    const host = message.bytes.slice(message.storeHostStart, message.storeHostEnd);
    const id = offsetMessageId(host, message.storePort, message.physicalOffset);
    assert.deepEqual(parseOffsetMessageId(id), { host, port: message.storePort, offset: message.physicalOffset });
  }
});
