import assert from "node:assert/strict";
import { test } from "node:test";
import { parseJson } from "@rmq/protocol";
import type { PeerRequest, Response } from "@rmq/remoting";
import { bytesOf, type GoldenExchange, goldenExchanges } from "../../tests/golden/golden.ts";
import { NamesrvWorld, type Peer, registration, textOf } from "./_namesrv_world.ts";

const probes = goldenExchanges("probe-namesrv");

interface WireHeader {
  readonly code: number;
  readonly version: number;
  readonly remark?: string;
  readonly extFields?: Record<string, string>;
}

const headerOf = (text: string): WireHeader => parseJson(text) as unknown as WireHeader;

function requestOf(exchange: GoldenExchange): PeerRequest {
  const { code, version, extFields } = headerOf(exchange.request!.header_text);
  const body = exchange.request!.body_base64;
  return {
    code,
    version,
    ...(extFields === undefined ? {} : { fields: extFields }),
    ...(body === undefined ? {} : { body: bytesOf(body) }),
  };
}

/** Remarks that hold a Java stack trace are ours to word. */
function sameAnswer(exchange: GoldenExchange, response: Response): void {
  const expected = headerOf(exchange.response!.header_text);
  const name = `${exchange.scenario} (${exchange.code})`;
  assert.equal(response.code, expected.code, name);
  assert.deepEqual(Object.fromEntries(response.fields), expected.extFields ?? {}, name);
  if (!expected.remark?.startsWith("java.")) assert.equal(response.remark, expected.remark ?? null, name);
  const body = exchange.response!.body_base64;
  assert.equal(textOf(response), body === undefined ? "" : new TextDecoder().decode(bytesOf(body)), name);
}

/** Answers of which only a part can be compared: sets in Java's order, and traces of broken registrations. */
const partly: Record<string, (response: Response) => void> = {
  "all-topics": (response) => {
    assert.deepEqual((parseJson(textOf(response)) as { topicList: string[] }).topicList.sort(), ALL_TOPICS);
  },
  "topics-cluster": (response) => {
    assert.deepEqual((parseJson(textOf(response)) as { topicList: string[] }).topicList.sort(), ["FT1", "FT2"]);
  },
  "systopics": (response) => assert.equal(response.code, 0),
  "cluster-after": (response) => {
    const { brokerAddrTable } = parseJson(textOf(response)) as { brokerAddrTable: Record<string, unknown> };
    assert.deepEqual(Object.keys(brokerAddrTable).sort(), ["broker-a", "fone"]);
    const fone = { brokerAddrs: {}, brokerName: "fone", cluster: "FakeC", enableActingMaster: false };
    assert.deepEqual(brokerAddrTable["fone"], fone);
  },
};

const ALL_TOPICS = ["AdmT", "DefaultCluster", "FT1", "FT2", "broker-a"];
const DEFAULT_TOPICS = {
  AdmT: { queues: 4 },
  DefaultCluster: { perm: 7, queues: 16 },
  "broker-a": { perm: 7, queues: 1 },
};

async function replay(peer: Peer, exchange: GoldenExchange): Promise<void> {
  const response = await peer.ask(requestOf(exchange));
  const check = partly[exchange.scenario];
  if (check === undefined) sameAnswer(exchange, response);
  else check(response);
}

const opaqueOf = (exchange: GoldenExchange): number =>
  (parseJson(exchange.request!.header_text) as { opaque: number }).opaque;

test("a day of probes is answered as 5.5.0 answered it", async () => {
  const world = await NamesrvWorld.start();
  await world.client().register({ addr: "127.0.0.1:51911", topics: DEFAULT_TOPICS });
  const main = world.client();
  const slave = world.client();
  const lastOfRun = probes.findIndex((exchange) => exchange.scenario === "comp-route");
  for (const exchange of probes.slice(0, lastOfRun)) {
    const opaque = opaqueOf(exchange);
    if (exchange.scenario.startsWith("cfg")) continue;
    if (opaque === 38) {
      const one = world.client();
      const refused = await one.register({
        name: "fone",
        cluster: "FakeC",
        addr: "127.0.0.1:1113",
        topics: { One: {} },
      });
      assert.deepEqual([refused.code, refused.remark], [1, "register broker failed"]);
      await one.leave();
    }
    if (opaque === 38 || opaque === 40) {
      const alone = world.client();
      await replay(alone, exchange);
      await alone.leave();
      continue;
    }
    // The one with a heartbeat timeout of 3 s goes silent; the other registers again, and is no acting master.
    if (opaque === 41) {
      await world.simulation.advance("10s");
      await slave.ask(requestOf(probes.find((earlier) => opaqueOf(earlier) === 29)!));
    }
    await replay(opaque === 29 || opaque > 40 ? slave : main, exchange);
  }
  await world.namesrv.close();
});

const named = (scenario: string): GoldenExchange[] => probes.filter((exchange) => exchange.scenario === scenario);

test("a slave stands in for its master where that is supported, and keeps its id elsewhere", async () => {
  const world = await NamesrvWorld.start({ supportActingMaster: true });
  const master = world.client();
  const slave = world.client();
  const fields = { enableActingMaster: true };
  const topics = { AdmT: {}, Other: {} };
  await master.register({ addr: "127.0.0.1:52711", topics, fields });
  const answer = await slave.register({ addr: "127.0.0.1:52721", id: 1, topics, fields });
  assert.deepEqual(Object.fromEntries(answer.fields), {
    haServerAddr: "127.0.0.1:52712",
    masterAddr: "127.0.0.1:52711",
  });
  for (const exchange of named("acting-route-before")) await replay(slave, exchange);
  await master.leave();
  for (const scenario of ["acting-members", "acting-cluster"]) {
    for (const exchange of named(scenario)) await replay(slave, exchange);
  }
  await world.namesrv.close();
});

test("system topics, master and slave in one route, and the acting flag are shown as 5.5.0 shows them", async () => {
  const world = await NamesrvWorld.start();
  const broker = world.client();
  const version = { counter: 40, stateVersion: 0, timestamp: 1795370950741 };
  await broker.register({ addr: "127.0.0.1:50911", topics: DEFAULT_TOPICS, version });
  for (const exchange of named("qdv")) await replay(broker, exchange);
  const system = await broker.ask(requestOf(named("systopics-clean")[0]!));
  assert.deepEqual(parseJson(textOf(system)), {
    brokerAddr: "127.0.0.1:50911",
    topicList: ["DefaultCluster", "broker-a"],
  });
  await broker.leave();
  const pair = world.client();
  await pair.register({ addr: "127.0.0.1:53311", topics: { Tnormal: {}, Other: {} } });
  await pair.register({ addr: "127.0.0.1:52811", id: 1, topics: { Tnormal: {}, Other: {} } });
  for (const scenario of ["route-ms", "cluster-ms", "lite-route"]) {
    for (const exchange of named(scenario)) await replay(pair, exchange);
  }
  await pair.leave();
  const acting = world.client();
  await acting.register({ addr: "127.0.0.1:51311", topics: DEFAULT_TOPICS, fields: { enableActingMaster: true } });
  for (const exchange of named("route-acting-flag")) await replay(acting, exchange);
  await world.namesrv.close();
});

test("the config is told with every key of 5.5.0, and the black list is kept", async () => {
  const world = await NamesrvWorld.start();
  const peer = world.client();
  const [golden] = named("cfg-ns-default");
  const keysOf = (text: string) => text.split("\n").filter((line) => line !== "").map((line) => line.split("=")[0]);
  const expected = keysOf(new TextDecoder().decode(bytesOf(golden!.response!.body_base64!)));
  const present = keysOf(textOf(await peer.ask(requestOf(golden!))));
  const paths = ["configStorePath", "kvConfigPath"];
  assert.deepEqual(present, expected.filter((key) => !paths.includes(key!)));
  for (const scenario of ["cfg-upd-black", "cfg-upd-unknown", "cfg-upd-empty"]) {
    for (const exchange of named(scenario)) await replay(peer, exchange);
  }
  await world.namesrv.close();
});

test("registrations of a real broker are taken with all their topics", async () => {
  const world = await NamesrvWorld.start();
  const real = goldenExchanges("namesrv").filter((exchange) =>
    exchange.code === 103 && exchange.request!.body_cut !== true
  );
  assert.ok(real.length > 2);
  for (const exchange of real) {
    const broker = world.client();
    const { fields } = requestOf(exchange);
    const warmUp = { name: String(fields!["brokerName"]), addr: String(fields!["brokerAddr"]) };
    await broker.ask(registration({ ...warmUp, id: Number(fields!["brokerId"]) }));
    const response = await broker.ask(requestOf(exchange));
    assert.equal(response.code, 0, exchange.scenario);
    const body = parseJson(new TextDecoder().decode(bytesOf(exchange.request!.body_base64!))) as unknown as {
      topicConfigSerializeWrapper: { topicConfigTable: Record<string, unknown> };
    };
    const topics = Object.keys(body.topicConfigSerializeWrapper.topicConfigTable);
    if (Number(fields!["brokerId"]) === 0) {
      for (const topic of topics) assert.notEqual(await broker.route(topic), null, topic);
    }
    await broker.leave();
  }
  await world.namesrv.close();
});
