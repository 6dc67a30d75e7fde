import assert from "node:assert/strict";
import test from "node:test";
import { parseJson } from "@rmq/protocol";
import { simulation } from "@rmq/platform/simulated";
import { goldenStore } from "../../../tests/golden/golden.ts";
import { ROOT, TestBroker } from "../_test_broker.ts";

/** A world whose broker finds this subscriptionGroup.json. */
function worldWith(text: string | Uint8Array) {
  const world = simulation({ seed: 1 });
  const { files } = world.platform;
  files.makeDirectory(`${ROOT}/config`);
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  files.writeWhole(`${ROOT}/config/subscriptionGroup.json`, bytes);
  return world;
}

test("subscriptionGroup.json of a Java broker is read, and written back with the same contents", async () => {
  const java = goldenStore("store-clean").get("store/config/subscriptionGroup.json") as Uint8Array;
  const broker = await TestBroker.open(worldWith(java));
  await broker.ask(200, {}, '{"groupName":"Added"}');
  const before = (parseJson(java) as Record<string, Record<string, unknown>>).subscriptionGroupTable;
  const after = JSON.parse(broker.file("subscriptionGroup.json")).subscriptionGroupTable;
  for (const [name, config] of Object.entries(before)) assert.deepEqual(after[name], config, name);
  assert.equal(after.Added.retryMaxTimes, 16);
});

test("what a group may not read is kept over a restart, with its retry policy and subscriptions", async () => {
  const config = '{"groupName":"G","groupRetryPolicy":{"type":"EXPONENTIAL","exponentialRetryPolicy":{"initial":1,' +
    '"max":9,"multiplier":3}},"subscriptionDataSet":[{"topic":"T","expressionType":"TAG","expression":"*","version":1}]}';
  const text = `{"dataVersion":{"counter":7,"stateVersion":0,"timestamp":5},"forbiddenTable":{"G":{"T":3}},` +
    `"subscriptionGroupTable":{"G":${config}}}`;
  const world = worldWith(text);
  const first = await TestBroker.open(world);
  await first.ask(200, {}, '{"groupName":"Other"}');
  await first.close();
  const { groups } = (await TestBroker.open(world)).state;
  assert.equal(groups.forbidden("G", "T"), 3);
  assert.equal(groups.forbidden("G", "U"), 0);
  assert.deepEqual(groups.get("G")?.config.groupRetryPolicy.exponential, { initial: 1, max: 9, multiplier: 3 });
  assert.equal(groups.get("G")?.config.subscriptionDataSet?.[0].topic, "T");
  assert.equal(groups.dataVersion.counter, 8);
});

test("groups make themselves only where that is allowed, and only with names that can be", async () => {
  const { groups } = (await TestBroker.open(undefined, { autoCreateSubscriptionGroup: false })).state;
  assert.equal(groups.ensure("G"), null);
  assert.equal(groups.ensure("CID_RMQ_SYS_X")?.name, "CID_RMQ_SYS_X");
  const open = (await TestBroker.open()).state.groups;
  assert.equal(open.ensure("bad name"), null);
  assert.equal(open.ensure("G")?.config.consumeBroadcastEnable, true);
});

test("a file that is broken gives way to its .bak", async () => {
  const world = worldWith('{"subscriptionGroupTable":{"G":');
  const bak = '{"subscriptionGroupTable":{"FromBak":{"groupName":"FromBak"}}}';
  world.platform.files.writeWhole(`${ROOT}/config/subscriptionGroup.json.bak`, new TextEncoder().encode(bak));
  const { groups } = (await TestBroker.open(world)).state;
  assert.notEqual(groups.get("FromBak"), null);
});
