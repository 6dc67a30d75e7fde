/**
 * What reads and the followers cost, nanoseconds of CPU time an operation: a pull of 32 adjacent messages of 1 KiB at the tail, the
 * same with a tag filter that takes one in four, a consume queue unit taken, an index entry taken.
 *
 *   deno run -A bench/micro/get.ts        bun run bench/micro/get.ts
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { hostPlatform } from "@rmq/platform";
import { encodeStored, MessageDraft, storedSize } from "@rmq/protocol";
import { defaultStoreOptions } from "../../lib/store/options.ts";
import { ConsumeQueues } from "../../lib/store/consume_queues.ts";
import { Dispatcher } from "../../lib/store/dispatcher.ts";
import { IndexFiles } from "../../lib/store/index_files.ts";
import { QueueReader } from "../../lib/store/queue_reader.ts";

const MESSAGES = 16_000;
const BODY_BYTES = 1024;
const platform = hostPlatform();
const quiet = { info() {}, warn() {}, error() {} };
const root = mkdtempSync(join(tmpdir(), "rmq-bench-"));

const draft = new MessageDraft();
draft.topic = new TextEncoder().encode("BenchmarkTest");
draft.body = new Uint8Array(BODY_BYTES);
draft.bodyEnd = BODY_BYTES;
draft.bornHost = draft.storeHost = Uint8Array.of(127, 0, 0, 1);
draft.storeTimestamp = platform.clock.nowMs();
draft.properties.setNamed("TAGS", "TagA");
draft.properties.setNamed("UNIQ_KEY", "7F000001000012345678000000000000");
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
const queues = new ConsumeQueues(platform, log, {
  directory: `${root}/consumequeue`,
  fileBytes: 6_000_000,
  memoryBytes: 64 << 20,
  openFiles: 16,
}, quiet);
const index = new IndexFiles(platform, { root, maxHashSlotNum: 5_000_000, maxIndexNum: 20_000_000 }, log, quiet);

/** CPU time of this process, microseconds: a busy machine does not change it much. */
function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function report(name: string, operations: number, startUs: number): void {
  const ns = (cpuUs() - startUs) * 1000 / operations;
  platform.process.write("out", `${platform.process.runtime}  ${name.padEnd(44)} ${ns.toFixed(0).padStart(8)} ns\n`);
}

function dispatch(name: string, followers: ConstructorParameters<typeof Dispatcher>[1], base: number): void {
  const dispatcher = new Dispatcher(queues, followers, []);
  const start = cpuUs();
  for (let n = 0; n < MESSAGES; n++) {
    dispatcher.message.parse(bytes, n * size, bytes.length, false);
    dispatcher.message.queueOffset += base;
    dispatcher.message.physicalOffset += base * size;
    dispatcher.prepare();
    dispatcher.deliver();
  }
  report(name, MESSAGES, start);
}

const options = { ...defaultStoreOptions(""), diskDistanceBytes: Number.MAX_SAFE_INTEGER };

function pull(name: string, tags: ((high: number, low: number) => boolean) | null): void {
  const reader = new QueueReader(log, options, platform.clock);
  const request = {
    queue: queues.queue("BenchmarkTest", 0),
    offset: 0,
    maxCount: 32,
    maxBytes: 1 << 30,
    tags,
    matches: null,
  };
  let found = 0;
  const take = (result: { count: number }): void => void (found += result.count);
  const rounds = 200_000;
  const start = cpuUs();
  for (let i = 0; i < rounds; i++) {
    request.offset = (i * 32) % (MESSAGES - 1024);
    reader.get(request, take);
  }
  report(`${name} (${found / rounds} messages)`, rounds, start);
}

for (let n = 0; n < MESSAGES; n++) {
  draft.queueOffset = n;
  draft.physicalOffset = n * size;
  encodeStored(draft, bytes, n * size);
}
for (let round = 0; round < 3; round++) {
  const base = round * MESSAGES;
  dispatch("parse and prepare alone", [], base);
  dispatch("… and the consume queue", [queues], base);
  dispatch("… and the index (2 entries), no queue", [index], base);
}
for (let round = 0; round < 2; round++) {
  pull("pull of 32 x 1 KiB at the tail", null);
  let n = 0;
  pull("pull with a filter that takes one in four", () => (n++ & 3) === 0);
}
rmSync(root, { recursive: true, force: true });
