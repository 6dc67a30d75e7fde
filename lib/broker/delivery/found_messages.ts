import { MAX_FRAME_LENGTH } from "@rmq/protocol";
import type { Store } from "@rmq/store";

/** Leaves room in a frame for its header; messages beyond it are left out. */
const MAX_BODY = MAX_FRAME_LENGTH - 65536;

/** Messages in store format, one behind the other. */
export interface FoundMessages {
  readonly count: number;
  readonly body: Uint8Array;
}

/** Reads the messages at `offsets` (physical) one after the other; those that are gone are left out. */
export function readMessages(
  store: Pick<Store, "entryAt">,
  offsets: readonly number[],
  done: (found: FoundMessages) => void,
): void {
  const parts: Uint8Array[] = [];
  let length = 0;
  let next = 0;
  let running = false;
  let called = 0;
  // Entries that are in memory come back at once: a loop takes those, so that the stack stays flat.
  const run = () => {
    if (running) return;
    running = true;
    while (next === called && next < offsets.length && length < MAX_BODY) {
      next++;
      store.entryAt(offsets[next - 1], 0, (bytes, start, end) => {
        called++;
        if (bytes !== null && length + end - start <= MAX_BODY) {
          parts.push(bytes.slice(start, end));
          length += end - start;
        }
        run();
      });
    }
    running = false;
    if (next === called && (next === offsets.length || length >= MAX_BODY)) finish();
  };
  const finish = () => {
    const body = new Uint8Array(length);
    let at = 0;
    for (const part of parts) {
      body.set(part, at);
      at += part.length;
    }
    done({ count: parts.length, body });
  };
  run();
}
