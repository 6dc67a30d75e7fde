import assert from "node:assert/strict";
import { test } from "node:test";
import { type Header, RequestCode } from "@rmq/protocol";
import { startServer } from "@rmq/remoting";
import { jsonOf, NamesrvWorld, textOf } from "./_namesrv_world.ts";

const { UNREGISTER_BROKER, BROKER_HEARTBEAT, QUERY_DATA_VERSION } = RequestCode;
const quiet = { info: () => {}, warn: () => {}, error: () => {} };

test("a broker that says nothing for two minutes is forgotten with its topics", async () => {
  const world = await NamesrvWorld.start({ serverChannelMaxIdleTimeSeconds: 3600 });
  const silent = world.client();
  const heard = world.client();
  const asker = world.client();
  await silent.register({ name: "silent", addr: "10.0.0.8:10911", topics: { A: {}, B: {} } });
  await heard.register({ name: "heard", addr: "10.0.0.9:10911", topics: { B: {}, C: {} } });
  const alive = { clusterName: "DefaultCluster", brokerAddr: "10.0.0.9:10911", brokerName: "heard", brokerId: 0 };
  await world.simulation.advance("100s");
  await heard.ask({ code: BROKER_HEARTBEAT, fields: alive });
  await world.simulation.advance("40s");
  assert.equal(await asker.route("A"), null);
  assert.equal((await asker.route("B"))!["queueDatas"]!.toString().length > 0, true);
  assert.notEqual(await asker.route("C"), null);
  await heard.ask({ code: QUERY_DATA_VERSION, fields: alive });
  await world.simulation.advance("115s");
  assert.notEqual(await asker.route("C"), null);
  await world.simulation.advance("20s");
  assert.equal(await asker.route("C"), null);
  assert.deepEqual(jsonOf(await asker.ask({ code: 106 })), { brokerAddrTable: {}, clusterAddrTable: {} });
  await world.namesrv.close();
});

test("a broker whose connection closes is forgotten at once, and so is one that takes its leave", async () => {
  const world = await NamesrvWorld.start();
  const one = world.client();
  const other = world.client();
  await one.register({ name: "one", addr: "10.0.0.8:10911", topics: { A: {}, Both: {} } });
  await other.register({ name: "other", addr: "10.0.0.9:10911", topics: { B: {}, Both: {} } });
  await one.leave();
  const asker = world.client();
  assert.equal(await asker.route("A"), null);
  assert.deepEqual((await asker.route("Both"))!["brokerDatas"], [{
    brokerAddrs: { "0": "10.0.0.9:10911" },
    brokerName: "other",
    cluster: "DefaultCluster",
    enableActingMaster: false,
  }]);
  const leaving = { clusterName: "DefaultCluster", brokerAddr: "10.0.0.9:10911", brokerName: "other", brokerId: 0 };
  assert.equal((await other.ask({ code: UNREGISTER_BROKER, fields: leaving })).code, 0);
  assert.equal(await asker.route("Both"), null);
  await world.namesrv.close();
});

test("the same id at another address gives way only to a state version that is not older", async () => {
  const world = await NamesrvWorld.start();
  const old = world.client();
  const fresh = world.client();
  const at = (stateVersion: number) => ({ counter: 1, stateVersion, timestamp: 1 });
  await old.register({ addr: "10.0.0.1:1", version: at(5) });
  await fresh.register({ addr: "10.0.0.2:1", version: at(4) });
  const addrs = async () => ((await old.route("T1"))!["brokerDatas"] as { brokerAddrs: unknown }[])[0]!.brokerAddrs;
  assert.deepEqual(await addrs(), { "0": "10.0.0.1:1" });
  await fresh.register({ addr: "10.0.0.2:1", version: at(6) });
  assert.deepEqual(await addrs(), { "0": "10.0.0.2:1" });
  await world.namesrv.close();
});

test("an address that registers under another id gives the old id up", async () => {
  const world = await NamesrvWorld.start();
  const broker = world.client();
  await broker.register({ id: 0, addr: "10.0.0.1:1" });
  await broker.register({ id: 1, addr: "10.0.0.2:1" });
  await broker.register({ id: 0, addr: "10.0.0.2:1", version: { counter: 9, stateVersion: 9, timestamp: 9 } });
  const [data] = (await broker.route("T1"))!["brokerDatas"] as { brokerAddrs: unknown }[];
  assert.deepEqual(data!.brokerAddrs, { "0": "10.0.0.2:1" });
  await world.namesrv.close();
});

/** Lets the runtime's own events through. */

test("order config goes to brokers always and to clients when order messages are enabled", async () => {
  const world = await NamesrvWorld.start({ orderMessageEnable: true });
  const broker = world.client();
  const fields = { namespace: "ORDER_TOPIC_CONFIG", key: "T1", value: "broker-a:4" };
  assert.equal(textOf(await broker.register()), "");
  await broker.ask({ code: 100, fields });
  assert.equal(textOf(await broker.register()), '{"table":{"T1":"broker-a:4"}}');
  assert.equal((await broker.route("T1"))!["orderTopicConf"], "broker-a:4");
  assert.equal((await broker.route("T2"))!["orderTopicConf"], undefined);
  await world.namesrv.close();
});

test("what was put is there after a power cut", async () => {
  const world = new NamesrvWorld(7);
  const settings = { kvConfigPath: "/data/namesrv/kvConfig.json" };
  await world.start(settings);
  const before = world.client();
  for (let i = 0; i < 5; i++) {
    await before.ask({ code: 100, fields: { namespace: "N", key: `k${i}`, value: `v "${i}"` } });
  }
  await before.ask({ code: 102, fields: { namespace: "N", key: "k0" } });
  world.platform = world.simulation.crash({ powerCut: true });
  await world.start(settings);
  const list = jsonOf(await world.client().ask({ code: 219, fields: { namespace: "N" } }));
  assert.deepEqual(list["table"], { k1: 'v "1"', k2: 'v "2"', k3: 'v "3"', k4: 'v "4"' });
  await world.namesrv.close();
});

test("a route is refused while the name server waits for brokers", async () => {
  const world = await NamesrvWorld.start({ needWaitForService: true, waitSecondsForService: 45 });
  const broker = world.client();
  await broker.register();
  const early = await broker.ask({ code: 105, fields: { topic: "T1" } });
  assert.deepEqual([early.code, early.remark], [1, "name server not ready"]);
  await world.simulation.advance("46s");
  assert.notEqual(await broker.route("T1"), null);
  await world.namesrv.close();
});

test("a client that came over loopback gets loopback for a broker of this host only", async () => {
  const world = await NamesrvWorld.start();
  const { host } = world.simulation.machine;
  const elsewhere = world.simulation.addMachine("elsewhere");
  await world.client().register({ name: "here", addr: `${host}:10911`, topics: { Here: {}, X: {} } });
  const remoteBroker = world.client(elsewhere.platform);
  await remoteBroker.register({ name: "there", addr: `${elsewhere.host}:10911`, topics: { There: {}, X: {} } });
  const addrOf = async (peer: typeof remoteBroker, topic: string) => {
    const [data] = (await peer.route(topic))!["brokerDatas"] as { brokerAddrs: Record<string, string> }[];
    return data!.brokerAddrs["0"];
  };
  const near = world.client();
  assert.equal(await addrOf(near, "Here"), "127.0.0.1:10911");
  assert.equal(await addrOf(near, "There"), `${elsewhere.host}:10911`);
  const far = world.client(elsewhere.platform);
  assert.equal(await addrOf(far, "Here"), `${host}:10911`);
  const clusters = jsonOf(await near.ask({ code: 106 }))["brokerAddrTable"] as Record<string, { brokerAddrs: unknown }>;
  assert.deepEqual(clusters["here"]!.brokerAddrs, { "0": "127.0.0.1:10911" });
  await world.namesrv.close();
});

test("the config is changed from this host, not from another, and is kept in its file", async () => {
  const path = "/data/namesrv.conf";
  const world = await NamesrvWorld.start({ configStorePath: path });
  const body = new TextEncoder().encode("enableTopicList=false\nwaitSecondsForService=x\n# comment\nunknown=1\n");
  const elsewhere = world.simulation.addMachine("elsewhere");
  assert.equal((await world.client(elsewhere.platform).ask({ code: 318, body })).code, 16);
  const here = world.client();
  assert.equal((await here.ask({ code: 318, body })).code, 0);
  assert.equal(world.namesrv.settings.enableTopicList, false);
  assert.equal(world.namesrv.settings.waitSecondsForService, 45);
  for (const code of [224, 311, 312, 313]) {
    const refused = await here.ask({ code, fields: { cluster: "DefaultCluster" } });
    assert.deepEqual([refused.code, refused.remark], [1, "disable"]);
  }
  const kept = new TextDecoder().decode(world.platform.files.readWhole(path)!);
  assert.match(kept, /^enableTopicList=false$/m);
  await world.namesrv.close();
});

test("unit lists go by the flags of a topic", async () => {
  const world = await NamesrvWorld.start();
  const broker = world.client();
  await broker.register({
    topics: { Plain: {}, Unit: { topicSysFlag: 1 }, Sub: { topicSysFlag: 2 }, Both: { topicSysFlag: 3 } },
  });
  assert.deepEqual(await broker.topicList(311), ["Both", "Unit"]);
  assert.deepEqual(await broker.topicList(312), ["Both", "Sub"]);
  assert.deepEqual(await broker.topicList(313), ["Sub"]);
  assert.deepEqual(await broker.topicList(224, { cluster: "DefaultCluster" }), ["Both", "Plain", "Sub", "Unit"]);
  await world.namesrv.close();
});

test("a list of many topics is whole, the same for all who ask at once, and new after a change", async () => {
  const world = await NamesrvWorld.start();
  const broker = world.client();
  const names = Array.from({ length: 12_001 }, (_, i) => `topic-${String(i).padStart(6, "0")}`);
  await broker.register({ topics: Object.fromEntries(names.map((name) => [name, {}])) });
  const asked = [broker.begin({ code: 206 }), broker.begin({ code: 206 })];
  const [first, second] = await world.simulation.finish(Promise.all(asked));
  assert.deepEqual((jsonOf(first!)["topicList"] as string[]).sort(), names);
  assert.deepEqual(first!.body, second!.body);
  await broker.ask({ code: 216, fields: { topic: "topic-000000" } });
  assert.deepEqual(await broker.topicList(206), names.slice(1));
  await world.namesrv.close();
});

test("zones: the client's own, and brokers without a master", async () => {
  const world = await NamesrvWorld.start();
  const brokers = [["a", 0, "z1"], ["b", 0, "z2"], ["c", 1, "z2"]] as const;
  for (const [name, id, zone] of brokers) {
    const addr = `10.0.0.${name.charCodeAt(0)}:1`;
    const fields = { __ZONE_NAME: zone, enableActingMaster: false };
    await world.client().register({ name, id, addr, fields });
  }
  const asker = world.client();
  const fields = { topic: "T1", __ZONE_MODE: "true", __ZONE_NAME: "Z1" };
  const route = jsonOf(await asker.ask({ code: 105, fields }));
  assert.deepEqual((route["brokerDatas"] as { brokerName: string }[]).map((data) => data.brokerName), ["a", "c"]);
  assert.deepEqual((route["queueDatas"] as { brokerName: string }[]).map((data) => data.brokerName), ["a", "c"]);
  await world.namesrv.close();
});

test("brokers are told on their own ports when the smallest id changed", async () => {
  const world = await NamesrvWorld.start({ notifyMinBrokerIdChanged: true });
  const told: string[] = [];
  const listen = async (port: number) => {
    const handlers = new Map([[905, (header: Header) => {
      const fields = Object.fromEntries(header.extEntries());
      told.push(`${port} ${JSON.stringify(fields, Object.keys(fields).sort())}`);
    }]]);
    await world.simulation.finish(startServer(world.platform, { host: "127.0.0.1", port, handlers }, quiet));
  };
  for (const port of [52711, 52721]) await listen(port);
  const fields = { enableActingMaster: true };
  const master = world.client();
  const slave = world.client();
  await slave.register({ id: 1, addr: "127.0.0.1:52721", fields });
  await master.register({ id: 0, addr: "127.0.0.1:52711", fields });
  await world.simulation.advance("1s");
  const joined = '{"haBrokerAddr":"127.0.0.1:52712","minBrokerAddr":"127.0.0.1:52711","minBrokerId":"0"}';
  assert.deepEqual(told, [`52721 ${joined}`]);
  await master.leave();
  await world.simulation.advance("1s");
  const lost = '{"minBrokerAddr":"127.0.0.1:52721","minBrokerId":"1","offlineBrokerAddr":"127.0.0.1:52711"}';
  assert.deepEqual(told.slice(1), [`52721 ${lost}`]);
  await world.namesrv.close();
});

test("name servers side by side know nothing of each other", async () => {
  const world = await NamesrvWorld.start();
  const broker = world.client();
  await broker.register();
  const first = world.namesrv;
  Object.defineProperty(world, "port", { value: 9877 });
  await world.start({ listenPort: 9877 });
  assert.equal(await world.client().route("T1"), null);
  assert.notEqual(await broker.route("T1"), null);
  await first.close();
  await world.namesrv.close();
});
