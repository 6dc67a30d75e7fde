/**
 * What the remoting layer alone can carry: a server that frames, scans and answers sends from a template, and a
 * pipelining client in another process. Run: `bun bench/micro/remoting.ts [connections=1] [inFlight=256]
 * [seconds=5] [bodyBytes=1024]`, or the same with `deno run -A`.
 */
import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { type Connection, hostPlatform } from "@rmq/platform";
import { Fields, Output, RequestCode, SendAnswer, writeRequest } from "@rmq/protocol";
import { type Handler, startServer } from "@rmq/remoting";

const platform = hostPlatform();
const { clock } = platform;
const logger = { info: () => {}, warn: console.warn, error: console.error };
const [role = "server", ...rest] = process.argv.slice(2);

if (role === "client") await load(rest.map(Number) as [number, number, number, number, number]);
else {await serve([role === "server" ? undefined : role, ...rest].map((arg) =>
    arg === undefined ? undefined : Number(arg)
  ));}

async function serve([connections = 1, inFlight = 256, seconds = 5, bodyBytes = 1024]: (number | undefined)[]) {
  const answer = new SendAnswer({
    regionId: "DefaultRegion",
    traceOn: true,
    storeHost: Uint8Array.of(127, 0, 0, 1),
    storePort: 10911,
  });
  const fields = Fields.SEND_MESSAGE_V2;
  let offset = 0;
  const send: Handler = (header, connection) => {
    const queueId = header.int(fields.e, 0);
    offset += header.bodyEnd - header.bodyStart;
    answer.write(connection.out, header.opaque, 0, queueId, offset, offset, header.bytes, -1, -1);
    connection.touch();
  };
  const handlers = new Map([[RequestCode.SEND_MESSAGE_V2, send]]);
  const server = await startServer(platform, { host: "127.0.0.1", port: 0, handlers }, logger);
  const startedAt = process.cpuUsage();
  const own = process.versions["bun"] === undefined ? ["run", "-A"] : [];
  const client = [...own, fileURLToPath(import.meta.url), "client"];
  const args = [server.port, connections, inFlight, seconds, bodyBytes].map(String);
  const child = spawn(process.execPath, [...client, ...args], { stdio: "inherit" });
  await new Promise((resolve) => child.on("exit", resolve));
  const { requests, writes } = server.stats;
  const { user, system } = process.cpuUsage(startedAt);
  const nsEach = (us: number): number => Math.round(us * 1000 / requests);
  console.log(
    `${(requests / writes).toFixed(1)} answers a write; CPU of the server a request: ` +
      `${nsEach(user)} ns user, ${nsEach(system)} ns system`,
  );
  await server.close();
  process.exit(0);
}

async function load([port, connections, inFlight, seconds, bodyBytes]: [number, number, number, number, number]) {
  const frame = sendFrame(bodyBytes);
  let answers = 0;
  for (let i = 0; i < connections; i++) {
    const connection = await platform.net.connect({ host: "127.0.0.1", port, timeoutMs: 3000 });
    pipeline(connection, frame, inFlight, (count) => answers += count);
  }
  await wait(1000);
  const startUs = clock.monotonicUs();
  const before = answers;
  await wait(seconds * 1000);
  const perSecond = (answers - before) / ((clock.monotonicUs() - startUs) / 1e6);
  console.log(`${connections} × ${inFlight}, ${bodyBytes} bytes: ${Math.round(perSecond)} requests/s`);
  process.exit(0);
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => clock.setTimer(ms, resolve));
}

/** A send as the Java client writes it. */
function sendFrame(bodyBytes: number): Uint8Array {
  const out = new Output();
  const properties =
    "KEYS\u0001key-0001\u0002UNIQ_KEY\u00017F000001000018B4AAC20A1B2C3D0001\u0002WAIT\u0001true\u0002TAGS\u0001TagA\u0002";
  const fields = { a: "producer-group", b: "BenchmarkTopic", c: "TBW102", d: 4, e: 2, f: 0, g: 1795371509586, h: 0 };
  writeRequest(out, {
    code: RequestCode.SEND_MESSAGE_V2,
    opaque: 123456,
    fields: { ...fields, i: properties, j: 0, k: false, m: false, n: "broker-a" },
    body: new Uint8Array(bodyBytes).fill(0x61),
  });
  return out.take();
}

/** Keeps `inFlight` requests under way: as many go out as answers came in. */
function pipeline(connection: Connection, frame: Uint8Array, inFlight: number, count: (answers: number) => void): void {
  const batch = new Uint8Array(frame.length * inFlight);
  for (let i = 0; i < inFlight; i++) batch.set(frame, i * frame.length);
  let need = 0;
  let head = 0;
  let headBytes = 0;
  connection.handler = {
    data: (chunk) => {
      let answers = 0;
      let at = 0;
      while (at < chunk.length) {
        if (need === 0) {
          head = head << 8 | chunk[at++]!;
          if (++headBytes < 4) continue;
          need = head;
          head = headBytes = 0;
        }
        const part = Math.min(need, chunk.length - at);
        need -= part;
        at += part;
        if (need === 0) answers++;
      }
      count(answers);
      if (answers > 0) connection.write(batch.subarray(0, answers * frame.length));
    },
    close: () => process.exit(1),
  };
  connection.write(batch);
}
