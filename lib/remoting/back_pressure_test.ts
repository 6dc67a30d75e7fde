import assert from "node:assert/strict";
import { test } from "node:test";
import { hostPlatform } from "@rmq/platform";
import { type Handler, type RemotingConnection, type RemotingServer, type ServerOptions, startServer } from "./mod.ts";
import { poisoned } from "./_poisoned.ts";
import { bytesOf, RawPeer, requestBytes, TestLog } from "./_test_peer.ts";

const platform = poisoned(hostPlatform());
const KIB = 1024;
const PING = 900;
const SEND = 901;
const BIG = 902;

/** A handler that parks sends while the gate is shut. */
class Gate {
  open = false;
  /** Serves so many more, then shuts. */
  budget = Infinity;
  readonly served: string[] = [];
  readonly send: Handler = (header, connection) => {
    if (!this.open || this.budget === 0) return connection.park(header);
    this.budget--;
    this.served.push(new TextDecoder().decode(header.bytes.subarray(header.bodyStart, header.bodyEnd)));
    connection.answer(header.opaque, { code: 0 });
  };
}

const ping: Handler = (header, connection) => connection.answer(header.opaque, { code: 0, remark: "pong" });
const big: Handler = (header, connection) => {
  connection.answer(header.opaque, { code: 0, body: new Uint8Array(64 * KIB) });
};

async function withGate(
  options: Partial<ServerOptions>,
  run: (gate: Gate, server: RemotingServer, peer: RawPeer) => Promise<void>,
): Promise<void> {
  const gate = new Gate();
  const handlers = new Map<number, Handler>([[PING, ping], [SEND, gate.send], [BIG, big]]);
  const server = await startServer(platform, { host: "127.0.0.1", port: 0, handlers, ...options }, new TestLog());
  const peer = await RawPeer.connect(platform, server.port);
  try {
    await run(gate, server, peer);
  } finally {
    peer.close();
    await server.close(2000);
  }
}

const send = (opaque: number, body = `message ${opaque}`): Uint8Array =>
  requestBytes({ code: SEND, opaque, body: new TextEncoder().encode(body) });

test("parked requests are served in their order, and other requests pass them", () =>
  withGate({}, async (gate, server, peer) => {
    peer.send(bytesOf(send(1), send(2), requestBytes({ code: PING, opaque: 3 }), send(4)));
    await peer.received(1);
    assert.ok(server.parkedBytes > 0);
    gate.open = true;
    peer.request({ code: PING, opaque: 5 });
    peer.send(send(6));
    peer.request({ code: PING, opaque: 7 });
    await peer.received(3);
    assert.deepEqual(gate.served, [], "a new send must not overtake the parked ones");
    server.release();
    await peer.received(7);
    assert.deepEqual(gate.served, ["message 1", "message 2", "message 4", "message 6"]);
    assert.deepEqual(peer.frames.map((frame) => frame.opaque), [3, 5, 7, 1, 2, 4, 6]);
    assert.equal(server.parkedBytes, 0);
  }));

test("a request that is parked again stops the ones behind it", () =>
  withGate({}, async (gate, server, peer) => {
    peer.send(bytesOf(send(1), send(2), send(3), requestBytes({ code: PING, opaque: 9 })));
    await peer.received(1);
    gate.open = true;
    gate.budget = 1;
    server.release();
    await peer.received(2);
    assert.deepEqual(gate.served, ["message 1"]);
    gate.budget = 2;
    server.release();
    await peer.received(4);
    assert.deepEqual(gate.served, ["message 1", "message 2", "message 3"]);
  }));

test("a request parked for too long is answered with 2, and is not served any more", () =>
  withGate({ waitTimeMillsInSendQueue: 1 }, async (gate, server, peer) => {
    peer.send(bytesOf(send(1), send(2)));
    const frames = await peer.received(2);
    assert.deepEqual(frames.map((frame) => [frame.opaque, frame.code]), [[1, 2], [2, 2]]);
    assert.match(frames[0]!.remark!, /^\[TIMEOUT_CLEAN_QUEUE\]/);
    gate.open = true;
    server.release();
    assert.deepEqual(gate.served, []);
    assert.equal(server.parkedBytes, 0);
    assert.equal(server.stats.parkTimeouts, 2);
  }));

test("all that is parked can be given one answer, and is not served any more", () =>
  withGate({}, async (gate, server, peer) => {
    peer.send(bytesOf(send(1), requestBytes({ code: SEND, opaque: 2, oneway: true }), send(3)));
    peer.request({ code: PING, opaque: 4 });
    await peer.received(1);
    server.refuseParked({ code: 14, remark: "closing" });
    const frames = await peer.received(3);
    assert.deepEqual(frames.slice(1).map(({ opaque, code, remark }) => [opaque, code, remark]), [
      [1, 14, "closing"],
      [3, 14, "closing"],
    ]);
    gate.open = true;
    server.release();
    assert.deepEqual(gate.served, []);
    assert.equal(server.parkedBytes, 0);
  }));

test("beyond the byte bound the socket rests, and goes on after a release", () =>
  withGate({ parkedBytesPerConnection: 40 * KIB, waitTimeMillsInSendQueue: 60_000 }, async (gate, server, peer) => {
    const count = 100;
    for (let i = 1; i <= count; i++) peer.send(send(i, `${i} ${"x".repeat(10 * KIB)}`));
    const other = await RawPeer.connect(platform, server.port);
    // The kernel's buffers take the rest in; only what fits the bound is parked.
    for (let i = 1; i <= 20; i++) {
      other.request({ code: PING, opaque: i });
      await other.received(i);
    }
    assert.ok(server.parkedBytes >= 40 * KIB && server.parkedBytes < 60 * KIB, String(server.parkedBytes));
    gate.open = true;
    const again = (): void => server.release();
    for (let i = 0; peer.frames.length < count; i++) {
      again();
      other.request({ code: PING, opaque: i });
      await other.received(20 + i + 1);
    }
    assert.deepEqual(
      gate.served.map((body) => Number(body.split(" ")[0])),
      Array.from({ length: count }, (_, i) => i + 1),
    );
    other.close();
  }));

test("a closed connection leaves nothing parked", () =>
  withGate({}, async (_gate, server, peer) => {
    peer.send(bytesOf(send(1), requestBytes({ code: PING, opaque: 2 })));
    await peer.received(1);
    const [connection] = server.connections;
    const gone = new Promise<void>((resolve) => (connection as RemotingConnection).onClose(resolve));
    peer.close();
    await gone;
    assert.equal(server.parkedBytes, 0);
    server.release();
  }));

test("a peer that does not read is not read either, and gets everything once it reads again", () =>
  withGate({}, async (_gate, server, peer) => {
    const count = 400;
    peer.connection.pause();
    for (let i = 1; i <= count; i++) peer.request({ code: BIG, opaque: i });
    const other = await RawPeer.connect(platform, server.port);
    let served = -1;
    for (let i = 1; served !== server.stats.requests - i; i++) {
      served = server.stats.requests - i;
      for (let j = 0; j < 20; j++) other.request({ code: PING, opaque: j });
      await other.received(i * 20);
      served = server.stats.requests - other.frames.length;
      if (i > 200) break;
      if (served > 0 && served < count && i > 5) break;
    }
    assert.ok(served < count, `${served} of ${count} were served to a peer that does not read`);
    peer.connection.resume();
    await peer.received(count);
    assert.deepEqual(peer.frames.map((frame) => frame.opaque), Array.from({ length: count }, (_, i) => i + 1));
    other.close();
  }));

test("a peer that leaves too much unread is cut off", () => {
  let connection: RemotingConnection | null = null;
  return withGate({
    maxBufferedBytesPerConnection: 2 * KIB * KIB,
    connected: (one) => connection ??= one,
  }, async (_gate, server, peer) => {
    peer.request({ code: PING, opaque: 0 });
    await peer.received(1);
    peer.connection.pause();
    const gone = new Promise<void>((resolve) => connection!.onClose(resolve));
    for (let i = 0; i < 200 && !connection!.closed; i++) {
      connection!.oneway({ code: 40, body: new Uint8Array(256 * KIB) });
    }
    await gone;
    assert.equal(server.stats.slowClosed, 1);
  });
});
