import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import { simulation } from "@rmq/platform/simulated";
import { crc32, RequestCode } from "@rmq/protocol";
import { NamesrvWorld, registration, registrationBody, textOf, type Topics } from "./_namesrv_world.ts";
import { readRegistrationBody } from "./registration_body.ts";
import { readInSlices } from "./registration_slices.ts";
import type { RegistrationBody } from "./route_types.ts";

const { REGISTER_BROKER } = RequestCode;

test("a topic table of an equal version changes nothing, one of a newer version does", async () => {
  const world = await NamesrvWorld.start();
  const broker = world.client();
  const queues = async (): Promise<unknown> => {
    const route = await broker.route("T1");
    return (route!["queueDatas"] as { readQueueNums: number }[])[0]!.readQueueNums;
  };
  await broker.register({ topics: { T1: { queues: 4 }, T2: {} } });
  await broker.register({ topics: { T1: { queues: 8 }, T2: {}, New: {} } });
  assert.equal(await queues(), 4);
  assert.notEqual(await broker.route("New"), null);
  const version = { counter: 2, stateVersion: 0, timestamp: 1_700_000_000_000 };
  await broker.register({ topics: { T1: { queues: 8 } }, version });
  assert.equal(await queues(), 8);
  await world.namesrv.close();
});

test("a registration that repeats the last one keeps the broker alive and brings back what was deleted", async () => {
  const world = await NamesrvWorld.start({ serverChannelMaxIdleTimeSeconds: 3600 });
  const broker = world.client();
  await broker.register();
  for (let i = 0; i < 4; i++) {
    await world.simulation.advance("100s");
    assert.deepEqual([...(await broker.register()).fields], []);
  }
  assert.notEqual(await broker.route("T1"), null);
  await broker.ask({ code: 216, fields: { topic: "T1" } });
  assert.equal(await broker.route("T1"), null);
  await broker.register();
  assert.notEqual(await broker.route("T1"), null);
  const slave = { id: 1, addr: "10.0.0.7:10911", fields: { enableActingMaster: true } };
  const other = world.client();
  for (let i = 0; i < 2; i++) {
    const answer = await other.register(slave);
    assert.equal(answer.fields.get("masterAddr"), "10.0.0.9:10911");
  }
  await broker.leave();
  await other.register(slave);
  const [data] = (await other.route("T1"))!["queueDatas"] as { perm: number }[];
  assert.equal(data!.perm, 4);
  await world.namesrv.close();
});

test("a compressed registration is read, and one that inflates to nonsense is refused", async () => {
  const world = await NamesrvWorld.start();
  const broker = world.client();
  const counted = (text: string): Uint8Array => {
    const bytes = new TextEncoder().encode(text);
    const all = new Uint8Array(4 + bytes.length);
    new DataView(all.buffer).setInt32(0, bytes.length);
    all.set(bytes, 4);
    return all;
  };
  const int = (value: number): Uint8Array => Uint8Array.of(value >> 24, value >> 16, value >> 8, value);
  const mapping =
    '{"bname":"broker-a","currIdMap":{0:0,1:1},"dirty":false,"epoch":3,"scope":"__global__","topic":"S",' +
    '"totalQueues":2}';
  const parts = [
    counted('{"counter":1,"stateVersion":0,"timestamp":7}'),
    int(2),
    counted("CT1 4 4 6 SINGLE_TAG {}"),
    counted("CT2 8 2 4 SINGLE_TAG"),
    counted("[]"),
    int(1),
    counted(mapping),
  ];
  const ask = async (plain: Uint8Array) => {
    const body = new Uint8Array(deflateSync(plain));
    const fields = { ...registration().fields, compressed: true, bodyCrc32: crc32(body, 0, body.length) };
    return await broker.begin({ code: REGISTER_BROKER, fields, body });
  };
  // Inflating is the machine's work, not the simulation's, so the answer is waited for in real time.
  const answered = async (plain: Uint8Array) => {
    const pending = ask(plain);
    let response: Awaited<typeof pending> | null = null;
    pending.then((value) => response = value);
    while (response === null) {
      await world.simulation.settle();
      await new Promise<void>((resolve) => deflateAgain(resolve));
    }
    return response as Awaited<typeof pending>;
  };
  assert.equal((await answered(concat(parts))).code, 0);
  assert.deepEqual((await broker.route("CT2"))!["queueDatas"], [
    { brokerName: "broker-a", perm: 4, readQueueNums: 8, topicSysFlag: 0, writeQueueNums: 2 },
  ]);
  const refused = await answered(concat(parts.slice(0, 3)));
  assert.equal(refused.code, 1);
  assert.match(refused.remark!, /^BodyError: /);
  await world.namesrv.close();
});

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function deflateAgain(resolve: () => void): void {
  import("node:zlib").then(({ deflate }) => deflate("x", () => resolve()));
}

test("mappings of static topics are shown with ids as the client reads them", async () => {
  const world = await NamesrvWorld.start();
  const broker = world.client();
  const text = new TextDecoder().decode(registrationBody({ topics: { S: {}, T: {} } }));
  const mapping = '"topicQueueMappingInfoMap":{"S":{"bname":"broker-a","currIdMap":{0:0,1:1},"dirty":false,"epoch":3,' +
    '"scope":"__global__","topic":"S","totalQueues":2}}';
  const body = new TextEncoder().encode(text.replace('"topicConfigTable"', `${mapping},"topicConfigTable"`));
  assert.equal((await broker.ask({ ...registration(), body })).code, 0);
  const shown = async (version: number) =>
    textOf(await broker.ask({ code: 105, fields: { topic: "S" }, version })).match(/"currIdMap":\{[^}]*\}/)![0];
  assert.equal(await shown(513), '"currIdMap":{"0":0,"1":1}');
  assert.equal(await shown(399), '"currIdMap":{0:0,1:1}');
  await world.namesrv.close();
});

test("bodies that cannot be read are refused, and the name server goes on", async () => {
  const world = await NamesrvWorld.start();
  const broker = world.client();
  for (const body of ["{", "nonsense", "\u0000\u0001", '{"a":', "[".repeat(5000)]) {
    const response = await broker.ask({ ...registration(), body: new TextEncoder().encode(body) });
    assert.equal(response.code, 1, body.slice(0, 20));
  }
  for (const body of ["[]", "3", "null", "{}", '{"topicConfigSerializeWrapper":7}']) {
    const response = await broker.ask({ ...registration(), body: new TextEncoder().encode(body) });
    assert.equal(response.code, 0, body);
  }
  const noId = { ...registration().fields };
  delete noId["brokerId"];
  assert.equal((await broker.ask({ code: REGISTER_BROKER, fields: noId })).code, 1);
  assert.equal((await broker.ask({ code: 217, fields: { topic: "T" }, body: Uint8Array.of(1, 2) })).code, 1);
  await broker.register();
  assert.notEqual(await broker.route("T1"), null);
  await world.namesrv.close();
});

test("a registration read in slices says what one read as a whole says", () => {
  const { clock } = simulation({ seed: 1 }).platform;
  const immediate = { ...clock, setTimer: (_delayMs: number, run: () => void) => (run(), { cancel: () => {} }) };
  const sliced = (bytes: Uint8Array): RegistrationBody => {
    let body: RegistrationBody | null = null;
    readInSlices(bytes, 513, immediate, (read) => body = read());
    return body!;
  };
  const topics: Topics = { 'odd "name" \\ {[,:]}': { perm: 4 } };
  for (let i = 0; i < 3000; i++) topics[`t${i}`] = { queues: i % 7, topicSysFlag: i % 3 };
  const standard = new TextDecoder().decode(registrationBody({ topics }));
  const mapped = standard.replace(
    '"topicConfigTable"',
    '"topicQueueMappingInfoMap":{"S":{"bname":"b"}},"topicConfigTable"',
  );
  const shapes = [
    standard,
    mapped,
    `${standard}\n`,
    standard.replaceAll("true", "'x'"),
    "{}",
    '{"a":{"b":[{"c":[1,{"topicConfigTable":{}}]}]}}',
  ];
  for (const text of [...shapes, standard.replace('"filterServerList":[]', '/* c */ "filterServerList":["f"]')]) {
    const bytes = new TextEncoder().encode(text);
    assert.deepEqual(sliced(bytes), readRegistrationBody(bytes, 513));
  }
  for (const text of ["{", standard.slice(0, -1), standard.slice(0, 5000), `${standard}}`, `[${standard}`]) {
    assert.throws(() => sliced(new TextEncoder().encode(text)), { name: "BodyError" });
  }
});
