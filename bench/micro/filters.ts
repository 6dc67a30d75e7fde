/**
 * What SQL92 filters cost, nanoseconds of CPU time: an expression compiled, a message judged by several expressions, and
 * a pull of 32 messages of which one in ten is wanted. The messages have the properties that a Java client sends, and two.
 *
 *   deno run -A bench/micro/filters.ts        bun run bench/micro/filters.ts
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { hostPlatform } from "@rmq/platform";
import { encodeStored, MessageDraft, StoredMessage, storedSize } from "@rmq/protocol";
import { SqlFilter } from "../../lib/broker/filters/sql_filter.ts";
import { ConsumeQueues } from "../../lib/store/consume_queues.ts";
import { Dispatcher } from "../../lib/store/dispatcher.ts";
import { defaultStoreOptions } from "../../lib/store/options.ts";
import { QueueReader } from "../../lib/store/queue_reader.ts";

const MESSAGES = 10_000;
const BODY_BYTES = 1024;
const LIMITS = { length: 65_536, depth: 256, terms: 512 };
const EXPRESSIONS = [
  "a = 3",
  "a BETWEEN 3 AND 3",
  "price > 100.5",
  "region = 'east'",
  "a IN ('1', '3', '5', '7', '9')",
  "region CONTAINS 'st' AND (a > 2 OR price IS NULL) AND NOT (a = 9)",
  "notThere IS NULL",
];
const platform = hostPlatform();
const quiet = { info() {}, warn() {}, error() {} };
const root = mkdtempSync(join(tmpdir(), "rmq-bench-"));

const draft = new MessageDraft();
draft.topic = new TextEncoder().encode("BenchmarkTest");
draft.body = new Uint8Array(BODY_BYTES);
draft.bodyEnd = BODY_BYTES;
draft.bornHost = draft.storeHost = Uint8Array.of(127, 0, 0, 1);
draft.storeTimestamp = platform.clock.nowMs();
draft.properties.setNamed("a", "0");
draft.properties.setNamed("region", "north-east");
draft.properties.setNamed("price", "99.95");
draft.properties.setNamed("TRACE_ON", "true");
draft.properties.setNamed("MSG_REGION", "DefaultRegion");
draft.properties.setNamed("UNIQ_KEY", "7F000001000012345678000000000000");
draft.properties.setNamed("CLUSTER", "DefaultCluster");
draft.properties.setNamed("WAIT", "true");
draft.properties.setNamed("TAGS", "TagA");
const size = storedSize(draft);
const bytes = new Uint8Array(MESSAGES * size);
function view(offset: number, length: number, out: { bytes: Uint8Array; start: number }): boolean {
  if (offset + length > bytes.length) return false;
  out.bytes = bytes;
  out.start = offset;
  return true;
}
const log = {
  minOffset: 0,
  visible: bytes.length,
  view,
  cached: view,
  read(offset: number, _length: number, done: (error: null, bytes: Uint8Array, start: number) => void): void {
    done(null, bytes, offset);
  },
};
const queueOptions = { directory: `${root}/consumequeue`, fileBytes: 6_000_000, memoryBytes: 64 << 20, openFiles: 16 };
const queues = new ConsumeQueues(platform, log, queueOptions, quiet);

/** CPU time of this process, microseconds: a busy machine does not change it much. */
function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function report(name: string, operations: number, startUs: number): void {
  const ns = (cpuUs() - startUs) * 1000 / operations;
  platform.process.write("out", `${platform.process.runtime}  ${name.padEnd(72)} ${ns.toFixed(0).padStart(8)} ns\n`);
}

function compile(expression: string): void {
  const rounds = 20_000;
  const start = cpuUs();
  for (let i = 0; i < rounds; i++) new SqlFilter(expression, LIMITS);
  report(`compile ${expression}`, rounds, start);
}

function judge(expression: string): void {
  const filter = new SqlFilter(expression, LIMITS);
  const message = new StoredMessage();
  const rounds = 50;
  let wanted = 0;
  const start = cpuUs();
  for (let round = 0; round < rounds; round++) {
    for (let n = 0; n < MESSAGES; n++) {
      message.parse(bytes, n * size, (n + 1) * size, false);
      if (filter.matches(message)) wanted++;
    }
  }
  report(
    `parse and judge, ${(100 * wanted / rounds / MESSAGES).toFixed(0)} %: ${expression}`,
    rounds * MESSAGES,
    start,
  );
}

function pull(name: string, matches: ((message: StoredMessage) => boolean) | null): void {
  const options = { ...defaultStoreOptions(""), diskDistanceBytes: Number.MAX_SAFE_INTEGER };
  const reader = new QueueReader(log, options, platform.clock);
  const queue = queues.queue("BenchmarkTest", 0);
  const request = { queue, offset: 0, maxCount: 32, maxBytes: 1 << 30, tags: null, matches };
  let found = 0;
  const take = (result: { count: number }): void => void (found += result.count);
  const rounds = 5000;
  const start = cpuUs();
  for (let i = 0; i < rounds; i++) {
    request.offset = (i * 32) % (MESSAGES - 1024);
    reader.get(request, take);
  }
  report(`${name} (${found / rounds} messages)`, rounds, start);
}

const dispatcher = new Dispatcher(queues, [queues], []);
for (let n = 0; n < MESSAGES; n++) {
  draft.properties.setNamed("a", String(n % 10));
  draft.queueOffset = n;
  draft.physicalOffset = n * size;
  encodeStored(draft, bytes, n * size);
  dispatcher.message.parse(bytes, n * size, bytes.length, false);
  dispatcher.prepare();
  dispatcher.deliver();
}
for (let round = 0; round < 2; round++) {
  compile(EXPRESSIONS[5]);
  for (const expression of EXPRESSIONS) judge(expression);
  pull("pull of 32 x 1 KiB without a filter", null);
  pull("pull of 32, one in ten wanted: a = 3", new SqlFilter("a = 3", LIMITS).matches);
  pull("pull of 32, none wanted, 800 looked at: a = 30", new SqlFilter("a = 30", LIMITS).matches);
}
rmSync(root, { recursive: true, force: true });
