import assert from "node:assert/strict";
import { test } from "node:test";
import { hostPlatform } from "@rmq/platform";
import { createClient, type Handler, RemotingError, type ServerOptions, startServer } from "./mod.ts";
import { poisoned } from "./_poisoned.ts";
import { bytesOf, RawPeer, requestBytes, TestLog } from "./_test_peer.ts";

const platform = poisoned(hostPlatform());
const text = (bytes: Uint8Array | null): string => bytes === null ? "" : new TextDecoder().decode(bytes);
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

const ECHO = 901;
const SILENT = 902;
const FAIL = 903;

/** Answers with the request's body. */
const echo: Handler = (header, connection) => {
  const body = header.bytes.slice(header.bodyStart, header.bodyEnd);
  connection.answer(header.opaque, { code: 0, body });
};

const basic = new Map<number, Handler>([
  [ECHO, echo],
  [SILENT, () => {}],
  [FAIL, () => {
    throw new RangeError("out of luck");
  }],
]);

async function withServer(
  options: Partial<ServerOptions>,
  run: (port: number, server: Awaited<ReturnType<typeof startServer>>, log: TestLog) => Promise<void>,
): Promise<void> {
  const log = new TestLog();
  const server = await startServer(platform, { host: "127.0.0.1", port: 0, handlers: basic, ...options }, log);
  try {
    await run(server.port, server, log);
  } finally {
    await server.close(2000);
  }
}

test("frames are answered in order however the bytes are cut", () =>
  withServer({}, async (port) => {
    for (const step of [1, 2, 3, 7, 64, 1000]) {
      const peer = await RawPeer.connect(platform, port);
      const stream = bytesOf(...[1, 2, 3, 4, 5].map((opaque) =>
        requestBytes({ code: ECHO, opaque, body: bytes(`body ${opaque} ${"x".repeat(opaque * 30)}`) })
      ));
      for (let at = 0; at < stream.length; at += step) {
        peer.send(stream.subarray(at, at + step));
      }
      const frames = await peer.received(5);
      assert.deepEqual(
        frames.map((frame) =>
          frame.opaque
        ),
        [1, 2, 3, 4, 5],
      );
      assert.equal(frames[4]!.body, `body 5 ${"x".repeat(150)}`);
      peer.close();
    }
  }));

test("both header encodings are served, and answers are JSON", () =>
  withServer({}, async (port) => {
    const peer = await RawPeer.connect(platform, port);
    peer.request({ code: ECHO, opaque: 1, body: bytes("binary") }, 1);
    peer.request({ code: ECHO, opaque: 2, body: bytes("json") }, 0);
    assert.deepEqual((await peer.received(2)).map((frame) => frame.body), ["binary", "json"]);
    peer.close();
  }));

test("an unknown code is answered with 3 and Apache's remark", () =>
  withServer({}, async (port) => {
    const peer = await RawPeer.connect(platform, port);
    peer.request({ code: 9999, opaque: 7 });
    const [frame] = await peer.received(1);
    assert.equal(frame!.code, 3);
    assert.equal(frame!.remark, " request type 9999 not supported");
    peer.close();
  }));

test("a handler that fails is answered with 1 and the error, and what it had written is taken back", () => {
  const handlers = new Map<number, Handler>([...basic, [904, (header, connection) => {
    connection.out.text("half an answer");
    connection.touch();
    throw new TypeError(`no ${header.opaque}`);
  }]]);
  return withServer({ handlers }, async (port) => {
    const peer = await RawPeer.connect(platform, port);
    peer.request({ code: FAIL, opaque: 1 });
    peer.request({ code: 904, opaque: 2 });
    const frames = await peer.received(2);
    assert.deepEqual(frames.map((frame) => [frame.code, frame.remark]), [
      [1, "RangeError: out of luck"],
      [1, "TypeError: no 2"],
    ]);
    peer.close();
  });
});

test("one-way requests are never answered, whatever becomes of them", () => {
  const handlers = new Map<number, Handler>([...basic, [904, (header, connection) => {
    connection.later(header).answer({ code: 0 });
  }]]);
  return withServer({ handlers }, async (port) => {
    const peer = await RawPeer.connect(platform, port);
    for (const code of [ECHO, FAIL, 904, 9999]) peer.request({ code, opaque: code, oneway: true });
    peer.request({ code: ECHO, opaque: 1 });
    const frames = await peer.received(1);
    assert.deepEqual(frames.map((frame) => frame.opaque), [1]);
    peer.close();
  });
});

test("an answer given later arrives once", () => {
  let answerAll = (): void => {};
  const handlers = new Map<number, Handler>([[ECHO, (header, connection) => {
    const later = connection.later(header);
    const before = answerAll;
    answerAll = () => {
      before();
      later.answer({ code: 0, remark: "first" });
      later.answer({ code: 0, remark: "second" });
    };
  }], [SILENT, (header, connection) => {
    connection.answer(header.opaque, { code: 0, remark: "now" });
    answerAll();
  }]]);
  return withServer({ handlers }, async (port) => {
    const peer = await RawPeer.connect(platform, port);
    peer.request({ code: ECHO, opaque: 1 });
    peer.request({ code: ECHO, opaque: 2 });
    peer.request({ code: SILENT, opaque: 3 });
    const frames = await peer.received(3);
    assert.deepEqual(frames.map((frame) => [frame.opaque, frame.remark]), [[3, "now"], [1, "first"], [2, "first"]]);
    peer.close();
  });
});

test("requests go both ways on one connection with the same opaque", () => {
  const handlers = new Map<number, Handler>([[ECHO, (header, connection) => {
    const later = connection.later(header);
    connection.request({ code: 220, fields: { topic: "T" }, body: bytes("from the server") }, 5000).then((response) => {
      later.answer({ code: 0, remark: response.remark, body: response.body });
    });
  }]]);
  return withServer({ handlers }, async (port) => {
    const peer = await RawPeer.connect(platform, port);
    peer.request({ code: ECHO, opaque: 1 });
    const [asked] = await peer.received(1);
    assert.equal(asked!.isResponse, false);
    assert.equal(asked!.opaque, 1);
    assert.equal(asked!.fields.get("topic"), "T");
    peer.request({ code: 0, opaque: 99, flag: 1, remark: "nobody asked" });
    peer.request({ code: 0, opaque: 1, flag: 1, remark: "from the client", body: bytes("body") });
    const frames = await peer.received(2);
    assert.equal(frames[1]!.isResponse, true);
    assert.deepEqual([frames[1]!.opaque, frames[1]!.remark, frames[1]!.body], [1, "from the client", "body"]);
    peer.close();
  });
});

test("a request that nobody answers ends with TIMEOUT, one on a lost connection with CLOSED", () =>
  withServer({}, async (port, server) => {
    const client = createClient(platform, {}, new TestLog());
    const address = `127.0.0.1:${port}`;
    const failure = (timeoutMs: number): Promise<unknown> =>
      client.request(address, { code: SILENT }, timeoutMs).then(() => null, (error: unknown) => error);
    const timedOut = await failure(20);
    assert.ok(timedOut instanceof RemotingError);
    assert.equal(timedOut.code, "TIMEOUT");
    const pending = failure(60_000);
    await client.request(address, { code: ECHO }, 5000);
    for (const connection of server.connections) connection.close();
    const lost = await pending;
    assert.ok(lost instanceof RemotingError);
    assert.deepEqual([lost.code, lost.retriable], ["CLOSED", true]);
    client.close();
  }));

test("the client shares one connection per address, and connects again after it was lost", () =>
  withServer({}, async (port, server) => {
    const lost: string[] = [];
    const client = createClient(platform, { onDisconnect: (address) => void lost.push(address) }, new TestLog());
    const address = `127.0.0.1:${port}`;
    const [one, other] = await Promise.all([client.connection(address), client.connection(address)]);
    assert.equal(one, other);
    const response = await client.request(address, { code: ECHO, body: bytes("hello") }, 5000);
    assert.equal(text(response.body), "hello");
    const gone = new Promise<void>((resolve) => one.onClose(resolve));
    for (const connection of server.connections) connection.close();
    await gone;
    assert.deepEqual(lost, [address]);
    assert.equal((await client.request(address, { code: ECHO }, 5000)).code, 0);
    assert.equal(server.stats.accepted, 2);
    client.close();
    await assert.rejects(client.request(address, { code: ECHO }, 1000), { code: "CLOSED" });
  }));

test("an address that cannot be reached or read is a typed error", async () => {
  const client = createClient(platform, {}, new TestLog());
  const listener = await platform.net.listen({ host: "127.0.0.1", port: 0 }, () => {}, () => {});
  const { port } = listener.address;
  listener.close();
  await assert.rejects(client.connection(`127.0.0.1:${port}`), { name: "RemotingError", code: "CONNECT_FAILED" });
  for (const address of ["", "host", "host:", "host:x", "host:70000", ":9876"]) {
    await assert.rejects(client.connection(address), { code: "BAD_ADDRESS" });
  }
  client.close();
});

test("requests of ours are bounded per connection", () => {
  const seen: string[] = [];
  const handlers = new Map<number, Handler>([[ECHO, (header, connection) => {
    for (let i = 0; i < 3; i++) {
      connection.request({ code: 220 }, 60_000).catch((error: RemotingError) => seen.push(error.code));
    }
    const later = connection.later(header);
    platform.clock.afterTurn(() => later.answer({ code: 0 }));
  }]]);
  return withServer({ handlers, maxPendingRequestsPerConnection: 2 }, async (port) => {
    const peer = await RawPeer.connect(platform, port);
    peer.request({ code: ECHO, opaque: 1 });
    await peer.received(3);
    assert.deepEqual(seen, ["TOO_MANY_PENDING"]);
    peer.close();
  });
});

test("malformed bytes close their own connection only", () =>
  withServer({}, async (port, server) => {
    const good = await RawPeer.connect(platform, port);
    const frame = (length: number, headerInfo: number, rest = ""): Uint8Array => {
      const view = new DataView(new ArrayBuffer(8));
      view.setInt32(0, length);
      view.setInt32(4, headerInfo);
      return bytesOf(new Uint8Array(view.buffer), rest);
    };
    const bad = [
      frame(0, 0),
      frame(3, 0),
      frame(-1, 0),
      frame(0x7fffffff, 100),
      frame(16 * 1024 * 1024, 100),
      frame(10, 100, "123456"),
      frame(12, 8 | 9 << 24, "12345678"),
      frame(12, 8, "notjson!"),
      frame(8, 4, "[12]"),
      bytesOf("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
      bytesOf("PROXY TCP9 what ever\r\n", requestBytes({ code: ECHO, opaque: 1 })),
    ];
    for (const [index, stream] of bad.entries()) {
      const peer = await RawPeer.connect(platform, port);
      peer.send(stream);
      await peer.gone();
      assert.deepEqual(peer.frames, [], `case ${index}`);
      good.request({ code: ECHO, opaque: index });
      assert.equal((await good.received(index + 1))[index]!.opaque, index);
    }
    assert.equal(server.stats.malformed, bad.length - 1);
    good.close();
  }));

test("random bytes never answer, never hang and never disturb others", () =>
  withServer({}, async (port) => {
    const good = await RawPeer.connect(platform, port);
    for (let round = 0; round < 30; round++) {
      const peer = await RawPeer.connect(platform, port);
      const noise = new Uint8Array(200 + round * 37);
      platform.random.bytes(noise);
      if (noise[0] === 0) noise[0] = 1;
      if (noise[0] === 0x16) noise[0] = 0x17;
      peer.send(noise);
      await peer.gone();
      good.request({ code: ECHO, opaque: round });
      await good.received(round + 1);
    }
    good.close();
  }));

test("a truncated frame waits, and its connection ends without an answer", () =>
  withServer({}, async (port, server) => {
    const peer = await RawPeer.connect(platform, port);
    const whole = requestBytes({ code: ECHO, opaque: 1, body: bytes("x".repeat(1000)) });
    peer.send(whole.subarray(0, whole.length - 1));
    const good = await RawPeer.connect(platform, port);
    good.request({ code: ECHO, opaque: 1 });
    await good.received(1);
    assert.equal(server.stats.requests, 1);
    peer.close();
    good.close();
  }));

test("many connections that send nothing are held, and do not keep the server from closing", () =>
  withServer({}, async (port, server) => {
    const idle = await Promise.all(Array.from({ length: 200 }, () => RawPeer.connect(platform, port)));
    const peer = await RawPeer.connect(platform, port);
    peer.request({ code: ECHO, opaque: 1 });
    await peer.received(1);
    assert.equal(server.connections.size, 1);
    await server.close(2000);
    await Promise.all(idle.map((one) => one.gone()));
    assert.equal(server.connections.size, 0);
  }));

test("connections beyond the limit are closed, and the others stay", () =>
  withServer({ maxConnections: 1 }, async (port, server) => {
    const first = await RawPeer.connect(platform, port);
    first.request({ code: ECHO, opaque: 1 });
    await first.received(1);
    const second = await RawPeer.connect(platform, port);
    await second.gone();
    assert.equal(server.stats.rejected, 1);
    first.request({ code: ECHO, opaque: 2 });
    await first.received(2);
    first.close();
  }));

test("connections without traffic are closed after the idle time", () =>
  withServer({ idleMs: 30 }, async (port, server) => {
    const halfOpen = await RawPeer.connect(platform, port);
    const peer = await RawPeer.connect(platform, port);
    peer.request({ code: ECHO, opaque: 1 });
    await peer.received(1);
    await Promise.all([peer.gone(), halfOpen.gone()]);
    assert.equal(server.stats.idleClosed, 1);
  }));

test("the fast port serves everything but pulls and pops", () => {
  const handlers = new Map<number, Handler>([[10, echo], [11, echo], [200050, echo]]);
  return withServer({ handlers, fastPort: 0 }, async (port, server) => {
    const codesAt = async (where: number): Promise<number[]> => {
      const peer = await RawPeer.connect(platform, where);
      for (const code of [10, 11, 200050]) peer.request({ code, opaque: code });
      const frames = await peer.received(3);
      peer.close();
      return frames.map((frame) => frame.code);
    };
    assert.deepEqual(await codesAt(port), [0, 0, 0]);
    assert.deepEqual(await codesAt(server.fastPort!), [0, 3, 3]);
  });
});

test("connected and disconnected come in pairs", async () => {
  const events: string[] = [];
  await withServer({
    connected: (connection) => void events.push(`+${connection.fast}`),
    disconnected: () => void events.push("-"),
  }, async (port) => {
    const halfOpen = await RawPeer.connect(platform, port);
    const peer = await RawPeer.connect(platform, port);
    peer.request({ code: ECHO, opaque: 1 });
    await peer.received(1);
    halfOpen.close();
  });
  assert.deepEqual(events, ["+false", "-"]);
});
