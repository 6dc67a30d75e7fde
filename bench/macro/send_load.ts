/** One connection that keeps a number of sends in flight: frames stand ready and are patched, one write for many. */
import { AnswerScanner, codeOf, opaqueIn } from "./answers.ts";
import { opaqueOf, type Template, writeDigits, writeHex } from "./frames.ts";
import { sockets, type Wire } from "./sockets.ts";
import type { LoadConnection, Pace, Tally } from "./tally.ts";

/** Sent times are kept in a ring; answers come far less out of order than this. */
const RING = 8192;

export interface SendOptions {
  host: string;
  port: number;
  template: Template;
  inFlight: number;
  queues: number;
  pace: Pace;
  tally: Tally;
  onClose: (why: string) => void;
}

export async function openSend(options: SendOptions): Promise<LoadConnection> {
  const { template, inFlight, queues, pace, tally } = options;
  const { opaqueAt, queueAt, digitAt, keysAt, messages } = template;
  const length = template.frame.length;
  const frames = new Uint8Array(length * inFlight);
  for (let i = 0; i < inFlight; i++) frames.set(template.frame, i * length);
  const sentAt = new Float64Array(RING);
  let sequence = 0;
  let queue = 0;
  let free = inFlight;
  let unsentAt = 0;
  let unsentEnd = 0;
  let closing = false;
  let now = 0;

  const pump = (wire: Wire) => {
    if (free === 0 || unsentAt < unsentEnd) return;
    const count = pace.take(free);
    if (count === 0) return;
    free -= count;
    const time = performance.now();
    for (let i = 0; i < count; i++) {
      const base = i * length;
      writeDigits(frames, base + opaqueAt, opaqueOf(sequence), 9);
      frames[base + queueAt] = 48 + queue;
      // Another round than that of the queues, so that each queue gets all digits.
      if (digitAt >= 0) frames[base + digitAt] = 48 + ((sequence / queues) | 0) % 10;
      if (++queue === queues) queue = 0;
      for (let k = 0; k < keysAt.length; k++) writeHex(frames, base + keysAt[k], sequence * messages + k);
      sentAt[sequence++ & (RING - 1)] = time;
    }
    unsentAt = 0;
    unsentEnd = count * length;
    flush(wire);
  };
  const flush = (wire: Wire) => {
    const wrote = wire.write(unsentEnd - unsentAt === frames.length ? frames : frames.subarray(unsentAt, unsentEnd));
    if (wrote > 0) unsentAt += wrote;
  };
  const scanner = new AnswerScanner((bytes, headerAt, headerEnd, end) => {
    const code = codeOf(bytes, headerAt, headerEnd);
    if (code === 0) tally.messages += messages;
    else tally.error(code);
    tally.requests++;
    tally.bytes += end - headerAt + 8;
    free++;
    const sent = sentAt[(opaqueIn(bytes, headerAt, headerEnd) - 100_000_000) & (RING - 1)];
    tally.latency.record((now - sent) * 1000);
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
      drain(wire) {
        if (unsentAt < unsentEnd) flush(wire);
        pump(wire);
      },
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
