/**
 * What one send costs the broker between socket and socket: real frames, the whole broker, real files, no sockets.
 *
 *   bun bench/micro/send_path.ts [seconds] [SYNC_FLUSH|ASYNC_FLUSH]
 *
 * The log begins at 3 GiB (FROM_GIB): offsets that don't fit 32 bits are what every broker soon has, and engines treat
 * them differently.
 */
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Connection, type ConnectionHandler, hostPlatform, type Net, type Platform } from "@rmq/platform";
import { startBroker } from "@rmq/broker";
import { defaultStoreOptions } from "@rmq/store";
import { settings } from "../../lib/broker/_test_broker.ts";
import { opaqueOf, sendTemplate, writeDigits, writeHex } from "../macro/frames.ts";

const seconds = Number(process.argv[2] ?? 5);
const flush = process.argv[3] === "SYNC_FLUSH" ? "SYNC_FLUSH" : "ASYNC_FLUSH";
const CONNECTIONS = 4;
const IN_FLIGHT = 64;

const quiet = { info() {}, warn() {}, error: console.error };

/** A client's end that only counts the bytes and frames that it gets. */
class Pipe implements Connection {
  readonly local = { host: "127.0.0.1", port: 10911 };
  readonly remote = { host: "127.0.0.1", port: 40000 };
  readonly encrypted = false;
  readonly copiesWrites = true;
  readonly bufferedBytes = 0;
  handler: ConnectionHandler = { data() {}, close() {} };
  answers = 0;
  write(bytes: Uint8Array): boolean {
    for (let at = 0; at < bytes.length;) {
      at += 4 + ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]);
      this.answers++;
    }
    return true;
  }
  pause() {}
  resume() {}
  end() {}
  destroy() {}
}

const directory = mkdtempSync(join(tmpdir(), "rmq-send-path-"));
const firstSegment = join(
  directory,
  "commitlog",
  String(Number(process.env.FROM_GIB ?? 3) * 2 ** 30).padStart(20, "0"),
);
mkdirSync(join(directory, "commitlog"));
writeFileSync(firstSegment, "");
truncateSync(firstSegment, 2 ** 30);
const host = hostPlatform();
let accept: (connection: Connection) => void = () => {};
const net: Net = {
  ...host.net,
  listen: (options, accepted) => {
    if (options.port === 10911) accept = accepted;
    return Promise.resolve({
      address: { host: options.host, port: options.port },
      pause() {},
      resume() {},
      close() {},
    });
  },
};
const platform: Platform = { ...host, net };
const broker = await startBroker(platform, {
  broker: { ...settings, flushDiskType: flush, storePathRootDir: directory },
  store: { ...defaultStoreOptions(directory), flushDiskType: flush, ...JSON.parse(process.env.STORE ?? "{}") },
}, quiet);

const pipes = Array.from({ length: CONNECTIONS }, () => new Pipe());
for (const pipe of pipes) accept(pipe);
const templates = pipes.map((_, connection) => sendTemplate("PathTopic", Number(process.env.SIZE ?? 1024), connection));
const chunk = new Uint8Array(IN_FLIGHT * templates[0].frame.length);
let sent = 0;

function feed(pipe: Pipe, connection: number, count: number): void {
  const { frame, opaqueAt, queueAt, keysAt } = templates[connection];
  let at = 0;
  for (let i = 0; i < count; i++, sent++) {
    writeDigits(frame, opaqueAt, opaqueOf(sent), 9);
    frame[queueAt] = 0x30 + (sent & 3);
    for (const key of keysAt) writeHex(frame, key, sent);
    chunk.set(frame, at);
    at += frame.length;
  }
  pipe.handler.data(chunk.subarray(0, at));
}

const answered = () => pipes.reduce((sum, pipe) => sum + pipe.answers, 0);
const turn = () => new Promise<void>((resolve) => platform.clock.afterTurn(resolve));

feed(pipes[0], 0, 1); // makes the topic
while (answered() < 1) await turn();

async function run(forMs: number): Promise<{ count: number; ms: number }> {
  const from = sent;
  const started = performance.now();
  while (performance.now() - started < forMs) {
    for (const [connection, pipe] of pipes.entries()) feed(pipe, connection, IN_FLIGHT);
    do await turn(); while (answered() < sent);
  }
  return { count: sent - from, ms: performance.now() - started };
}

await run(1500);
const cpu = process.cpuUsage();
const { count, ms } = await run(seconds * 1000);
const used = process.cpuUsage(cpu);
console.log(
  `${flush}: ${(ms * 1e6 / count).toFixed(0)} ns a send, ${Math.round(count / ms * 1000)} a second; ` +
    `CPU ${(used.user * 1e3 / count).toFixed(0)} ns user, ${(used.system * 1e3 / count).toFixed(0)} ns system; ` +
    `resident ${(process.memoryUsage.rss() / 1048576).toFixed(0)} MB`,
);
await broker.stop();
rmSync(directory, { recursive: true, force: true });
process.exit(0);
