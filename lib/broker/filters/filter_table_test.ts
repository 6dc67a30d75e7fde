import assert from "node:assert/strict";
import { test } from "node:test";
import { simulation } from "@rmq/platform/simulated";
import { Peer, TestBroker } from "../_test_broker.ts";

function subscription(topic: string, subString: string, subVersion: number, expressionType = "SQL92") {
  return { topic, subString, subVersion, expressionType, tagsSet: [], codeSet: [], classFilterMode: false };
}

/** A heartbeat of group G with these subscriptions. */
async function heartbeat(broker: TestBroker, peer: Peer, ...subscriptionDataSet: unknown[]): Promise<void> {
  const consumer = {
    groupName: "G",
    consumeType: "CONSUME_PASSIVELY",
    messageModel: "CLUSTERING",
    subscriptionDataSet,
  };
  const body = JSON.stringify({ clientID: "c", consumerDataSet: [consumer], producerDataSet: [] });
  assert.equal((await broker.ask(34, {}, body, peer)).code, 0);
}

test("a filter is kept in consumerFilter.json as Java keeps it, and is there after a start", async () => {
  const world = simulation({ seed: 1 });
  const first = await TestBroker.open(world);
  const bornTime = world.platform.clock.nowMs();
  await heartbeat(first, new Peer("c"), subscription("T", "a > 'x' OR \"", 1), subscription("T2", "a > 1", 7));
  await world.advance("10s");
  const data = `"bloomFilterData":{"bitNum":112,"bitPos":[${first.state.filters.get("T2", "G")?.bloom.bitPos}]},` +
    `"bornTime":${bornTime},"clientVersion":7,"consumerGroup":"G","dead":false,"deadTime":0,"expression":"a > 1",` +
    `"expressionType":"SQL92","topic":"T2"`;
  const expected = `{"filterDataByTopic":{"T2":{"groupFilterData":{"G":{${data}}},"topic":"T2"}}}`;
  assert.deepEqual(JSON.parse(first.file("consumerFilter.json")), JSON.parse(expected));
  assert.match(
    first.file("consumerFilter.json"),
    /^\{\n\t"filterDataByTopic":\{\n\t\t"T2":\{\n\t\t\t"groupFilterData":\{\n\t\t\t\t"G":\{\n/,
  );
  await first.close();

  const second = await TestBroker.open(world);
  const kept = second.state.filters.get("T2", "G");
  assert.equal(kept?.filter.expression, "a > 1");
  // All consumers count as gone when a broker starts, but for less than no time.
  assert.equal(kept?.deadTime, bornTime);
  const peer = new Peer("c");
  await heartbeat(second, peer, subscription("T2", "a > 1", 7));
  assert.equal(second.state.filters.get("T2", "G")?.deadTime, 0);
  await second.close();
});

test("a filter dies with its subscription or its group, lives again, and is forgotten some time later", async () => {
  const broker = await TestBroker.open(simulation({ seed: 1 }), { filterDataCleanTimeSpan: 60_000 });
  const { filters } = broker.state;
  const peer = new Peer("c");
  const alive = () => ["T1", "T2"].map((topic) => filters.get(topic, "G")?.deadTime === 0);
  await heartbeat(broker, peer, subscription("T1", "a = 1", 1), subscription("T2", "a = 2", 1));
  assert.deepEqual(alive(), [true, true]);
  await heartbeat(broker, peer, subscription("T1", "a = 1", 1));
  assert.deepEqual(alive(), [true, false]);
  await broker.ask(35, { clientID: "c", consumerGroup: "G" }, "", peer);
  assert.deepEqual(alive(), [false, false]);
  await broker.world.advance("1s");
  await heartbeat(broker, peer, subscription("T1", "a = 1", 2), subscription("T2", "", 1, "TAG"));
  assert.deepEqual(alive(), [true, false]);
  await broker.world.advance("50s");
  assert.notEqual(filters.get("T2", "G"), null);
  await broker.world.advance("20s");
  assert.deepEqual([filters.get("T1", "G")?.clientVersion, filters.get("T2", "G")], [2, null]);
  await broker.close();
});

test("older versions change nothing, newer ones everything", async () => {
  const broker = await TestBroker.open();
  const { filters } = broker.state;
  const register = (text: string, version: number, type = "SQL92") => {
    filters.register("G", [subscription("T", text, version, type)]);
    return filters.get("T", "G")?.filter.expression ?? null;
  };
  assert.equal(register("a = 1", 5), "a = 1");
  assert.equal(register("a = 2", 5), "a = 1");
  assert.equal(register("a = 3", 4), "a = 1");
  assert.equal(register("a = 4", 6), "a = 4");
  assert.equal(register("", 7), "a = 4");
  assert.equal(register("a = 4", 8, "GROOVY"), null);
  await broker.close();
});

test("no more filters are registered than allowed", async () => {
  const broker = await TestBroker.open(simulation({ seed: 2 }), { maxFilters: 2 });
  const { filters } = broker.state;
  for (const group of ["G1", "G2", "G3"]) filters.register(group, [subscription("T", "a = 1", 1)]);
  assert.deepEqual(["G1", "G2", "G3"].map((group) => filters.get("T", group) !== null), [true, true, false]);
  filters.register("G1", [subscription("T", "a = 2", 2)]);
  assert.equal(filters.get("T", "G1")?.filter.expression, "a = 2");
  await broker.close();
});

test("a file with nonsense in it loses that row only", async () => {
  const world = simulation({ seed: 3 });
  const row = (group: string, expression: string) =>
    `"${group}":{"bornTime":5,"clientVersion":1,"consumerGroup":"${group}","deadTime":0,"expression":"${expression}",` +
    `"expressionType":"SQL92","topic":"T"}`;
  const text = `{"filterDataByTopic":{"T":{"groupFilterData":{${row("A", "x >")},${row("B", "x > 1")}},"topic":"T"}}}`;
  const { files } = world.platform;
  files.makeDirectory("/data/store/config");
  const file = files.open("/data/store/config/consumerFilter.json", { create: true });
  file.writeAt(new TextEncoder().encode(text), 0);
  file.close();
  const broker = await TestBroker.open(world);
  const { filters } = broker.state;
  assert.deepEqual([filters.get("T", "A"), filters.get("T", "B")?.filter.expression], [null, "x > 1"]);
  await broker.close();
});
