/**
 * What an append costs: 1 KiB bodies into a store in a fresh directory below /tmp, batches of 64 a turn.
 *
 *   bun bench/micro/append.ts [--seconds 3] [--flush SYNC_FLUSH|ASYNC_FLUSH|both] [--batch 64]
 *   deno run -A bench/micro/append.ts
 *
 * Prints nanoseconds a message of the loop's time (append alone, and all with write, dispatch and queues) and the rate.
 */
import { hostPlatform, type Logger } from "@rmq/platform";
import { MessageDraft } from "@rmq/protocol";
import { AppendStatus, defaultStoreOptions, openStore, type Store } from "@rmq/store";

const platform = hostPlatform();
const { clock, files, process } = platform;
const quiet: Logger = { info: () => {}, warn: console.warn, error: console.error };

function option(name: string, fallback: string): string {
  const at = process.args.indexOf(`--${name}`);
  return at < 0 ? fallback : process.args[at + 1] ?? fallback;
}

const seconds = Number(option("seconds", "3"));
const batch = Number(option("batch", "64"));
const flush = option("flush", "both");

function draftOf(topic: string): MessageDraft {
  const draft = new MessageDraft();
  draft.topic = new TextEncoder().encode(topic);
  draft.body = new Uint8Array(1024).fill(0x61);
  draft.bodyEnd = 1024;
  draft.bornHost = new Uint8Array([127, 0, 0, 1]);
  draft.bornPort = 40000;
  draft.bornTimestamp = clock.nowMs();
  const properties = "UNIQ_KEY\x017F00000100002A9F00000000000003E8\x02WAIT\x01true\x02TAGS\x01TagA\x02" +
    "MSG_REGION\x01DefaultRegion\x02CLUSTER\x01DefaultCluster\x02TRACE_ON\x01true\x02";
  const text = new TextEncoder().encode(properties);
  draft.properties.readText(text, 0, text.length);
  return draft;
}

/** Appends for some seconds; a turn appends a batch, and the next turn begins when the loop comes round. */
function load(store: Store, untilUs: number): Promise<{ messages: number; appendUs: number }> {
  const draft = draftOf("BenchTopic");
  const queues = [0, 1, 2, 3].map((queueId) => store.queue("BenchTopic", queueId));
  let messages = 0;
  let appendUs = 0;
  return new Promise((resolve) => {
    const turn = (): void => {
      const start = clock.monotonicUs();
      for (let i = 0; i < batch; i++) {
        draft.queueId = i & 3;
        if (store.append(draft, queues[i & 3]) !== AppendStatus.OK) break;
        messages++;
      }
      const now = clock.monotonicUs();
      appendUs += now - start;
      if (now > untilUs) resolve({ messages, appendUs });
      else setImmediate(turn);
    };
    turn();
  });
}

async function run(flushDiskType: "SYNC_FLUSH" | "ASYNC_FLUSH"): Promise<void> {
  const root = `/tmp/rmq-bench-append-${process.pid}`;
  files.removeTree(root);
  const store = await openStore(platform, { ...defaultStoreOptions(root), flushDiskType }, quiet);
  await load(store, clock.monotonicUs() + 500_000);
  const before = store.stats();
  const start = clock.monotonicUs();
  const { messages, appendUs } = await load(store, start + seconds * 1e6);
  await store.flush();
  const elapsedUs = clock.monotonicUs() - start;
  const after = store.stats();
  const visible = store.visible === store.appended;
  await store.close();
  files.removeTree(root);
  const flushes = after.flushes - before.flushes;
  console.log(
    `${process.runtime} ${flushDiskType}: append ${(appendUs * 1000 / messages).toFixed(0)} ns, ` +
      `all ${(elapsedUs * 1000 / messages).toFixed(0)} ns a message, ${
        Math.round(messages / elapsedUs * 1e6)
      } a second, ` +
      `${flushes} flushes of ${((after.flushUs - before.flushUs) / Math.max(1, flushes)).toFixed(0)} us, ` +
      `busy ${after.busy}, all visible ${visible}, resident ${Math.round(process.residentBytes() / 1e6)} MB`,
  );
}

if (flush !== "SYNC_FLUSH") await run("ASYNC_FLUSH");
if (flush !== "ASYNC_FLUSH") await run("SYNC_FLUSH");
process.exit(0);
