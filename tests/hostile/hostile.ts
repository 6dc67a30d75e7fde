/**
 * Ill-behaved peers beside a well-behaved one: random bytes, truncated frames, absurd lengths, headers of wrong types,
 * connections that say nothing or half a frame. The good client must see no error and no slow send, and the broker's
 * memory must come back.
 *
 *   deno run -A tests/hostile/hostile.ts --half-open 2000 --idle 10000
 */
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { RequestCode, ResponseCode } from "@rmq/protocol";
import { freePort } from "../../scripts/peers/server_process.ts";
import { rmqAvailable, startRmqBroker } from "../../scripts/peers/rmq.ts";
import { quietClient } from "../crash/load.ts";

export interface HostileResult {
  readonly goodSends: number;
  readonly errors: string[];
  /** Slowest send of the good client, milliseconds. */
  readonly slowestMs: number;
  readonly connections: number;
  /** Resident bytes before, with all connections open, and after they are gone. */
  readonly before: number;
  readonly during: number;
  readonly after: number;
}

function frame(length: number, headerInfo: number, rest: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(8 + rest.length);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, length | 0);
  view.setInt32(4, headerInfo | 0);
  bytes.set(rest, 8);
  return bytes;
}

function jsonFrame(header: string, body: Uint8Array = new Uint8Array(0)): Uint8Array {
  const text = new TextEncoder().encode(header);
  const rest = new Uint8Array(text.length + body.length);
  rest.set(text);
  rest.set(body, text.length);
  return frame(4 + rest.length, text.length, rest);
}

function randomBytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, () => Math.floor(Math.random() * 256));
}

/** What an attacker sends; each goes over a connection of its own. */
export function attacks(): Uint8Array[] {
  const good = jsonFrame('{"code":310,"extFields":{"b":"T"},"flag":0,"language":"JAVA","opaque":1,"version":513}');
  const list: Uint8Array[] = [
    frame(0, 0, randomBytes(16)),
    frame(-1, 0, randomBytes(16)),
    frame(0x7fffffff, 0, randomBytes(16)),
    frame(3, 0, randomBytes(16)),
    frame(100, 0x00ffffff, randomBytes(96)),
    frame(100, 0x07000010, randomBytes(96)),
    good.subarray(0, good.length - 5),
    jsonFrame("[1,2,3]"),
    jsonFrame('{"code":"x","opaque":{}}'),
    jsonFrame('{"code":310,"opaque":1,"extFields":{"a":1,"b":[],"e":{"f":1},"i":null}}', randomBytes(10)),
    jsonFrame('{"code":310,"opaque":99999999999999999999}'),
    jsonFrame('{"code":11,"opaque":1,"extFields":{"topic":"T","queueOffset":"-9223372036854775808","queueId":"-1"}}'),
    jsonFrame(`{"code":310,"opaque":1,"extFields":{"b":"${"x".repeat(300)}"}}`, randomBytes(5)),
    jsonFrame('{"code":320,"opaque":1,"extFields":{"b":"HostileT","c":"TBW102","d":"4","e":"0"}}', randomBytes(500)),
    jsonFrame('{"code":34,"opaque":1}', new TextEncoder().encode("{".repeat(100_000))),
    jsonFrame(`${"[".repeat(60_000)}`),
    new TextEncoder().encode("PROXY TCP4 999.1.1.1 x y z\r\n"),
    new TextEncoder().encode("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    Uint8Array.from([0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5, 6, 7, 8]),
  ];
  for (let i = 0; i < 40; i++) list.push(randomBytes(1 + Math.floor(Math.random() * 3000)));
  return list;
}

function open(port: number, bytes?: Uint8Array): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => {
      if (bytes !== undefined) socket.write(bytes);
      socket.on("error", () => {});
      resolve(socket);
    });
    socket.once("error", reject);
    socket.on("data", () => {});
  });
}

async function openMany(port: number, count: number, bytes?: Uint8Array): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const some = Math.min(100, count - sockets.length);
    sockets.push(...await Promise.all(Array.from({ length: some }, () => open(port, bytes))));
  }
  return sockets;
}

/** A client that sends one message after another until `stop` is aborted. */
async function goodClient(
  address: string,
  stop: AbortSignal,
  result: { sends: number; errors: string[]; slowestMs: number },
) {
  const client = quietClient();
  for (let n = 0; !stop.aborted; n++) {
    const started = performance.now();
    try {
      const answer = await client.request(address, {
        code: RequestCode.SEND_MESSAGE_V2,
        fields: {
          a: "good",
          b: "GoodT",
          c: "TBW102",
          d: 4,
          e: n % 4,
          f: 0,
          g: Date.now(),
          h: 0,
          i: "",
          j: 0,
          k: false,
        },
        body: new Uint8Array(1024),
      }, 10_000);
      if (answer.code !== ResponseCode.SUCCESS) result.errors.push(`send ${n}: ${answer.code} ${answer.remark}`);
    } catch (error) {
      result.errors.push(`send ${n}: ${error}`);
    }
    result.slowestMs = Math.max(result.slowestMs, performance.now() - started);
    result.sends++;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  client.close();
}

/** Runs all of it against a broker of its own. */
export async function beHostile(
  options: { halfOpen: number; idle: number; rounds: number; log?: (line: string) => void },
): Promise<HostileResult> {
  const log = options.log ?? (() => {});
  const directory = mkdtempSync(join(tmpdir(), "rmq-hostile-"));
  const port = await freePort([-2, 1]);
  const broker = await startRmqBroker({
    directory,
    port,
    namesrv: "127.0.0.1:1",
    config: { flushDiskType: "ASYNC_FLUSH" },
  });
  const stop = new AbortController();
  const good = { sends: 0, errors: [] as string[], slowestMs: 0 };
  try {
    const sending = goodClient(broker.address, stop.signal, good);
    const before = broker.residentBytes();
    for (let round = 0; round < options.rounds; round++) {
      const sockets = await Promise.all(attacks().map((bytes) => open(port, bytes)));
      await new Promise((resolve) => setTimeout(resolve, 50));
      for (const socket of sockets) socket.destroy();
    }
    log(
      `${options.rounds} rounds of ${attacks().length} attacks: ${good.sends} good sends, slowest ${
        good.slowestMs.toFixed(1)
      } ms`,
    );
    const half = jsonFrame('{"code":105,"opaque":1}').subarray(0, 11);
    const sockets = await openMany(port, options.halfOpen, half);
    log(`${sockets.length} half-open: slowest ${good.slowestMs.toFixed(1)} ms`);
    sockets.push(...await openMany(port, options.idle));
    log(`${sockets.length} idle and half-open: slowest ${good.slowestMs.toFixed(1)} ms`);
    const during = broker.residentBytes();
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 3000));
    stop.abort();
    await sending;
    if (!broker.running()) good.errors.push("the broker is gone");
    return {
      goodSends: good.sends,
      errors: good.errors,
      slowestMs: good.slowestMs,
      connections: sockets.length,
      before,
      during,
      after: broker.residentBytes(),
    };
  } finally {
    stop.abort();
    await broker.kill();
    rmSync(directory, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      "half-open": { type: "string", default: "2000" },
      idle: { type: "string", default: "8000" },
      rounds: { type: "string", default: "20" },
    },
  });
  const available = rmqAvailable();
  if (!available.ok) {
    console.error(available.reason);
    process.exit(2);
  }
  const result = await beHostile({
    halfOpen: Number(values["half-open"]),
    idle: Number(values.idle),
    rounds: Number(values.rounds),
    log: console.log,
  });
  for (const error of result.errors.slice(0, 10)) console.error(error);
  const mb = (bytes: number) => `${(bytes / 1048576).toFixed(0)} MB`;
  console.log(
    `${result.goodSends} good sends, ${result.errors.length} errors, slowest ${result.slowestMs.toFixed(1)} ms; ` +
      `resident ${mb(result.before)} before, ${mb(result.during)} with ${result.connections} connections, ${
        mb(result.after)
      } after`,
  );
  process.exit(result.errors.length === 0 ? 0 : 1);
}
