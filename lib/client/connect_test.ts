import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeCluster } from "./_fake_cluster.ts";
import { ClientError } from "./client_error.ts";
import { connect } from "./connect.ts";

const code = (wanted: string) => (error: unknown) => error instanceof ClientError && error.code === wanted;

test("when no name server answers, connect rejects in time", async () => {
  const cluster = await FakeCluster.start();
  await cluster.stopNameServer(0);
  const { clock } = cluster.world;
  const startedMs = clock.nowMs();
  let endedMs = 0;
  const connecting = connect(cluster.addresses, { platform: cluster.platform });
  connecting.catch(() => endedMs = clock.nowMs());
  await assert.rejects(cluster.world.finish(connecting), (error) => {
    assert.ok(error instanceof ClientError);
    assert.deepEqual([error.code, error.retriable], ["NAMESRV_UNREACHABLE", true]);
    return true;
  });
  assert.ok(endedMs - startedMs <= 3000, `${endedMs - startedMs} ms`);
});

test("a name server that comes up while connecting is found", async () => {
  const cluster = await FakeCluster.start();
  await cluster.stopNameServer(0);
  const connecting = connect(cluster.addresses, { platform: cluster.platform });
  await cluster.world.advance(1000);
  await cluster.startNameServer(0);
  const mq = await cluster.world.finish(connecting);
  await cluster.world.finish(mq.close());
});

test("with one name server dead and one silent, the third serves", async () => {
  for (const seed of [1, 2, 3, 4]) {
    const cluster = await FakeCluster.start({ seed, nameServers: 3 });
    await cluster.stopNameServer(0);
    cluster.cutOff(cluster.nameServers[1].machine);
    const mq = await cluster.connect();
    assert.equal(mq.status().nameServer, cluster.addresses[2]);
    await cluster.world.finish(mq.send("T", "x"));
    await cluster.world.finish(mq.close());
  }
});

test("an aborted connect rejects", async () => {
  const cluster = await FakeCluster.start();
  cluster.cutOff(cluster.nameServers[0].machine);
  const stop = new AbortController();
  const connecting = connect(cluster.addresses, { platform: cluster.platform, signal: stop.signal });
  const outcome = assert.rejects(connecting, code("ABORTED"));
  await cluster.world.advance(100);
  stop.abort();
  await cluster.world.finish(outcome);
});

test("routes are polled, and a topic that moves is sent to where it is", async () => {
  const cluster = await FakeCluster.start({ brokers: 2 });
  const [a, b] = cluster.brokers;
  cluster.routed = [a];
  const { world } = cluster;
  const mq = await cluster.connect();
  await world.finish(mq.send("T", "1"));
  cluster.routed = [b];
  await world.advance("31s");
  await world.finish(mq.send("T", "2"));
  assert.deepEqual([a.bodies, b.bodies], [["1"], ["2"]]);
  await world.finish(mq.close());
});

test("one look-up serves all who wait for the same route, and unused routes are forgotten", async () => {
  const cluster = await FakeCluster.start();
  const { world } = cluster;
  const mq = await cluster.connect();
  const before = cluster.nameServers[0].asked;
  await world.finish(Promise.all([1, 2, 3].map((i) => mq.send("T", `${i}`))));
  assert.equal(cluster.nameServers[0].asked, before + 1);
  assert.deepEqual(mq.status().topics, ["T"]);
  await world.advance("15m");
  assert.deepEqual(mq.status().topics, []);
  await world.finish(mq.close());
});

test("a topic that does not exist is sent to where brokers will make it, and its own route is looked for", async () => {
  const cluster = await FakeCluster.start();
  const { world } = cluster;
  const mq = await cluster.connect();
  const { queue } = await world.finish(mq.send("new", "x"));
  assert.equal(queue.topic, "new");
  cluster.topics.add("new");
  const before = cluster.nameServers[0].asked;
  await world.advance("1.1s");
  assert.equal(cluster.nameServers[0].asked, before + 1);
  cluster.topics.delete("TBW102");
  await world.finish(mq.send("new", "y"));
  await assert.rejects(world.finish(mq.send("other", "x")), code("TOPIC_NOT_FOUND"));
  await world.finish(mq.close());
});

test("brokers hear of the producer group, new ones at once, and of its end", async () => {
  const cluster = await FakeCluster.start({ brokers: 2 });
  const [a, b] = cluster.brokers;
  cluster.routed = [a];
  const { world } = cluster;
  const mq = await cluster.connect({ producerGroup: "G", clientId: "me" });
  await world.finish(mq.send("T", "1"));
  await world.settle();
  assert.equal(a.heartbeats.length, 1);
  const told = JSON.parse(a.heartbeats[0]);
  assert.deepEqual([told.clientID, told.producerDataSet, told.withoutSub], ["me", [{ groupName: "G" }], false]);
  await world.advance("30s");
  assert.equal(a.heartbeats.length, 2);
  cluster.routed = [a, b];
  await world.advance("30s");
  assert.ok(b.heartbeats.length >= 1);
  await world.finish(mq.close());
  assert.deepEqual([a.unregistered, b.unregistered], [["G"], ["G"]]);
  await assert.rejects(mq.send("T", "x"), code("CLOSED"));
});

test("a name server outage changes nothing for known topics", async () => {
  const cluster = await FakeCluster.start();
  const { world } = cluster;
  const mq = await cluster.connect();
  await world.finish(mq.send("T", "1"));
  await cluster.stopNameServer(0);
  await world.advance("5m");
  await world.finish(mq.send("T", "2"));
  assert.deepEqual(cluster.brokers[0].bodies, ["1", "2"]);
  assert.equal(cluster.log.lines.filter((line) => line === "no name server answers").length, 1, "it is said once");
  await world.finish(mq.close());
});
