/**
 * What the client can send: one at a time, and 256 in flight, against a server in another process that answers from a
 * template, or against a cluster. Run: `bun bench/micro/client_send.ts [seconds=5] [bodyBytes=1024] [namesrv]`, or the
 * same with `deno run -A`, or bundled on Node. `… server` runs the server alone and says its address.
 */
import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { connect, type RocketMQ } from "@rmq/client";
import { hostPlatform } from "@rmq/platform";
import { Fields, RequestCode, SendAnswer, toJson } from "@rmq/protocol";
import { type Handler, type RemotingServer, startServer } from "@rmq/remoting";

const platform = hostPlatform();
const { clock } = platform;
const IN_FLIGHT = 256;
const TOPIC = "bench";

const [first, ...rest] = process.argv.slice(2);
if (first === "server") await serve();
else await measure(Number(first ?? 5), Number(rest[0] ?? 1024), rest[1]);

/** Name server and broker on one port. */
async function serve(): Promise<void> {
  const storeHost = Uint8Array.of(127, 0, 0, 1);
  const answer = new SendAnswer({ regionId: "DefaultRegion", traceOn: true, storeHost, storePort: 10911 });
  const single = Fields.SEND_MESSAGE_V2;
  let offset = 0;
  const send: Handler = (header, connection) => {
    offset += header.bodyEnd - header.bodyStart;
    answer.write(connection.out, header.opaque, 0, header.int(single.e, 0), offset, offset, header.bytes, -1, -1);
    connection.touch();
  };
  const fine: Handler = (header, connection) => connection.answer(header.opaque, { code: 0, fields: {} });
  const route: Handler = (header, connection) => connection.answer(header.opaque, { code: 0, body: routeTo(server) });
  const handlers = new Map([
    [RequestCode.SEND_MESSAGE_V2, send],
    [RequestCode.GET_ROUTEINFO_BY_TOPIC, route],
    [RequestCode.HEART_BEAT, fine],
    [RequestCode.UNREGISTER_CLIENT, fine],
  ]);
  const logger = { info: () => {}, warn: console.warn, error: console.error };
  const server = await startServer(platform, { host: "127.0.0.1", port: 0, handlers }, logger);
  console.log(`127.0.0.1:${server.port}`);
  process.stdin.on("end", () => process.exit(0)).resume();
}

function routeTo(server: RemotingServer): Uint8Array {
  const brokerAddrs = { "0": `127.0.0.1:${server.port}` };
  const queues = { perm: 6, readQueueNums: 8, writeQueueNums: 8, topicSysFlag: 0 };
  return new TextEncoder().encode(toJson({
    brokerDatas: [{ brokerAddrs, brokerName: "bench", cluster: "bench" }],
    queueDatas: [{ brokerName: "bench", ...queues }],
  }));
}

async function measure(seconds: number, bodyBytes: number, namesrv: string | undefined): Promise<void> {
  const own = namesrv === undefined ? spawnServer() : null;
  const before = platform.process.residentBytes();
  const mq = await connect(namesrv ?? await own!.address);
  const body = new Uint8Array(bodyBytes).fill(0x61);
  for (let i = 0; i < 100; i++) await mq.send(TOPIC, body);
  const idle = platform.process.residentBytes() - before;
  console.log(`${platform.process.runtime}: ${bodyBytes} bytes a message; after connecting ${mib(idle)} MiB more`);
  for (const inFlight of [1, IN_FLIGHT, 1, IN_FLIGHT]) {
    const perSecond = await rate(mq, body, inFlight, seconds);
    console.log(`${inFlight === 1 ? "one at a time" : `${inFlight} in flight`}: ${Math.round(perSecond)} messages/s`);
  }
  await mq.close();
  own?.end();
}

async function rate(mq: RocketMQ, body: Uint8Array, inFlight: number, seconds: number): Promise<number> {
  const startedUs = clock.monotonicUs();
  const untilUs = startedUs + seconds * 1e6;
  let sent = 0;
  const keepSending = async (): Promise<void> => {
    while (clock.monotonicUs() < untilUs) {
      await mq.send(TOPIC, body);
      sent++;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, keepSending));
  return sent / ((clock.monotonicUs() - startedUs) / 1e6);
}

function spawnServer(): { address: Promise<string>; end: () => void } {
  // By the same runtime; an address given as third argument takes that out of a comparison.
  const script = fileURLToPath(import.meta.url);
  const command = platform.process.runtime === "deno"
    ? [process.execPath, "run", "-A", script]
    : [process.execPath, script];
  const child = spawn(command[0], [...command.slice(1), "server"], { stdio: ["pipe", "pipe", "inherit"] });
  const address = new Promise<string>((resolve) => child.stdout.once("data", (text) => resolve(String(text).trim())));
  return { address, end: () => child.stdin.end() };
}

function mib(bytes: number): string {
  return (bytes / 1048576).toFixed(1);
}
