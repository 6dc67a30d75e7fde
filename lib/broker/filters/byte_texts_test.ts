import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ByteTexts, finderOf } from "./byte_texts.ts";

const encoder = new TextEncoder();

test("a text is found where String.includes finds it", () => {
  const letters = (maxLength: number) => fc.string({ unit: fc.constantFrom("a", "b", "ä"), maxLength });
  fc.assert(
    fc.property(letters(60), letters(14), (text, search) => {
      const bytes = encoder.encode(`${search}${text}${search}`);
      const [start, length] = [encoder.encode(search).length, encoder.encode(text).length];
      assert.equal(finderOf(encoder.encode(search))(bytes, start, start + length), text.includes(search));
    }),
    { seed: 7 },
  );
});

test("a set of texts knows its own and no others, whatever their hashes", () => {
  // These have the same hash in Java.
  const texts = new ByteTexts(["Aa", "größe", "Aa"].map((text) => encoder.encode(text)));
  const has = (text: string) => {
    const bytes = encoder.encode(`x${text}y`);
    return texts.has(bytes, 1, bytes.length - 1);
  };
  assert.deepEqual(["Aa", "BB", "größe", "grösse", ""].map(has), [true, false, true, false, false]);
});
