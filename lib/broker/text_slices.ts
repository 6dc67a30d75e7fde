import type { Clock } from "@rmq/platform";

/** A turn's share of a long text, microseconds. */
const SLICE_US = 2000;
/** Parts between two looks at the clock. */
const PARTS_PER_LOOK = 16;
const encoder = new TextEncoder();

/**
 * Joins `parts` and encodes them, in slices between which the loop turns, so that a list of any length holds nothing
 * up. `done` is called at once when one slice is enough. A throw of `parts` goes to `failed`.
 */
export function encodeSliced(
  clock: Clock,
  parts: Iterator<string>,
  done: (bytes: Uint8Array) => void,
  failed: (error: unknown) => void,
): void {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const slice = () => {
    try {
      const until = clock.monotonicUs() + SLICE_US;
      for (;;) {
        let text = "";
        let ended = false;
        for (let i = 0; i < PARTS_PER_LOOK && !ended; i++) {
          const next = parts.next();
          if (next.done === true) ended = true;
          else text += next.value;
        }
        const chunk = encoder.encode(text);
        chunks.push(chunk);
        length += chunk.length;
        if (ended) return done(joined(chunks, length));
        if (clock.monotonicUs() >= until) break;
      }
      clock.setTimer(0, slice);
    } catch (error) {
      failed(error);
    }
  };
  slice();
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  if (chunks.length === 1) return chunks[0];
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
