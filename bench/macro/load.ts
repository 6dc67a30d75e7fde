/** The load generator: `bun bench/macro/load.ts --help`. */
import { parseArgs } from "node:util";
import { createTopicAtBroker, splitAddress } from "../../scripts/peers/request.ts";
import { batchTemplate, sendTemplate } from "./frames.ts";
import { openPull } from "./pull_load.ts";
import { openSend } from "./send_load.ts";
import { type LoadConnection, Pace, Tally } from "./tally.ts";
import { openTransactions } from "./transaction_load.ts";

const usage = `bun bench/macro/load.ts [options]
  --address HOST:PORT   the broker (127.0.0.1:10911)
  --mode MODE           send, batch, transaction or pull (send)
  --topic NAME          is created (BenchTopic)
  --queues N            1 to 10 (8)
  --connections N       (4)
  --in-flight N         requests of a connection under way (64; pull: 1)
  --size BYTES          of a body (1024)
  --batch N             messages of a batch, or of a pull (32)
  --property NAME=VALUE of each message sent; # in the value is a digit that goes round; may be repeated
  --sql EXPRESSION      pulls what it matches (property filters must be on)
  --warm SECONDS        not counted (2)
  --seconds SECONDS     counted (10)
  --count N             ends after so many requests instead, without warm-up
  --rate N              at most so many requests a second
  --json                the result as JSON`;

const { values } = parseArgs({
  options: {
    address: { type: "string", default: "127.0.0.1:10911" },
    mode: { type: "string", default: "send" },
    topic: { type: "string", default: "BenchTopic" },
    queues: { type: "string", default: "8" },
    connections: { type: "string", default: "4" },
    "in-flight": { type: "string" },
    size: { type: "string", default: "1024" },
    batch: { type: "string", default: "32" },
    property: { type: "string", multiple: true, default: [] },
    sql: { type: "string" },
    warm: { type: "string", default: "2" },
    seconds: { type: "string", default: "10" },
    count: { type: "string" },
    rate: { type: "string" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

function fail(message: string): never {
  console.error(message);
  process.exit(2);
}

function number(
  name: "queues" | "connections" | "in-flight" | "size" | "batch" | "warm" | "seconds" | "count" | "rate",
) {
  const value = Number(values[name]);
  if (!(value >= 0)) fail(`--${name} ${values[name]}: not a number`);
  return value;
}

if (values.help) {
  console.log(usage);
  process.exit(0);
}
const mode = values.mode;
if (!["send", "batch", "transaction", "pull"].includes(mode)) {
  fail(`--mode ${mode}: send, batch, transaction and pull are known`);
}
const more = Object.fromEntries(values.property.map((text) => {
  const at = text.indexOf("=");
  if (at < 1) fail(`--property ${text}: NAME=VALUE is expected`);
  return [text.slice(0, at), text.slice(at + 1)];
}));
const queues = number("queues");
if (queues < 1 || queues > 10) fail(`--queues ${queues}: 1 to 10`);
const connections = number("connections");
const inFlight = values["in-flight"] === undefined ? (mode === "pull" ? 1 : 64) : number("in-flight");
const batch = number("batch");
const { host, port } = splitAddress(values.address);
const count = values.count === undefined ? Infinity : number("count");
const pace = new Pace(values.rate === undefined ? Infinity : number("rate"), count);
const tally = new Tally();
const onClose = (why: string) => {
  console.error(`load: ${why}`);
  process.exit(1);
};

function open(index: number): Promise<LoadConnection> {
  const common = { host, port, tally, onClose };
  if (mode === "pull") {
    const cursors = connections * inFlight;
    const queueLists = Array.from({ length: inFlight }, (_, i) => {
      const first = (index * inFlight + i) % queues;
      return Array.from({ length: Math.ceil(queues / cursors) }, (_, k) => (first + k * cursors) % queues);
    });
    return openPull({ ...common, topic: values.topic, queueLists, count: batch, sql: values.sql ?? null });
  }
  if (mode === "transaction") {
    return openTransactions({ ...common, topic: values.topic, size: number("size"), index, inFlight, queues, pace });
  }
  const template = mode === "batch"
    ? batchTemplate(values.topic, number("size"), index, batch)
    : sendTemplate(values.topic, number("size"), index, more);
  return openSend({ ...common, template, inFlight, queues, pace });
}

const wait = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

await createTopicAtBroker(values.address, values.topic, queues);
const all = await Promise.all(Array.from({ length: connections }, (_, i) => open(i)));
for (const connection of all) connection.pump();
const pacing = pace.limited ? setInterval(() => all.forEach((connection) => connection.pump()), 1) : undefined;

let started = performance.now();
let cpu = process.cpuUsage();
if (count === Infinity) {
  await wait(number("warm"));
  tally.clear();
  started = performance.now();
  cpu = process.cpuUsage();
  await wait(number("seconds"));
} else {
  while (tally.requests < count) await wait(0.005);
}
const seconds = (performance.now() - started) / 1000;
const used = process.cpuUsage(cpu);
clearInterval(pacing);
for (const connection of all) connection.close();

const latency = (percent: number) => Number((tally.latency.percentile(percent) / 1000).toFixed(3));
const result = {
  mode,
  connections,
  inFlight,
  seconds: Number(seconds.toFixed(3)),
  messages: tally.messages,
  allMessages: tally.allMessages,
  messagesPerSecond: Math.round(tally.messages / seconds),
  requestsPerSecond: Math.round(tally.requests / seconds),
  answerMegabytesPerSecond: Math.round(tally.bytes / seconds / 1e6),
  p50Ms: latency(50),
  p99Ms: latency(99),
  p999Ms: latency(99.9),
  maxMs: Number((tally.latency.max / 1000).toFixed(3)),
  errors: Object.fromEntries([...tally.codes].map(([code, times]) => [`code ${code}`, times])),
  generatorCpu: Number(((used.user + used.system) / 1e6 / seconds).toFixed(2)),
};
if (values.json) {
  console.log(JSON.stringify(result));
} else {
  console.log(
    `${mode} ${connections}x${inFlight}: ${result.messagesPerSecond} messages/s, ${result.requestsPerSecond} requests/s, ` +
      `p50 ${result.p50Ms} ms, p99 ${result.p99Ms} ms, p99.9 ${result.p999Ms} ms, max ${result.maxMs} ms, ` +
      `generator ${result.generatorCpu} CPU`,
  );
  for (const [code, times] of Object.entries(result.errors)) console.log(`  ${times} answers with ${code}`);
}
process.exit(0);
