/**
 * Many timers that are due in one second, on dist/rmq: how long until all are delivered, what sends notice of it meanwhile,
 * and with --kill, whether all of them are there after `kill -9` in the middle.
 *
 *   deno run -A bench/macro/timers.ts [--count 1000000] [--size 256] [--lead 60] [--rate 1000] [--kill]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { StoredMessage } from "@rmq/protocol";
import { request } from "../../scripts/peers/request.ts";
import { startRmqBroker } from "../../scripts/peers/rmq.ts";
import { cpuSeconds, freePort, type ServerProcess } from "../../scripts/peers/server_process.ts";
import { quietClient } from "../../tests/messaging/wire.ts";
import { runLoad, startLoad } from "./run_load.ts";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "1000000" },
    size: { type: "string", default: "256" },
    lead: { type: "string", default: "60" },
    rate: { type: "string", default: "1000" },
    kill: { type: "boolean", default: false },
    directory: { type: "string", default: tmpdir() },
  },
});
const TOPIC = "BenchTimers";
const QUEUES = 8;
const CONNECTIONS = 4;
/** Nothing is waited for longer than this after the time is there. */
const PATIENCE_MS = 180_000;
const count = Number(values.count);
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;

/** Messages that the topic's queues hold. */
async function delivered(address: string): Promise<number> {
  let sum = 0;
  for (let queueId = 0; queueId < QUEUES; queueId++) {
    sum += Number((await request(address, 30, { topic: TOPIC, queueId: String(queueId) })).fields.offset);
  }
  return sum;
}

/** How often each message is there: the numbers of those that are not, and how many there are too many. */
async function counted(address: string): Promise<{ missing: number; twice: number }> {
  const seen = Array.from({ length: CONNECTIONS }, () => new Uint8Array(count));
  const client = quietClient();
  const message = new StoredMessage();
  const one = async (queueId: number): Promise<void> => {
    const max = Number((await request(address, 30, { topic: TOPIC, queueId: String(queueId) })).fields.offset);
    for (let offset = 0; offset < max;) {
      const answer = await client.request(address, {
        code: 11,
        fields: {
          consumerGroup: "bench-timers",
          topic: TOPIC,
          queueId,
          queueOffset: offset,
          maxMsgNums: 32,
          sysFlag: 4,
          commitOffset: 0,
          suspendTimeoutMillis: 0,
          subscription: "*",
          subVersion: 0,
          expressionType: "TAG",
        },
      }, 30_000);
      const bytes = answer.body;
      if (answer.code !== 0 || bytes === null) throw new Error(`pull at ${offset}: ${answer.code} ${answer.remark}`);
      for (let at = 0; at < bytes.length; at += message.size) {
        if (message.parse(bytes, at, bytes.length, false) <= 0) throw new Error(`no message at ${offset}`);
        const key = message.property("UNIQ_KEY") ?? "";
        seen[parseInt(key.slice(8, 12), 16)][parseInt(key.slice(24), 16)]++;
      }
      offset = Number(answer.fields.get("nextBeginOffset"));
    }
  };
  await Promise.all(Array.from({ length: QUEUES }, (_, queueId) => one(queueId)));
  client.close();
  let there = 0;
  let sum = 0;
  for (const list of seen) for (const times of list) if (times > 0) [there, sum] = [there + 1, sum + times];
  return { missing: count - there, twice: sum - there };
}

const directory = mkdtempSync(join(values.directory, "rmq-timers-"));
let broker: ServerProcess | null = null;
try {
  const start = async () =>
    broker = await startRmqBroker({ directory, namesrv: "127.0.0.1:1", port: await freePort([-2, 1]) });
  let running = await start();
  const dueMs = Math.ceil(Date.now() / 1000 + Number(values.lead)) * 1000;
  const common = { connections: CONNECTIONS, queues: QUEUES, size: Number(values.size) };
  const property = `TIMER_DELIVER_MS=${dueMs}`;
  const sent = await runLoad(running.address, { ...common, topic: TOPIC, "in-flight": 256, count, property });
  const left = dueMs - Date.now();
  console.log(
    `${sent.allMessages} timers of ${values.size} B were sent in ${sent.seconds} s (${sent.messagesPerSecond}/s, p99 ${sent.p99Ms} ms), ` +
      `errors ${JSON.stringify(sent.errors)}; due in ${Math.round(left / 1000)} s; resident ${
        megabytes(running.residentBytes())
      }`,
  );
  if (left < 12_000) throw new Error("sending took too much of --lead: give it more");
  const rated = { topic: "BenchSends", queues: QUEUES, size: 1024, connections: 2, "in-flight": 64, warm: 1 };
  const quiet = await runLoad(running.address, { ...rated, rate: Number(values.rate), seconds: 5 });
  console.log(
    `before it ${quiet.messagesPerSecond} sends/s: p50 ${quiet.p50Ms} p99 ${quiet.p99Ms} max ${quiet.maxMs} ms`,
  );
  await wait(dueMs - Date.now() - 2000);
  const before = await delivered(running.address);
  const sends = values.kill ? null : startLoad(running.address, { ...rated, rate: Number(values.rate), seconds: 20 });
  let most = 0;
  let killed = false;
  let done = 0;
  let cpu = cpuSeconds(running.pid);
  for (let now = before; Date.now() < dueMs + PATIENCE_MS; await wait(100)) {
    now = await delivered(running.address);
    most = Math.max(most, running.residentBytes());
    if (Date.now() < dueMs && now > before) throw new Error(`${now - before} were delivered before their time`);
    if (values.kill && !killed && now >= count / 2) {
      await running.kill();
      killed = true;
      running = await start();
      cpu = 0;
      console.log(`killed with ${now} delivered, ready again after ${running.readyMs.toFixed(0)} ms`);
    }
    done = Date.now() - dueMs;
    if (now >= count && (!killed || (await counted(running.address)).missing === 0)) break;
  }
  console.log(
    `all delivered ${(done / 1000).toFixed(1)} s after they were due; resident at most ${megabytes(most)}, ` +
      `${(cpuSeconds(running.pid) - cpu).toFixed(1)} s of CPU`,
  );
  if (sends !== null) {
    const { messagesPerSecond, p50Ms, p99Ms, p999Ms, maxMs, errors } = await sends.result;
    console.log(
      `beside it ${messagesPerSecond} sends/s: p50 ${p50Ms} p99 ${p99Ms} p99.9 ${p999Ms} max ${maxMs} ms, errors ${
        JSON.stringify(errors)
      }`,
    );
  }
  const { missing, twice } = await counted(running.address);
  console.log(`${missing} missing, ${twice} more than once`);
  console.log(`stopped in ${Math.round(await running.stop())} ms`);
  if (missing > 0) process.exitCode = 1;
} finally {
  await (broker as ServerProcess | null)?.kill();
  rmSync(directory, { recursive: true, force: true });
}
