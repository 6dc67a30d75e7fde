/** Answers every request at once and does nothing else, to show what the load generator itself can do: `bun bench/macro/null_server.ts [PORT]`. */
import { int32, opaqueIn } from "./answers.ts";
import { writeDigits } from "./frames.ts";
import { sockets, type Wire } from "./sockets.ts";

const answerHeader = new TextEncoder().encode(
  '{"code":0,"extFields":{"queueId":"2","transactionId":"7F0000010B844E0E2F2A70079A9E0000",' +
    '"msgId":"7F0000010000C6DF0000000000000BE9","TRACE_ON":"true","MSG_REGION":"DefaultRegion","queueOffset":"0"},' +
    '"flag":1,"language":"JAVA","opaque":100000000,"serializeTypeCurrentRPC":"JSON","version":513}',
);
const answer = new Uint8Array(8 + answerHeader.length);
new DataView(answer.buffer).setUint32(0, 4 + answerHeader.length);
new DataView(answer.buffer).setUint32(4, answerHeader.length);
answer.set(answerHeader, 8);
const opaqueAt = answer.length - ',"serializeTypeCurrentRPC":"JSON","version":513}'.length - 9;

interface Connection {
  /** Bytes of the request under way that are still to come, once its header was seen. */
  skip: number;
  /** The begin of a request whose header is not complete. */
  held: Uint8Array;
  unsent: Uint8Array;
}

const connections = new Map<Wire, Connection>();
let out = new Uint8Array(1 << 20);

function reserve(needed: number): void {
  if (needed <= out.length) return;
  const larger = new Uint8Array(needed * 2);
  larger.set(out);
  out = larger;
}

/** Answers what is complete up to its header; bodies are skipped unread. */
function take(wire: Wire, state: Connection, chunk: Uint8Array): void {
  let bytes = chunk;
  if (state.held.length > 0) {
    bytes = new Uint8Array(state.held.length + chunk.length);
    bytes.set(state.held);
    bytes.set(chunk, state.held.length);
    state.held = new Uint8Array(0);
  }
  let at = Math.min(state.skip, bytes.length);
  state.skip -= at;
  let length = 0;
  while (at < bytes.length) {
    const headerEnd = bytes.length - at < 8 ? Infinity : at + 8 + (int32(bytes, at + 4) & 0xffffff);
    if (headerEnd > bytes.length) {
      state.held = bytes.slice(at);
      break;
    }
    reserve(length + answer.length);
    out.set(answer, length);
    writeDigits(out, length + opaqueAt, opaqueIn(bytes, at + 8, headerEnd), 9);
    // JSON has no leading zeros, but takes spaces.
    for (let i = length + opaqueAt; out[i] === 48; i++) out[i] = 32;
    length += answer.length;
    const end = at + 4 + int32(bytes, at);
    state.skip = Math.max(0, end - bytes.length);
    at = Math.min(end, bytes.length);
  }
  if (length > 0) send(wire, state, out.subarray(0, length));
}

function send(wire: Wire, state: Connection, bytes: Uint8Array): void {
  const wrote = state.unsent.length === 0 ? Math.max(0, wire.write(bytes)) : 0;
  if (wrote === bytes.length) return;
  const rest = new Uint8Array(state.unsent.length + bytes.length - wrote);
  rest.set(state.unsent);
  rest.set(bytes.subarray(wrote), state.unsent.length);
  state.unsent = rest;
}

const server = sockets().listen({
  hostname: "127.0.0.1",
  port: Number(process.argv[2] ?? 0),
  socket: {
    open(wire) {
      connections.set(wire, { skip: 0, held: new Uint8Array(0), unsent: new Uint8Array(0) });
    },
    data(wire, chunk) {
      take(wire, connections.get(wire)!, chunk);
    },
    drain(wire) {
      const state = connections.get(wire)!;
      const bytes = state.unsent;
      state.unsent = new Uint8Array(0);
      send(wire, state, bytes);
    },
    close(wire) {
      connections.delete(wire);
    },
  },
});
console.log(`127.0.0.1:${server.port} boot success`);
