import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeStored, KnownProperty, MessageDraft, StoredMessage, storedSize } from "./mod.ts";

function entry(change: (draft: MessageDraft) => void): Uint8Array {
  const draft = new MessageDraft();
  draft.topic = new TextEncoder().encode("Orders");
  draft.body = new Uint8Array(40).fill(7);
  draft.bodyEnd = 40;
  draft.queueOffset = 12;
  draft.physicalOffset = 5_000_000_000;
  draft.properties.set(KnownProperty.KEYS, "a b");
  change(draft);
  const bytes = new Uint8Array(storedSize(draft) + 20);
  encodeStored(draft, bytes, 10);
  return bytes;
}

test("an entry that is only located has the places that a parsed one has", () => {
  const changes: ((draft: MessageDraft) => void)[] = [
    () => {},
    (draft) => draft.bornHost = new Uint8Array(16),
    (draft) => draft.storeHost = new Uint8Array(16),
    (draft) => draft.topic = new Uint8Array(200).fill(0x61),
    (draft) => draft.bodyEnd = 0,
  ];
  for (const change of changes) {
    const bytes = entry(change);
    const [parsed, located] = [new StoredMessage(), new StoredMessage()];
    const size = parsed.parse(bytes, 10, bytes.length, true);
    assert.ok(size > 0 && located.locate(bytes, 10, size, 5_000_000_000));
    const places = (message: StoredMessage) => [
      [message.topicStart, message.topicEnd, message.bodyStart, message.bodyEnd],
      [message.propertiesStart, message.propertiesEnd, message.size, message.queueOffset, message.physicalOffset],
    ];
    assert.deepEqual(places(located), places(parsed));
    assert.equal(located.property("KEYS"), "a b");
  }
});

test("an entry of another place or size, and one whose lengths are wrong, is not located", () => {
  const bytes = entry(() => {});
  const message = new StoredMessage();
  const size = message.parse(bytes, 10, bytes.length, true);
  assert.equal(message.locate(bytes, 10, size, 5_000_000_001), false);
  assert.equal(message.locate(bytes, 10, size + 1, 5_000_000_000), false);
  assert.equal(message.locate(bytes, 10, 90, 5_000_000_000), false);
  assert.equal(message.locate(bytes, 11, size, 5_000_000_000), false);
  assert.equal(message.locate(bytes, 10, bytes.length, 5_000_000_000), false);
  bytes[10 + 87] = 0x7f;
  assert.equal(message.locate(bytes, 10, size, 5_000_000_000), false);
});
