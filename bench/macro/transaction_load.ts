/** One connection that keeps a number of transactions under way: a half message, and its commit when that was answered. */
import { AnswerScanner, codeOf, numberField, opaqueIn } from "./answers.ts";
import { CommitFrame, FIRST_OPAQUE, halfTemplate, opaqueOf, writeDigits, writeHex } from "./frames.ts";
import { sockets, type Wire } from "./sockets.ts";
import type { LoadConnection, Pace, Tally } from "./tally.ts";

const QUEUE_OFFSET = new TextEncoder().encode('"queueOffset"');
const MESSAGE_ID = new TextEncoder().encode('"msgId"');

export interface TransactionOptions {
  host: string;
  port: number;
  topic: string;
  size: number;
  /** Number of this connection. */
  index: number;
  inFlight: number;
  queues: number;
  pace: Pace;
  tally: Tally;
  onClose: (why: string) => void;
}

/** The physical offset in `"msgId":"` host, port and offset in hexadecimal `"`; -1: there is none. */
export function physicalOffsetIn(bytes: Uint8Array, at: number, end: number): number {
  outer: for (let i = at; i < end - MESSAGE_ID.length - 34; i++) {
    for (let j = 0; j < MESSAGE_ID.length; j++) if (bytes[i + j] !== MESSAGE_ID[j]) continue outer;
    // `:"`, then 8 digits of the address and 8 of the port.
    const digits = i + MESSAGE_ID.length + 2 + 16;
    return Number.parseInt(new TextDecoder().decode(bytes.subarray(digits, digits + 16)), 16);
  }
  return -1;
}

export async function openTransactions(options: TransactionOptions): Promise<LoadConnection> {
  const { inFlight, queues, pace, tally } = options;
  const template = halfTemplate(options.topic, options.size, options.index);
  const { frame, opaqueAt, queueAt, keysAt } = template;
  const commit = new CommitFrame(options.topic, options.index);
  // The opaque of a request is its slot's number plus a multiple of the slots: odd ones are commits.
  const slots = inFlight * 2;
  const rounds = new Int32Array(slots);
  const startedAt = new Float64Array(inFlight);
  const free = Array.from({ length: inFlight }, (_, i) => i);
  const out = new Uint8Array(inFlight * (frame.length + 1024));
  let outAt = 0;
  let outEnd = 0;
  let sequence = 0;
  let closing = false;
  let now = 0;

  const opaque = (slot: number) => opaqueOf(rounds[slot]++ * slots + slot);
  const put = (bytes: Uint8Array) => {
    if (outEnd + bytes.length > out.length) throw new Error("the broker reads slower than it answers");
    out.set(bytes, outEnd);
    outEnd += bytes.length;
  };
  const flush = (wire: Wire) => {
    if (outAt === outEnd) return;
    const wrote = wire.write(out.subarray(outAt, outEnd));
    if (wrote > 0) outAt += wrote;
    if (outAt === outEnd) outAt = outEnd = 0;
    else {
      out.copyWithin(0, outAt, outEnd);
      outEnd -= outAt;
      outAt = 0;
    }
  };
  const pump = (wire: Wire) => {
    const time = performance.now();
    for (let count = pace.take(free.length); count > 0; count--) {
      const slot = free.pop()!;
      writeDigits(frame, opaqueAt, opaque(slot * 2), 9);
      frame[queueAt] = 48 + sequence % queues;
      for (const key of keysAt) writeHex(frame, key, sequence);
      sequence++;
      startedAt[slot] = time;
      put(frame);
    }
    flush(wire);
  };
  const ended = (slot: number) => {
    tally.requests++;
    tally.latency.record((now - startedAt[slot]) * 1000);
    free.push(slot);
  };
  const scanner = new AnswerScanner((bytes, headerAt, headerEnd, end) => {
    const half = (opaqueIn(bytes, headerAt, headerEnd) - FIRST_OPAQUE) % slots;
    const slot = half >> 1;
    const code = codeOf(bytes, headerAt, headerEnd);
    tally.bytes += end - headerAt + 8;
    if (code !== 0) {
      tally.error(code);
      return ended(slot);
    }
    if ((half & 1) === 1) {
      tally.messages++;
      return ended(slot);
    }
    const queueOffset = numberField(bytes, QUEUE_OFFSET, headerAt, headerEnd);
    put(commit.encode(physicalOffsetIn(bytes, headerAt, headerEnd), queueOffset, opaque(slot * 2 + 1)));
  });
  const wire = await sockets().connect({
    hostname: options.host,
    port: options.port,
    socket: {
      data(wire, chunk) {
        now = performance.now();
        scanner.take(chunk);
        pump(wire);
      },
      drain: (wire) => pump(wire),
      close() {
        if (!closing) options.onClose("the broker closed the connection");
      },
      error(_wire, error) {
        if (!closing) options.onClose(error.message);
      },
    },
  });
  return {
    pump: () => pump(wire),
    close() {
      closing = true;
      wire.end();
    },
  };
}
