import assert from "node:assert/strict";
import test from "node:test";
import { ByteNames } from "./byte_names.ts";

const encoder = new TextEncoder();
const named = (name: string) => ({ name, nameBytes: encoder.encode(name) });

test("a name is found inside a longer buffer, and only whole", () => {
  const names = new ByteNames<ReturnType<typeof named>>();
  const topic = named("Orders");
  names.add(topic);
  const frame = encoder.encode("xxOrdersyy");
  assert.equal(names.find(frame, 2, 8), topic);
  assert.equal(names.find(frame, 2, 7), null);
  assert.equal(names.find(frame, 2, 9), null);
});

test("after adding and removing thousands of names exactly the remaining ones are found", () => {
  const names = new ByteNames<ReturnType<typeof named>>();
  const all = Array.from({ length: 5000 }, (_, i) => named("topic-" + i));
  for (const one of all) names.add(one);
  all.forEach((one, i) => i % 3 === 0 && names.remove(one));
  all.forEach((one, i) => {
    assert.equal(names.find(one.nameBytes, 0, one.nameBytes.length), i % 3 === 0 ? null : one);
  });
  names.remove(all[0]);
  assert.equal(names.size, 5000 - Math.ceil(5000 / 3));
});
