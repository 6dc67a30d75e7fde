/** One connection that pulls queues from the first message to the last, one after the other and again. */
import { AnswerScanner, codeOf, int32, numberField, opaqueIn } from "./answers.ts";
import { FIRST_OPAQUE, opaqueOf, PullFrame } from "./frames.ts";
import { sockets, type Wire } from "./sockets.ts";
import type { LoadConnection, Tally } from "./tally.ts";

const NEXT = new TextEncoder().encode('"nextBeginOffset"');
const MAX = new TextEncoder().encode('"maxOffset"');

export interface PullOptions {
  host: string;
  port: number;
  topic: string;
  /** One request is in flight for each list; it goes through the queues of its list. */
  queueLists: number[][];
  /** Messages a request. */
  count: number;
  /** A SQL92 expression that the broker filters by; null: all messages. */
  sql: string | null;
  tally: Tally;
  onClose: (why: string) => void;
}

/** Number of messages in an answer's body; their sizes must fill it exactly. */
function countMessages(bytes: Uint8Array, at: number, end: number): number {
  let count = 0;
  while (at < end) {
    const size = int32(bytes, at);
    if (size <= 0 || at + size > end) throw new Error("a pull's answer is not a row of messages");
    at += size;
    count++;
  }
  return count;
}

interface Cursor {
  frames: PullFrame[];
  /** Index of the queue under way. */
  queue: number;
  offset: number;
}

/** Where the next queue begins after deletions, the broker says with code 21. */
function nextQueue(cursor: Cursor): void {
  cursor.queue = (cursor.queue + 1) % cursor.frames.length;
  cursor.offset = 0;
}

export async function openPull(options: PullOptions): Promise<LoadConnection> {
  const { tally } = options;
  const cursors = options.queueLists.map((ids): Cursor => ({
    frames: ids.map((id) => new PullFrame(options.topic, id, options.count, options.sql)),
    queue: 0,
    offset: 0,
  }));
  const inFlight = cursors.length;
  const sentAt = new Float64Array(inFlight);
  let unsent: Uint8Array[] = [];
  let closing = false;
  let now = 0;
  // Sequence numbers of a cursor are its index modulo the number of cursors.
  const sequences = cursors.map((_, i) => i);

  const write = (wire: Wire, bytes: Uint8Array) => {
    if (unsent.length === 0) {
      const wrote = Math.max(0, wire.write(bytes));
      if (wrote === bytes.length) return;
      bytes = bytes.subarray(wrote);
    }
    unsent.push(bytes.slice());
  };
  const pull = (wire: Wire, i: number) => {
    sentAt[i] = now;
    const { frames, queue, offset } = cursors[i];
    write(wire, frames[queue].encode(offset, opaqueOf(sequences[i])));
    sequences[i] += inFlight;
  };
  let current: Wire;
  const scanner = new AnswerScanner((bytes, headerAt, headerEnd, end) => {
    const i = (opaqueIn(bytes, headerAt, headerEnd) - FIRST_OPAQUE) % inFlight;
    const cursor = cursors[i];
    const code = codeOf(bytes, headerAt, headerEnd);
    const next = numberField(bytes, NEXT, headerAt, headerEnd);
    tally.requests++;
    tally.bytes += end - headerAt + 8;
    tally.latency.record((now - sentAt[i]) * 1000);
    if (code === 0) {
      tally.messages += countMessages(bytes, headerEnd, end);
      cursor.offset = next;
      if (next >= numberField(bytes, MAX, headerAt, headerEnd)) nextQueue(cursor);
    } else if (code === 20 || code === 21) {
      // Nothing matched, or the offset does not exist: the broker says where to go on.
      cursor.offset = next;
    } else {
      if (code !== 19) tally.error(code);
      nextQueue(cursor);
    }
    pull(current, i);
  });
  const wire = await sockets().connect({
    hostname: options.host,
    port: options.port,
    socket: {
      data(wire, chunk) {
        now = performance.now();
        current = wire;
        scanner.take(chunk);
      },
      drain(wire) {
        const waiting = unsent;
        unsent = [];
        for (const bytes of waiting) write(wire, bytes);
      },
      close() {
        if (!closing) options.onClose("the broker closed the connection");
      },
      error(_wire, error) {
        if (!closing) options.onClose(error.message);
      },
    },
  });
  let begun = false;
  return {
    pump() {
      if (begun) return;
      begun = true;
      now = performance.now();
      for (let i = 0; i < inFlight; i++) pull(wire, i);
    },
    close() {
      closing = true;
      wire.end();
    },
  };
}
