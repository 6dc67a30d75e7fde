import assert from "node:assert/strict";
import { test } from "node:test";
import { hostPlatform } from "@rmq/platform";
import { type Handler, type RemotingServer, type ServerOptions, startServer } from "./mod.ts";
import { poisoned } from "./_poisoned.ts";
import { readProxyPreamble } from "./proxy_protocol.ts";
import { bytesOf, RawPeer, requestBytes, TestLog } from "./_test_peer.ts";
import {
  ENCRYPTED_TEST_KEY,
  OTHER_TEST_CERTIFICATE,
  OTHER_TEST_KEY,
  TEST_CERTIFICATE,
  TEST_KEY,
} from "./_test_certificate.ts";

const host = hostPlatform();
const platform = poisoned(host);
const WHO = 901;
const request = requestBytes({ code: WHO, opaque: 1 });
const V2_SIGNATURE = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];

const who: Handler = (header, connection) => {
  const { peerText, encrypted, proxyTlvs } = connection;
  connection.answer(header.opaque, { code: 0, fields: { peerText, encrypted, ...Object.fromEntries(proxyTlvs) } });
};

async function withServer(
  options: Partial<ServerOptions>,
  run: (port: number, log: TestLog, server: RemotingServer) => Promise<void>,
): Promise<void> {
  const log = new TestLog();
  const handlers = new Map([[WHO, who]]);
  const server = await startServer(platform, { host: "127.0.0.1", port: 0, handlers, ...options }, log);
  try {
    await run(server.port, log, server);
  } finally {
    await server.close(2000);
  }
}

async function fieldsAfter(port: number, stream: Uint8Array, step: number): Promise<Map<string, string | null>> {
  const peer = await RawPeer.connect(platform, port);
  for (let at = 0; at < stream.length; at += step) peer.send(stream.subarray(at, at + step));
  const [frame] = await peer.received(1);
  peer.close();
  return frame!.fields;
}

/** A v2 preamble: command and family bytes, then addresses and TLVs. */
function v2(command: number, family: number, ...rest: (readonly number[] | Uint8Array)[]): Uint8Array {
  const payload = bytesOf(...rest);
  return bytesOf(V2_SIGNATURE, [command, family, payload.length >> 8, payload.length & 255], payload);
}

const V4_ADDRESSES = [192, 168, 1, 20, 10, 0, 0, 1, 0x30, 0x39, 0x26, 0x94];
const V6_ADDRESSES = [...[0x20, 0x01, 0x0d, 0xb8], ...new Array(11).fill(0), 7, ...new Array(16).fill(0), 0, 80, 0, 81];

test("a PROXY v1 preamble names the client, however it is cut", () =>
  withServer({}, async (port) => {
    const stream = bytesOf("PROXY TCP4 192.168.1.20 10.0.0.1 12345 9876\r\n", request);
    for (const step of [1, 5, 40, 1000]) {
      assert.equal((await fieldsAfter(port, stream, step)).get("peerText"), "192.168.1.20:12345");
    }
    const six = bytesOf("PROXY TCP6 2001:db8::7 ::1 80 81\r\n", request);
    assert.equal((await fieldsAfter(port, six, 1000)).get("peerText"), "[2001:db8::7]:80");
    const unknown = await fieldsAfter(port, bytesOf("PROXY UNKNOWN\r\n", request), 1000);
    assert.match(unknown.get("peerText")!, /^127\.0\.0\.1:/);
  }));

test("a PROXY v2 preamble names the client and keeps its TLVs", () =>
  withServer({}, async (port) => {
    const ssl = bytesOf([0x20, 0, 13, 1, 0, 0, 0, 0], [0x21, 0, 5], "TLS13");
    const preamble = v2(0x21, 0x11, V4_ADDRESSES, bytesOf([0xe1, 0, 4], "vpce"), [0xe2, 0, 2, 1, 2], ssl);
    for (const step of [1, 13, 1000]) {
      const fields = await fieldsAfter(port, bytesOf(preamble, request), step);
      assert.equal(fields.get("peerText"), "192.168.1.20:12345");
      assert.equal(fields.get("proxy_protocol_tlv_0xe1"), "vpce");
      assert.equal(fields.get("proxy_protocol_tlv_0x21"), "TLS13");
      assert.equal(fields.has("proxy_protocol_tlv_0xe2"), false);
    }
    const six = await fieldsAfter(port, bytesOf(v2(0x21, 0x21, V6_ADDRESSES), request), 1000);
    assert.equal(six.get("peerText"), "[2001:db8:0:0:0:0:0:7]:80");
    const local = await fieldsAfter(port, bytesOf(v2(0x20, 0x00), request), 1000);
    assert.match(local.get("peerText")!, /^127\.0\.0\.1:/);
  }));

test("preambles that cannot be read are refused, undecided ones wait", () => {
  const read = (...parts: (readonly number[] | Uint8Array | string)[]) => readProxyPreamble(bytesOf(...parts));
  assert.equal(read(""), "more");
  assert.equal(read("PRO"), "more");
  assert.equal(read("PROXY TCP4 1.2.3.4"), "more");
  assert.equal(read(V2_SIGNATURE), "more");
  assert.equal(read([0, 0, 0, 100]), "none");
  assert.equal(read("PUT / HTTP"), "none");
  assert.equal(read("PROXY TCP4 1.2.3.4\r\n"), "bad");
  assert.equal(read("PROXY TCP4 host 1.2.3.4 1 2\r\n"), "bad");
  assert.equal(read("PROXY TCP4 1.2.3.4 1.2.3.4 99999 2\r\n"), "bad");
  assert.equal(read("PROXY ", "x".repeat(110)), "bad");
  assert.equal(read(v2(0x31, 0x11, V4_ADDRESSES)), "bad");
  assert.equal(read(v2(0x21, 0x11, [1, 2, 3])), "bad");
  assert.equal(read(v2(0x21, 0x11, V4_ADDRESSES, [0xe1, 0, 9, 1])), "bad");
  assert.equal(read(v2(0x21, 0x51, V4_ADDRESSES)), "bad");
});

async function withCertificate(
  run: (paths: { certPath: string; keyPath: string }) => Promise<void>,
): Promise<void> {
  const suffix = new Uint8Array(6);
  platform.random.bytes(suffix);
  const directory = `/tmp/rmq-remoting-${suffix.join("")}`;
  platform.files.makeDirectory(directory);
  const paths = { certPath: `${directory}/cert.pem`, keyPath: `${directory}/key.pem` };
  platform.files.writeWhole(paths.certPath, bytesOf(TEST_CERTIFICATE));
  platform.files.writeWhole(paths.keyPath, bytesOf(TEST_KEY));
  try {
    await run(paths);
  } finally {
    platform.files.removeTree(directory);
  }
}

test("a permissive server speaks TLS and plain on one port", () =>
  withCertificate((paths) =>
    withServer({ tls: paths }, async (port) => {
      const secure = await RawPeer.connect(platform, port, true);
      secure.send(request);
      assert.equal((await secure.received(1))[0]!.fields.get("encrypted"), "true");
      assert.equal((await fieldsAfter(port, request, 1000)).get("encrypted"), "false");
      secure.close();
    })
  ));

test("an enforcing server closes plain connections, a disabled one closes TLS", () =>
  withCertificate(async (paths) => {
    await withServer({ tls: { ...paths, mode: "enforcing" } }, async (port) => {
      const plain = await RawPeer.connect(platform, port);
      plain.send(request);
      await plain.gone();
      assert.deepEqual(plain.frames, []);
      const secure = await RawPeer.connect(platform, port, true);
      secure.send(request);
      await secure.received(1);
      secure.close();
    });
    await withServer({ tls: { ...paths, mode: "disabled" } }, async (port) => {
      await assert.rejects(RawPeer.connect(platform, port, true));
      assert.equal((await fieldsAfter(port, request, 1000)).get("encrypted"), "false");
    });
  }));

test("a certificate file that changes is read again", () =>
  withCertificate((paths) =>
    withServer({ tls: paths }, async (port) => {
      const trusted = (ca: string) =>
        host.net.connect({ host: "127.0.0.1", port, timeoutMs: 5000, tls: { ca, serverName: "localhost" } })
          .then((connection) => connection.destroy());
      await trusted(TEST_CERTIFICATE);
      await assert.rejects(trusted(OTHER_TEST_CERTIFICATE));
      platform.files.writeWhole(paths.certPath, bytesOf(OTHER_TEST_CERTIFICATE, "\n"));
      platform.files.writeWhole(paths.keyPath, bytesOf(OTHER_TEST_KEY, "\n"));
      await trusted(OTHER_TEST_CERTIFICATE);
      await assert.rejects(trusted(TEST_CERTIFICATE));
    })
  ));

test("a server that asks for client certificates serves those who have one", () =>
  withCertificate(async (paths) => {
    const trustCertPath = paths.certPath.replace("cert.pem", "trust.pem");
    platform.files.writeWhole(trustCertPath, bytesOf(OTHER_TEST_CERTIFICATE));
    await withServer({ tls: { ...paths, trustCertPath, clientAuth: "require" } }, async (port) => {
      const answered = async (own: { cert: string; key: string } | undefined): Promise<boolean> => {
        const tls = { verify: false, ...own };
        try {
          const peer = new RawPeer(await host.net.connect({ host: "127.0.0.1", port, timeoutMs: 5000, tls }));
          peer.send(request);
          const frames = await peer.received(1);
          peer.close();
          return frames.length === 1;
        } catch {
          return false;
        }
      };
      assert.equal(await answered({ cert: OTHER_TEST_CERTIFICATE, key: OTHER_TEST_KEY }), true);
      assert.equal(await answered(undefined), false);
      assert.equal(await answered({ cert: TEST_CERTIFICATE, key: TEST_KEY }), false);
    });
  }));

test("test mode makes a certificate of its own, once", () =>
  withServer({}, async (port, log) => {
    for (let i = 0; i < 2; i++) {
      const secure = await RawPeer.connect(platform, port, true);
      secure.send(request);
      assert.equal((await secure.received(1))[0]!.fields.get("encrypted"), "true");
      secure.close();
    }
    assert.equal(log.lines.filter((line) => line.includes("self-signed")).length, 1);
  }));

test("a self-signed certificate is a valid one: a client that trusts it needs nothing else", () => {
  const { cert, key } = host.certificates!.selfSigned("localhost");
  return withCertificate((paths) => {
    platform.files.writeWhole(paths.certPath, bytesOf(cert));
    platform.files.writeWhole(paths.keyPath, bytesOf(key));
    return withServer({ tls: paths }, async (port) => {
      const tls = { ca: cert, serverName: "localhost" };
      (await host.net.connect({ host: "127.0.0.1", port, timeoutMs: 5000, tls })).destroy();
    });
  });
});

test("an encrypted key is opened with its password, and refused with a wrong one", () =>
  withCertificate(async (paths) => {
    platform.files.writeWhole(paths.keyPath, bytesOf(ENCRYPTED_TEST_KEY));
    await withServer({ tls: { ...paths, keyPassword: "secret12" } }, async (port) => {
      (await RawPeer.connect(platform, port, true)).close();
    });
    for (const keyPassword of ["wrong", null]) {
      await withServer({ tls: { ...paths, keyPassword } }, async (port, log) => {
        await assert.rejects(RawPeer.connect(platform, port, true));
        assert.equal(log.lines.filter((line) => line.includes("keyPassword")).length, 1);
      });
    }
  }));

test("TLS without certificate files closes with one line that names the keys", () =>
  withServer({ tls: { testMode: false } }, async (port, log) => {
    await assert.rejects(RawPeer.connect(platform, port, true));
    await assert.rejects(RawPeer.connect(platform, port, true));
    assert.equal(log.lines.filter((line) => line.includes("tls.server.certPath")).length, 1);
  }));

test("a handshake that is no TLS closes its own connection only", () =>
  withCertificate((paths) =>
    withServer({ tls: paths }, async (port) => {
      const peer = await RawPeer.connect(platform, port);
      peer.send(bytesOf([0x16, 3, 1, 0, 5], "wrong"));
      await peer.gone();
      assert.equal((await fieldsAfter(port, request, 1000)).get("encrypted"), "false");
    })
  ));
