import assert from "node:assert/strict";
import { test } from "node:test";
import type { Platform } from "@rmq/platform";
import { type Simulation, simulation } from "@rmq/platform/simulated";
import { encodeStored, MessageDraft, storedSize } from "@rmq/protocol";
import { MemoryLog, quiet } from "./_golden.ts";
import { putUnit, UNIT_BYTES, unitPhysical } from "./consume_queue_layout.ts";
import { ConsumeQueues } from "./consume_queues.ts";
import { Dispatcher } from "./dispatcher.ts";
import { makeDirectoriesDurably } from "./durable_directory.ts";
import { IndexFiles } from "./index_files.ts";

const MESSAGES = 400;
const QUEUES = 5;
const FILE_BYTES = 1000;

/** A log of messages with a key each, over five queues; message n has the key `key<n>` and the tag `tag<n % 3>`. */
function makeLog(): { log: MemoryLog; at: number[] } {
  const draft = new MessageDraft();
  draft.topic = new TextEncoder().encode("T");
  draft.bornHost = draft.storeHost = Uint8Array.of(127, 0, 0, 1);
  const bytes = new Uint8Array(MESSAGES * 200);
  const at: number[] = [];
  let end = 0;
  for (let n = 0; n < MESSAGES; n++) {
    draft.properties.clear();
    draft.properties.setNamed("KEYS", `key${n}`);
    draft.properties.setNamed("TAGS", `tag${n % 3}`);
    draft.queueId = n % QUEUES;
    draft.queueOffset = Math.floor(n / QUEUES);
    draft.physicalOffset = end;
    draft.storeTimestamp = 1_700_000_000_000 + n * 10;
    at.push(end);
    assert.ok(end + storedSize(draft) <= bytes.length);
    end = encodeStored(draft, bytes, end);
  }
  const log = new MemoryLog(bytes);
  log.visible = end;
  at.push(end);
  return { log, at };
}

const { log, at } = makeLog();

/** One run of the followers on a simulated machine, between two crashes. */
class Run {
  readonly queues: ConsumeQueues;
  readonly index: IndexFiles;
  readonly dispatcher: Dispatcher;
  taken = 0;

  constructor(readonly world: Simulation, readonly platform: Platform, checkpoint: { index: number }) {
    const options = { directory: "/s/consumequeue", fileBytes: FILE_BYTES, memoryBytes: 6000, openFiles: 3 };
    this.queues = new ConsumeQueues(platform, log, options, quiet);
    this.index = new IndexFiles(platform, { root: "/s", maxHashSlotNum: 50, maxIndexNum: 300 }, log, quiet);
    this.index.beforeHeader = (timestamp, done) => {
      checkpoint.index = Math.max(checkpoint.index, timestamp);
      done(null);
    };
    this.dispatcher = new Dispatcher(this.queues, [this.queues, this.index], []);
  }

  async open(abnormal: boolean, from: number, indexMsgTimestamp: number): Promise<void> {
    const directories = ["/s/consumequeue", "/s/index"];
    await this.world.finish(makeDirectoriesDurably(this.platform.files, directories));
    const recovery = { abnormal, indexMsgTimestamp, flushedTo: at[from] };
    for (const follower of [this.queues, this.index]) {
      await this.world.finish(follower.load(recovery));
      follower.truncate(at[from]);
    }
    this.taken = from;
  }

  take(to: number): void {
    for (; this.taken < to; this.taken++) {
      this.dispatcher.message.parse(log.bytes, at[this.taken], log.bytes.length, false);
      this.dispatcher.prepare();
      this.dispatcher.deliver();
    }
  }

  async check(): Promise<void> {
    for (let n = 0; n < this.taken; n++) {
      const queue = this.queues.existing("T", n % QUEUES);
      assert.ok(queue !== null && queue.locate(Math.floor(n / QUEUES)), `unit of ${n}`);
      assert.equal(unitPhysical(queue.unitBytes, queue.unitAt), at[n]);
    }
    for (let id = 0; id < QUEUES; id++) {
      assert.equal(this.queues.queue("T", id).max, Math.ceil((this.taken - id) / QUEUES), `queue ${id}`);
    }
    for (let n = 0; n < this.taken; n += 7) assert.deepEqual(await this.query(`key${n}`, null), [at[n]], `key ${n}`);
    const tagged = Array.from({ length: this.taken }, (_, n) => n).filter((n) => n % 3 === 1).reverse().slice(0, 64);
    assert.deepEqual(await this.query("tag1", "T"), tagged.map((n) => at[n]));
  }

  query(key: string, type: string | null): Promise<number[]> {
    return this.world.finish(
      new Promise((resolve) => this.index.query("T", key, type, 64, 0, Number.MAX_SAFE_INTEGER, resolve)),
    );
  }
}

for (const powerCut of [false, true]) {
  test(`queues and index are whole again after each of a row of ${powerCut ? "power cuts" : "kills"}, under every seed`, async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const world = simulation({ seed });
      const random = world.random;
      const checkpoint = { index: 0 };
      world.disk.latencyMs.sync = 3;
      let platform = world.platform;
      let flushed = 0;
      for (let crash = 0; crash < 5; crash++) {
        const run = new Run(world, platform, checkpoint);
        await run.open(crash > 0, flushed, checkpoint.index);
        for (let step = 0; step < 3; step++) {
          run.take(Math.min(MESSAGES, run.taken + random.below(60)));
          const mark = run.taken;
          let left = 2;
          const done = (error: Error | null): void => {
            assert.equal(error, null);
            if (--left === 0) flushed = Math.max(flushed, mark);
          };
          run.queues.flush(done);
          run.index.flush(done);
          // More comes while the flush is under way; the last one may be cut short by the crash.
          run.take(Math.min(MESSAGES, run.taken + random.below(20)));
          if (step < 2) await world.advance(500);
          else await world.advance(random.below(40));
        }
        await run.check();
        platform = world.crash({ powerCut });
      }
      const last = new Run(world, platform, checkpoint);
      await last.open(true, flushed, checkpoint.index);
      last.take(MESSAGES);
      await last.check();
    }
  });
}

/** Queues alone, with files of 102 units, on the present process of the world. */
async function queuesOf(world: Simulation, abnormal: boolean): Promise<ConsumeQueues> {
  await world.finish(makeDirectoriesDurably(world.platform.files, ["/s/consumequeue"]));
  const options = { directory: "/s/consumequeue", fileBytes: 2040, memoryBytes: 1 << 20, openFiles: 3 };
  const queues = new ConsumeQueues(world.platform, { minOffset: 0 }, options, quiet);
  await world.finish(queues.load({ abnormal, indexMsgTimestamp: 0, flushedTo: 0 }));
  return queues;
}

function flushed(world: Simulation, queues: ConsumeQueues): Promise<void> {
  return world.finish(
    new Promise((resolve, reject) => queues.flush((error) => error === null ? resolve() : reject(error))),
  );
}

test("what a recovery has cut does not come back with the next power cut", async () => {
  for (let seed = 1; seed <= 30; seed++) {
    const world = simulation({ seed });
    const first = await queuesOf(world, false);
    for (let n = 0; n < 250; n++) first.queue("T", 0).append(n, n * 100, 100, 0, 0);
    await flushed(world, first);
    world.crash({ powerCut: false });
    const second = await queuesOf(world, true);
    second.truncate(7000);
    await flushed(world, second);
    world.crash({ powerCut: true });
    const third = await queuesOf(world, true);
    third.truncate(24_000);
    assert.equal(third.queue("T", 0).max, 70, `seed ${seed}`);
  }
});

test("half of a unit, which looks like one of an older message, is not taken for one", async () => {
  const world = simulation({ seed: 1 });
  const base = 2 ** 32;
  const first = await queuesOf(world, false);
  for (let n = 0; n < 40; n++) first.queue("T", 0).append(n, base + n * 100, 100, 0, 0);
  await flushed(world, first);
  // Of unit 51 only what lies in the file's third sector came to disk: not the high half of its position.
  const file = world.platform.files.open("/s/consumequeue/T/0/00000000000000000000");
  const unit = new Uint8Array(UNIT_BYTES);
  putUnit(unit, 0, base + 5100, 100, 0, 0);
  file.writeAt(unit.subarray(4), 51 * UNIT_BYTES + 4);
  file.close();
  const second = await queuesOf(world, true);
  second.truncate(base + 4000);
  assert.equal(second.queue("T", 0).max, 40);
});
