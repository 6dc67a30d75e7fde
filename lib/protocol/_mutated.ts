import fc from "fast-check";

/** Any bytes, and valid ones with a few bytes changed or cut: what a parser meets in the field. For tests. */
export function mutated(valid: Uint8Array): fc.Arbitrary<Uint8Array> {
  const change = fc.tuple(fc.nat(valid.length - 1), fc.integer({ min: 0, max: 255 }));
  return fc.tuple(fc.array(change, { maxLength: 6 }), fc.nat(valid.length)).map(([changes, length]) => {
    const copy = valid.slice();
    for (const [at, byte] of changes) copy[at] = byte;
    return length % 5 === 0 ? copy.slice(0, length) : copy;
  });
}
