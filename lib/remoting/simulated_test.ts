import assert from "node:assert/strict";
import { test } from "node:test";
import { type Platform, PlatformError } from "@rmq/platform";
import { type Simulation, simulation } from "@rmq/platform/simulated";
import {
  createClient,
  type Handler,
  type RemotingError,
  type RemotingServer,
  type ServerOptions,
  startServer,
} from "./mod.ts";
import { poisoned } from "./_poisoned.ts";
import { bytesOf, RawPeer, requestBytes, TestLog } from "./_test_peer.ts";

const PORT = 10911;
const ECHO = 901;
const PARK = 902;
const SILENT = 903;
const CONNECTION_LATE = 904;

const echo: Handler = (header, connection) => {
  connection.answer(header.opaque, { code: 0, body: header.bytes.slice(header.bodyStart, header.bodyEnd) });
};

class World {
  readonly simulation: Simulation;
  readonly platform: Platform;
  readonly log = new TestLog();
  server!: RemotingServer;

  private constructor(seed: number) {
    this.simulation = simulation({ seed });
    this.platform = poisoned(this.simulation.platform);
  }

  static async start(handlers: Iterable<readonly [number, Handler]>, options: Partial<ServerOptions> = {}) {
    const world = new World(11);
    const all = new Map<number, Handler>([[ECHO, echo], [SILENT, () => {}], ...handlers]);
    const given: ServerOptions = { host: "127.0.0.1", port: PORT, handlers: all, ...options };
    world.server = await world.simulation.finish(startServer(world.platform, given, world.log));
    return world;
  }

  async connect(): Promise<RawPeer> {
    return await this.simulation.finish(RawPeer.connect(this.platform, PORT));
  }

  async received(peer: RawPeer, count: number) {
    return await this.simulation.finish(peer.received(count));
  }
}

test("all answers of a turn leave in one write a connection", async () => {
  const world = await World.start([]);
  const peers = [await world.connect(), await world.connect()];
  for (const peer of peers) {
    peer.send(bytesOf(...Array.from({ length: 50 }, (_, opaque) => requestBytes({ code: ECHO, opaque }))));
  }
  for (const peer of peers) await world.received(peer, 50);
  assert.equal(world.server.stats.requests, 100);
  assert.equal(world.server.stats.writes, 2);
});

test("answers that others write at the end of the turn leave in the same write", async () => {
  const late: Handler = (header, connection) => {
    const { opaque } = header;
    world.platform.clock.afterTurn(() => connection.answer(opaque, { code: 0, remark: "late" }));
  };
  const world = await World.start([[CONNECTION_LATE, late]]);
  const peer = await world.connect();
  peer.send(bytesOf(requestBytes({ code: ECHO, opaque: 1 }), requestBytes({ code: CONNECTION_LATE, opaque: 2 })));
  await world.received(peer, 2);
  assert.equal(world.server.stats.writes, 1);
});

test("a turn's answers beyond 256 KiB leave early", async () => {
  const world = await World.start([]);
  const peer = await world.connect();
  const body = new Uint8Array(100 * 1024);
  peer.send(bytesOf(...[1, 2, 3, 4].map((opaque) => requestBytes({ code: ECHO, opaque, body }))));
  await world.received(peer, 4);
  assert.ok(world.server.stats.writes >= 2);
});

test("idle connections are closed after 120 s without traffic, busy ones are not", async () => {
  const world = await World.start([]);
  const halfOpen = await world.connect();
  const idle = await world.connect();
  const busy = await world.connect();
  for (const peer of [idle, busy]) peer.request({ code: ECHO, opaque: 1 });
  await world.simulation.advance("100s");
  busy.request({ code: ECHO, opaque: 2 });
  await world.simulation.advance("19s");
  assert.deepEqual([halfOpen.closed, idle.closed, busy.closed], [false, false, false]);
  await world.simulation.advance("15s");
  assert.deepEqual([halfOpen.closed, idle.closed, busy.closed], [true, true, false]);
  await world.simulation.advance("120s");
  assert.equal(busy.closed, true);
});

test("time in which we don't read because of parked requests is not idle time", async () => {
  let open = false;
  const park: Handler = (header, connection) => open ? echo(header, connection) : connection.park(header);
  const limits = { parkedBytesPerConnection: 100, waitTimeMillsInSendQueue: 1_000_000 };
  const world = await World.start([[PARK, park]], limits);
  const peer = await world.connect();
  peer.send(bytesOf(...[1, 2].map((opaque) => requestBytes({ code: PARK, opaque, body: new Uint8Array(200) }))));
  await world.simulation.advance("500s");
  assert.equal(peer.closed, false);
  open = true;
  world.server.release();
  assert.deepEqual((await world.received(peer, 2)).map((frame) => frame.opaque), [1, 2]);
  await world.simulation.advance("130s");
  assert.equal(peer.closed, true);
});

test("a parked request is refused after 2 s, not before", async () => {
  const world = await World.start([[PARK, (header, connection) => connection.park(header)]]);
  const peer = await world.connect();
  peer.request({ code: PARK, opaque: 1 });
  peer.request({ code: PARK, opaque: 2, oneway: true });
  await world.simulation.advance(1900);
  assert.equal(peer.frames.length, 0);
  await world.simulation.advance(200);
  assert.deepEqual(peer.frames.map((frame) => [frame.opaque, frame.code]), [[1, 2]]);
  assert.equal(world.server.parkedBytes, 0);
});

test("a parked one-way request is not answered when it is served at last", async () => {
  let open = false;
  const park: Handler = (header, connection) => open ? echo(header, connection) : connection.park(header);
  const world = await World.start([[PARK, park]]);
  const peer = await world.connect();
  peer.request({ code: PARK, opaque: 1, oneway: true });
  peer.request({ code: PARK, opaque: 2 });
  await world.simulation.settle();
  open = true;
  world.server.release();
  await world.simulation.advance(100);
  assert.deepEqual(peer.frames.map((frame) => frame.opaque), [2]);
});

test("the bound on all parked bytes holds over many connections", async () => {
  let open = false;
  const park: Handler = (header, connection) => open ? echo(header, connection) : connection.park(header);
  const world = await World.start([[PARK, park]], { parkedBytes: 10_000, waitTimeMillsInSendQueue: 1_000_000 });
  const peers = [];
  for (let i = 0; i < 8; i++) peers.push(await world.connect());
  for (let round = 0; round < 20; round++) {
    for (const peer of peers) {
      peer.request({ code: PARK, opaque: round, body: new Uint8Array(1000) });
      await world.simulation.settle();
    }
  }
  assert.ok(world.server.parkedBytes < 10_000 + peers.length * 1500, String(world.server.parkedBytes));
  open = true;
  for (let i = 0; i < 30; i++) {
    world.server.release();
    await world.simulation.advance(100);
  }
  for (const peer of peers) {
    assert.deepEqual(
      peer.frames.map((frame) => frame.opaque),
      Array.from({ length: 20 }, (_, i) => i),
    );
  }
});

test("a request times out at its time, and its late answer is dropped", async () => {
  let answer = (): void => {};
  const late: Handler = (header, connection) => {
    const later = connection.later(header);
    answer = () => later.answer({ code: 0 });
  };
  const world = await World.start([[CONNECTION_LATE, late]]);
  const client = createClient(world.platform, {}, world.log);
  const address = `127.0.0.1:${PORT}`;
  const failures: string[] = [];
  client.request(address, { code: CONNECTION_LATE }, 3000).catch((error: RemotingError) => failures.push(error.code));
  await world.simulation.advance(2900);
  assert.equal(failures.length, 0);
  await world.simulation.advance(300);
  assert.deepEqual(failures, ["TIMEOUT"]);
  answer();
  await world.simulation.settle();
  const response = await world.simulation.finish(client.request(address, { code: ECHO }, 3000));
  assert.equal(response.code, 0);
  client.close();
});

test("a peer that is gone without a word is connected to anew, whatever is still written to it", async () => {
  const world = await World.start([], { host: "0.0.0.0" });
  const client = createClient(world.simulation.addMachine("client").platform, {}, world.log);
  const address = `${world.simulation.machine.host}:${PORT}`;
  const ask = (timeoutMs = 3000) =>
    client.request(address, { code: ECHO }, timeoutMs).then(() => "answered", (error: RemotingError) => error.code);
  assert.equal(await world.simulation.finish(ask()), "answered");
  world.simulation.net.partition();
  const late = client.request(address, { code: ECHO }, 20_000).catch((error: RemotingError) => error.code);
  assert.equal(await world.simulation.finish(ask(50)), "TIMEOUT");
  const before = await client.connection(address);
  assert.equal(before.closed, false, "that was too short a time to give up the connection");
  assert.equal(await world.simulation.finish(ask()), "TIMEOUT");
  assert.equal(before.closed, true);
  assert.equal(await world.simulation.finish(late), "CLOSED");
  assert.equal(await world.simulation.finish(ask(5000)), "CONNECT_FAILED");
  world.simulation.net.heal();
  assert.equal(await world.simulation.finish(ask()), "answered");
  assert.equal(world.server.stats.accepted, 2);
  client.close();
});

test("a name is resolved, and a connection that was given up is made again", async () => {
  const world = await World.start([]);
  const other = world.simulation.addMachine("other");
  const client = createClient(other.platform, { connectTimeoutMs: 1000 }, world.log);
  const bound = await world.simulation.finish(
    startServer(world.platform, { host: "0.0.0.0", port: 9999, handlers: new Map([[ECHO, echo]]) }, world.log),
  );
  const address = `main:${bound.port}`;
  assert.equal((await world.simulation.finish(client.request(address, { code: ECHO }, 3000))).code, 0);
  client.disconnect(address);
  await world.simulation.settle();
  assert.equal((await world.simulation.finish(client.request(address, { code: ECHO }, 3000))).code, 0);
  assert.equal(bound.stats.accepted, 2);
  client.close();
});

test("without descriptors left accepting rests, with one line in the log, and goes on by itself with another", async () => {
  const world = simulation({ seed: 3 });
  const events: string[] = [];
  let outOfDescriptors = (): void => {};
  const { platform } = world;
  const net: Platform["net"] = {
    ...platform.net,
    listen: async (options, accept, error) => {
      const listener = await platform.net.listen(options, accept, error);
      outOfDescriptors = () => error(new PlatformError("EMFILE", "too many open files"));
      return {
        address: listener.address,
        pause: () => void events.push("pause"),
        resume: () => void events.push("resume"),
        close: () => listener.close(),
      };
    },
  };
  const log = new TestLog();
  const options = { host: "127.0.0.1", port: PORT, handlers: new Map([[ECHO, echo]]) };
  const server = await world.finish(startServer({ ...platform, net }, options, log));
  for (let i = 0; i < 5; i++) outOfDescriptors();
  assert.deepEqual(events, ["pause"]);
  for (let second = 0; second < 5; second++) {
    await world.advance("1s");
    outOfDescriptors();
  }
  assert.deepEqual(events, ["pause", ...Array(5).fill(["resume", "pause"]).flat()]);
  assert.deepEqual(log.lines, ["accepting is paused"]);
  await world.advance("2s");
  assert.equal(events.at(-1), "resume");
  assert.deepEqual(log.lines, ["accepting is paused", "accepting goes on"]);
  outOfDescriptors();
  assert.equal(events.at(-1), "pause");
  await world.finish(server.close());
  await world.advance("2s");
  assert.equal(events.at(-1), "pause");
  assert.deepEqual(log.lines, ["accepting is paused", "accepting goes on", "accepting is paused"]);
});

test("a release from within a request leaves that request's frame alone", async () => {
  let open = false;
  const served: string[] = [];
  const park: Handler = (header, connection) => open ? echo(header, connection) : connection.park(header);
  const releasing: Handler = (header, connection) => {
    open = true;
    world.server.release();
    served.push(new TextDecoder().decode(header.bytes.subarray(header.bodyStart, header.bodyEnd)));
    open = false;
    connection.park(header);
  };
  const world = await World.start([[PARK, park], [CONNECTION_LATE, (header, connection) => {
    if (served.length === 0) releasing(header, connection);
    else echo(header, connection);
  }]]);
  const peer = await world.connect();
  const body = (text: string): Uint8Array => new TextEncoder().encode(text);
  peer.send(bytesOf(
    requestBytes({ code: PARK, opaque: 1, body: body("parked") }),
    requestBytes({ code: CONNECTION_LATE, opaque: 2, body: body("releasing") }),
  ));
  await world.received(peer, 1);
  assert.deepEqual([peer.frames[0]!.opaque, peer.frames[0]!.body], [1, "parked"]);
  assert.deepEqual(served, ["releasing"]);
  world.server.release();
  await world.received(peer, 2);
  assert.deepEqual([peer.frames[1]!.opaque, peer.frames[1]!.body], [2, "releasing"]);
});
