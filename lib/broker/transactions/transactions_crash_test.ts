import assert from "node:assert/strict";
import test from "node:test";
import { type Simulation, simulation } from "@rmq/platform/simulated";
import { goldenManifest, goldenStore } from "../../../tests/golden/golden.ts";
import { ROOT, TestBroker } from "../_test_broker.ts";
import { COMMIT, Producer, ROLLBACK } from "./_test_producer.ts";

const OP = "RMQ_SYS_TRANS_OP_HALF_TOPIC";
const patient = { channelExpiredTimeout: 1_000_000_000 };

const bodies = async (broker: TestBroker, topic = "T", queueId = 1) =>
  (await broker.read(topic, queueId)).map(({ body }) => body);

async function opened(world: Simulation): Promise<[TestBroker, Producer]> {
  const broker = await TestBroker.open(world, patient, { segmentBytes: 256 * 1024 });
  return [broker, await new Producer(broker, "PG").online()];
}

test("after a clean stop nothing is checked that has ended, and what is open is checked on", async () => {
  const world = simulation({ seed: 2 });
  const [first, producer] = await opened(world);
  const yes = await producer.send("yes");
  const no = await producer.send("no");
  await producer.send("open");
  await producer.end(0, yes, COMMIT);
  await producer.end(1, no, ROLLBACK);
  await world.advance("31s");
  await first.close();
  assert.match(first.file("consumerOffset.json"), /"RMQ_SYS_TRANS_HALF_TOPIC@CID_RMQ_SYS_TRANS":\{\n\t\t\t0:3\n/);
  assert.match(first.file("consumerOffset.json"), /"RMQ_SYS_TRANS_OP_HALF_TOPIC@CID_RMQ_SYS_TRANS":\{\n\t\t\t0:2\n/);
  const [second, again] = await opened(world);
  await world.advance("31s");
  assert.deepEqual(again.checks.map(({ body, halfOffset }) => [body, halfOffset]), [["open", 4]]);
  assert.deepEqual(await bodies(second), ["yes"]);
});

test("an end that was answered outlives a power cut, and what is checked after it is only what was open", async () => {
  const world = simulation({ seed: 3 });
  const [, producer] = await opened(world);
  const yes = await producer.send("yes");
  const no = await producer.send("no");
  await producer.send("open");
  assert.equal((await producer.end(1, no, ROLLBACK)).code, 0);
  assert.equal((await producer.end(0, yes, COMMIT)).code, 0);
  world.crash({ powerCut: true });
  const [second, again] = await opened(world);
  await world.advance("10m");
  assert.deepEqual(await bodies(second), ["yes"]);
  assert.deepEqual([...new Set(again.checks.map(({ body }) => body))], ["open"]);
});

test("an open transaction of a Java broker's store is checked on, and what had ended there stays so", async () => {
  const { messages } = goldenManifest("clean");
  const startMs = Math.max(...messages.map((one) => one.storeTimestamp)) + 1000;
  const world = simulation({ seed: 1, startMs });
  const { files } = world.platform;
  for (const [path, bytes] of goldenStore("store-clean")) {
    if (!/^store\/(commitlog|consumequeue|index|config|checkpoint)/.test(path)) continue;
    const target = path.replace("store", ROOT);
    files.makeDirectory(target.slice(0, target.lastIndexOf("/")));
    files.writeWhole(target, bytes);
  }
  const small = { segmentBytes: 1024 * 1024, consumeQueueFileBytes: 1000, maxHashSlotNum: 100, maxIndexNum: 400 };
  const broker = await TestBroker.open(world, patient, small);
  assert.equal(broker.state.transactionCounts.get("StTrans"), 1);
  const producer = await new Producer(broker, "StTPG").online();
  await world.advance("31s");
  const [{ msgId, halfOffset, body, topic, queueId }] = producer.checks;
  assert.deepEqual([msgId, halfOffset, topic, queueId], ["7F0000014DB44E0E2F2A701B03C4018C", 12, "StTrans", 3]);
  assert.equal(body, "tx unknown");
  producer.decision = COMMIT;
  await world.advance("5m");
  assert.equal(producer.checks.length, 2);
  assert.deepEqual(await bodies(broker, "StTrans", 3), ["tx unknown"]);
  assert.deepEqual(await bodies(broker, "StTrans", 1), ["tx commit"]);
  assert.equal(broker.state.transactionCounts.get("StTrans"), 0);
  await broker.close();
  assert.match(
    broker.file("transactionMetrics"),
    /^\{"dataVersion":\{"counter":6,.*\},"transactionCount":\{"StTrans":\{"count":0,"timeStamp":\d+\}\}\}$/,
  );
});

test("an end that comes while a start still reads what has ended does not undo it", async () => {
  const world = simulation({ seed: 9 });
  const [, producer] = await opened(world);
  let at = -1;
  for (let i = 0; i < 10; i++) {
    at = await producer.send("no");
    assert.equal((await producer.end(i, at, ROLLBACK)).code, 0);
  }
  world.crash({ powerCut: false });
  world.disk.latencyMs.read = 50;
  const second = await TestBroker.open(world);
  await new Producer(second, "PG").end(9, at, COMMIT);
  await world.advance("1s");
  assert.deepEqual(await second.read("T", 1), []);
});

test("op messages as 4.x wrote them are read: one number, no comma", async () => {
  const world = simulation({ seed: 7 });
  const [first, producer] = await opened(world);
  await producer.send("ended");
  await producer.send("open");
  for (const body of ["0", "nonsense", "17,18,", ""]) await first.send(OP, 0, body, { TAGS: "d" });
  await first.send(OP, 0, "1,", { TAGS: "other" });
  await first.close();
  const [, again] = await opened(world);
  await world.advance("31s");
  assert.deepEqual(again.checks.map(({ body }) => body), ["open"]);
});
