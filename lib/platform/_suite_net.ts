import assert from "node:assert/strict";
import { test } from "node:test";
import { later, pattern, type Subject } from "./_suite.ts";
import { TEST_CERTIFICATE, TEST_KEY } from "./_test_certificate.ts";
import { type Connection, type Listener, PlatformError, type TlsClientOptions } from "./types.ts";

const HIGH_WATER_BYTES = 1024 * 1024;
const TIMEOUT_MS = 5000;

/** One end of a connection as tests see it. */
class End {
  readonly connection: Connection;
  bytes = 0;
  closed = 0;
  error: PlatformError | null = null;
  drains = 0;
  onDrain: () => void = () => {};
  readonly #chunks: Uint8Array[] = [];
  readonly #gone = later<void>();
  #awaited: { bytes: number; settle: () => void } | null = null;

  constructor(connection: Connection) {
    this.connection = connection;
    connection.handler = {
      data: (chunk) => {
        this.#chunks.push(chunk.slice());
        this.bytes += chunk.length;
        if (this.#awaited !== null && this.bytes >= this.#awaited.bytes) this.#awaited.settle();
      },
      drain: () => {
        this.drains++;
        this.onDrain();
      },
      close: (error) => {
        this.closed++;
        this.error = error;
        this.#gone.settle();
      },
    };
  }

  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  /** Resolves with all that came once it is `length` bytes. */
  async received(length: number): Promise<Uint8Array> {
    if (this.bytes < length) {
      const enough = later<void>();
      this.#awaited = { bytes: length, settle: enough.settle };
      await enough.promise;
    }
    const all = new Uint8Array(this.bytes);
    let at = 0;
    for (const chunk of this.#chunks) {
      all.set(chunk, at);
      at += chunk.length;
    }
    return all;
  }
}

/** Connections, within one machine. */
export function netScenarios(subject: Subject): void {
  const { net } = subject.platform;
  const named = (sentence: string) => `${subject.name}: ${sentence}`;

  const listen = async (accept: (connection: Connection) => void): Promise<Listener> =>
    await subject.finish(
      net.listen({ host: "127.0.0.1", port: 0 }, accept, (error) => {
        throw error;
      }),
    );
  const connect = (port: number, tls?: TlsClientOptions): Promise<Connection> =>
    net.connect({ host: "127.0.0.1", port, timeoutMs: TIMEOUT_MS, ...(tls === undefined ? {} : { tls }) });

  // Client and server end of one connection, and the listener that it came through.
  const pair = async (): Promise<{ client: End; server: End; listener: Listener }> => {
    const accepted = later<End>();
    const listener = await listen((connection) => accepted.settle(new End(connection)));
    const client = new End(await subject.finish(connect(listener.address.port)));
    return { client, server: await subject.finish(accepted.promise), listener };
  };

  test(named("both ends know both addresses, and bytes go both ways"), async () => {
    const { client, server, listener } = await pair();
    assert.deepEqual(client.connection.remote, listener.address);
    assert.deepEqual(server.connection.local, listener.address);
    assert.deepEqual(server.connection.remote, client.connection.local);
    assert.equal(client.connection.encrypted, false);
    client.connection.write(pattern(1300));
    assert.deepEqual(await subject.finish(server.received(1300)), pattern(1300));
    server.connection.write(pattern(250, 2));
    assert.deepEqual(await subject.finish(client.received(250)), pattern(250, 2));
    client.connection.destroy();
    await subject.finish(server.gone);
    listener.close();
  });

  test(named("write says when to wait, bufferedBytes tells how much, drain says when to go on"), async () => {
    const { client, server, listener } = await pair();
    server.connection.pause();
    const piece = pattern(200_000);
    const total = 24_000_000;
    let sent = 0;
    let stopped = 0;
    const send = (): void => {
      while (sent < total) {
        sent += piece.length;
        const more = client.connection.write(piece.slice());
        assert.equal(more, client.connection.bufferedBytes <= HIGH_WATER_BYTES);
        if (!more) return void stopped++;
      }
    };
    client.onDrain = () => {
      assert.ok(client.connection.bufferedBytes < HIGH_WATER_BYTES / 2);
      send();
    };
    send();
    assert.equal(stopped, 1);
    server.connection.resume();
    const bytes = await subject.finish(server.received(total));
    for (let at = 0; at < total; at += piece.length) {
      assert.equal(Buffer.compare(bytes.subarray(at, at + piece.length), piece), 0);
    }
    assert.ok(client.drains >= stopped - 1 && client.drains <= stopped);
    client.connection.destroy();
    await subject.finish(server.gone);
    listener.close();
  });

  test(named("one write far above the high-water mark arrives whole"), async () => {
    const { client, server, listener } = await pair();
    const bytes = pattern(9_000_001);
    assert.equal(client.connection.write(bytes.slice()), false);
    assert.equal(Buffer.compare(await subject.finish(server.received(bytes.length)), bytes), 0);
    server.connection.write(pattern(5));
    await subject.finish(client.received(5));
    assert.equal(client.connection.bufferedBytes, 0);
    client.connection.destroy();
    await subject.finish(server.gone);
    listener.close();
  });

  test(named("a paused connection delivers nothing until it is resumed"), async () => {
    const { client, server, listener } = await pair();
    server.connection.pause();
    client.connection.write(pattern(1000));
    await subject.pass(30);
    assert.equal(server.bytes, 0);
    server.connection.resume();
    await subject.finish(server.received(1000));
    client.connection.destroy();
    await subject.finish(server.gone);
    listener.close();
  });

  test(named("end sends what is buffered before it closes"), async () => {
    const { client, server, listener } = await pair();
    client.connection.write(pattern(3_000_000));
    client.connection.end();
    client.connection.write(pattern(10));
    assert.equal(Buffer.compare(await subject.finish(server.received(3_000_000)), pattern(3_000_000)), 0);
    await subject.finish(Promise.all([server.gone, client.gone]));
    assert.equal(server.bytes, 3_000_000);
    assert.deepEqual([client.closed, server.closed], [1, 1]);
    assert.equal(client.error, null);
    listener.close();
  });

  test(named("destroy closes both ends once, and later calls do nothing"), async () => {
    const { client, server, listener } = await pair();
    client.connection.destroy();
    client.connection.destroy();
    await subject.finish(Promise.all([server.gone, client.gone]));
    client.connection.write(pattern(5));
    client.connection.end();
    server.connection.write(pattern(5));
    server.connection.destroy();
    await subject.pass(10);
    assert.deepEqual([client.closed, server.closed], [1, 1]);
    assert.equal(server.bytes, 0);
    listener.close();
  });

  test(named("connecting to a port that nobody listens on is refused"), async () => {
    const listener = await listen(() => {});
    const { port } = listener.address;
    listener.close();
    await assert.rejects(
      subject.finish(connect(port)),
      (error) => error instanceof PlatformError && error.code === "ECONNREFUSED",
    );
  });

  test(named("a port that is taken can't be listened on twice"), async () => {
    const listener = await listen(() => {});
    const { port } = listener.address;
    await assert.rejects(
      subject.finish(net.listen({ host: "127.0.0.1", port }, () => {}, () => {})),
      (error) => error instanceof PlatformError && error.code === "EADDRINUSE",
    );
    listener.close();
  });

  test(named("a listener that closes leaves its connections, and its port can be had again"), async () => {
    const { client, server, listener } = await pair();
    listener.close();
    client.connection.write(pattern(10));
    await subject.finish(server.received(10));
    const again = await subject.finish(
      net.listen({ host: "127.0.0.1", port: listener.address.port }, () => {}, () => {}),
    );
    again.close();
    client.connection.destroy();
    await subject.finish(server.gone);
  });

  test(named("a listener that was paused accepts again once it is resumed"), async () => {
    let accepts = 0;
    const accepted = later<void>();
    const listener = await listen((connection) => {
      new End(connection);
      if (++accepts === 2) accepted.settle();
    });
    const { port } = listener.address;
    const first = await subject.finish(connect(port));
    listener.pause();
    listener.pause();
    listener.resume();
    listener.resume();
    const second = await subject.finish(connect(port));
    await subject.finish(accepted.promise);
    first.destroy();
    second.destroy();
    listener.close();
  });

  test(named("names resolve to addresses, and literals to themselves"), async () => {
    assert.deepEqual(await subject.finish(net.resolve("192.0.2.7")), ["192.0.2.7"]);
    assert.deepEqual(await subject.finish(net.resolve("::1")), ["::1"]);
    const found = await subject.finish(net.resolve("localhost"));
    assert.ok(found.includes("127.0.0.1") || found.includes("::1"));
    assert.ok(net.interfaces().some((each) => each.loopback && each.family === 4));
  });

  if (subject.tls) tlsScenarios(subject);
}

/** TLS on the port that plain connections come to. */
function tlsScenarios(subject: Subject): void {
  const { net } = subject.platform;
  const options = { cert: TEST_CERTIFICATE, key: TEST_KEY };

  // Answers the first chunk with its own bytes, in the same way that it came.
  const listen = (failed: (error: PlatformError) => void): Promise<Listener> =>
    net.listen({ host: "127.0.0.1", port: 0 }, (connection) => {
      const echo = (accepted: Connection, seen?: Uint8Array): void => {
        const end = { data: (chunk: Uint8Array) => void accepted.write(chunk.slice()), close: () => {} };
        accepted.handler = end;
        if (seen !== undefined) end.data(seen);
      };
      connection.handler = {
        data: (first) => {
          if (first[0] === 0x16) net.startTls(connection, first.slice(), options, (secured) => echo(secured), failed);
          else echo(connection, first);
        },
        close: () => {},
      };
    }, () => {});

  const echoed = async (connection: Connection, bytes: Uint8Array): Promise<void> => {
    const end = new End(connection);
    connection.write(bytes.slice());
    assert.equal(Buffer.compare(await end.received(bytes.length), bytes), 0);
    connection.destroy();
    await end.gone;
  };

  test(`${subject.name}: TLS and plain share a port`, async () => {
    const listener = await listen((error) => assert.fail(error));
    const { port } = listener.address;
    const host = "127.0.0.1";
    const plain = await net.connect({ host, port, timeoutMs: TIMEOUT_MS });
    await echoed(plain, pattern(1300));
    const secured = await Promise.all(
      Array.from(
        { length: 5 },
        () =>
          net.connect({ host, port, timeoutMs: TIMEOUT_MS, tls: { ca: TEST_CERTIFICATE, serverName: "localhost" } }),
      ),
    );
    for (const connection of secured) {
      assert.equal(connection.encrypted, true);
      assert.equal(connection.remote.port, port);
    }
    await Promise.all(secured.map((connection, i) => echoed(connection, pattern(200_000, i))));
    listener.close();
  });

  test(`${subject.name}: a TLS client rejects a certificate that it does not trust, unless told to trust any`, async () => {
    const listener = await listen(() => {});
    const at = { host: "127.0.0.1", port: listener.address.port, timeoutMs: TIMEOUT_MS };
    await assert.rejects(net.connect({ ...at, tls: { serverName: "localhost" } }), PlatformError);
    await echoed(await net.connect({ ...at, tls: { verify: false } }), pattern(100));
    listener.close();
  });

  test(`${subject.name}: a handshake that is no handshake fails and closes the connection`, async () => {
    const failure = later<PlatformError>();
    const listener = await listen(failure.settle);
    const end = new End(
      await net.connect({ host: "127.0.0.1", port: listener.address.port, timeoutMs: TIMEOUT_MS }),
    );
    const junk = pattern(100);
    junk[0] = 0x16;
    end.connection.write(junk);
    assert.ok(await failure.promise instanceof PlatformError);
    await end.gone;
    listener.close();
  });

  for (const clientAuth of ["optional", "require"] as const) {
    test(`${subject.name}: with client certificates "${clientAuth}" one that is signed gets in`, async () => {
      const accepted = later<Connection>();
      const rejected = later<PlatformError>();
      const asking = { ...options, ca: TEST_CERTIFICATE, clientAuth };
      const listener = await net.listen({ host: "127.0.0.1", port: 0 }, (connection) => {
        const data = (first: Uint8Array): void =>
          net.startTls(connection, first.slice(), asking, accepted.settle, rejected.settle);
        connection.handler = { data, close: () => {} };
      }, () => {});
      const at = { host: "127.0.0.1", port: listener.address.port, timeoutMs: TIMEOUT_MS };
      const tls = { verify: false };
      const bare = net.connect({ ...at, tls }).then((connection) => new End(connection), () => null);
      if (clientAuth === "require") assert.ok(await rejected.promise instanceof PlatformError);
      (await bare)?.connection.destroy();
      const signed = await net.connect({ ...at, tls: { ...tls, cert: TEST_CERTIFICATE, key: TEST_KEY } });
      assert.equal((await accepted.promise).encrypted, true);
      signed.destroy();
      listener.close();
    });
  }
}
