import assert from "node:assert/strict";
import test from "node:test";
import { crc32 } from "@rmq/protocol";
import { type Simulation, simulation } from "@rmq/platform/simulated";
import {
  type PeerRequest,
  type RemotingClient,
  type RemotingConnection,
  RemotingError,
  type Response,
} from "@rmq/remoting";
import { bytesOf, goldenExchanges } from "../../tests/golden/golden.ts";
import { KeptLog, settings as usual, TestBroker } from "./_test_broker.ts";
import { Registration } from "./registration.ts";
import type { BrokerSettings } from "./settings.ts";

/** Name servers by address, as a client sees them. */
class FakeNameServers {
  readonly heard: { server: string; request: PeerRequest }[] = [];
  readonly down = new Set<string>();
  readonly silent = new Set<string>();
  answerBody: string | null = null;
  changed = "true";
  readonly #closers = new Map<string, () => void>();
  readonly #connections = new Map<string, RemotingConnection>();
  readonly client: Pick<RemotingClient, "connection" | "request"> = {
    connection: (server) => this.#connect(server),
    request: (server, request) => this.#request(server, request),
  };

  /** Cuts the connection to `server`. */
  cut(server: string): void {
    this.#connections.delete(server);
    this.#closers.get(server)?.();
  }

  of(server: string, code: number): PeerRequest[] {
    return this.heard.filter((one) => one.server === server && one.request.code === code).map((one) => one.request);
  }

  /** Names of the topics in each registration that `server` got. */
  topics(server: string): string[][] {
    return this.of(server, 103).map((request) =>
      Object.keys(JSON.parse(text(request)).topicConfigSerializeWrapper.topicConfigTable)
    );
  }

  #connect(server: string): Promise<RemotingConnection> {
    if (this.down.has(server)) {
      return Promise.reject(new RemotingError("CONNECT_FAILED", "refused", true));
    }
    let connection = this.#connections.get(server);
    if (connection === undefined) {
      connection = { onClose: (run: () => void) => this.#closers.set(server, run) } as unknown as RemotingConnection;
      this.#connections.set(server, connection);
    }
    return Promise.resolve(connection);
  }

  async #request(server: string, request: PeerRequest): Promise<Response> {
    await this.#connect(server);
    if (this.silent.has(server)) return await new Promise(() => {});
    this.heard.push({ server, request });
    const body = this.answerBody === null ? null : new TextEncoder().encode(this.answerBody);
    const fields = new Map<string, string | null>([["changed", this.changed]]);
    return { code: 0, remark: null, fields, body, version: 513, language: 0 };
  }
}

const text = (request: PeerRequest) => new TextDecoder().decode(request.body ?? new Uint8Array());

async function registered(world: Simulation, changes: Partial<BrokerSettings> = {}) {
  const { state } = await TestBroker.open(world);
  const servers = new FakeNameServers();
  const log = new KeptLog();
  const settings = { ...usual, namesrvAddr: "a:9876; b:9876;a:9876", ...changes };
  const { platform, topics } = state;
  const parts = { platform, logger: log, settings, topics, client: servers.client };
  const registration = new Registration(parts, "127.0.0.1:10911");
  topics.onChange((changed) => registration.changed(changed));
  return { world, state, topics, servers, log, registration };
}

const world = () => simulation({ seed: 1 });

test("a registration says what a Java broker's says", async () => {
  const { world: w, servers, registration } = await registered(world());
  await w.finish(registration.start());
  const [request] = servers.of("a:9876", 103);
  const golden = goldenExchanges("namesrv").find((one) => one.code === 103 && one.response !== null);
  const header = JSON.parse(golden?.request?.header_text ?? "{}");
  assert.deepEqual(Object.keys(request.fields ?? {}).sort(), Object.keys(header.extFields).sort());
  assert.equal(request.fields?.bodyCrc32, crc32(request.body as Uint8Array) & 0x7fffffff);
  const body = JSON.parse(text(request));
  const java = JSON.parse(new TextDecoder().decode(bytesOf(golden?.request?.body_base64 ?? "")));
  assert.deepEqual(Object.keys(body), Object.keys(java));
  const wrapper = body.topicConfigSerializeWrapper;
  assert.deepEqual(Object.keys(wrapper), Object.keys(java.topicConfigSerializeWrapper));
  assert.deepEqual(
    wrapper.topicConfigTable.BenchmarkTest,
    java.topicConfigSerializeWrapper.topicConfigTable.BenchmarkTest,
  );
});

test("each name server hears once at the start, each period, and of all topics made in a turn at once", async () => {
  const { world: w, topics, servers, registration } = await registered(world());
  await w.finish(registration.start());
  assert.deepEqual([servers.of("a:9876", 103).length, servers.of("b:9876", 103).length], [1, 1]);
  topics.createOnSend("One", "TBW102", 4, 0, "");
  topics.createOnSend("Two", "TBW102", 4, 0, "");
  await w.settle();
  assert.equal(servers.of("b:9876", 103).length, 2);
  assert.ok(servers.topics("b:9876")[1].includes("One") && servers.topics("b:9876")[1].includes("Two"));
  await w.advance("61s");
  assert.equal(servers.of("a:9876", 103).length, 4);
});

test("a name server that is down holds up no other and is logged once for each change", async () => {
  const { world: w, servers, log, registration } = await registered(world());
  servers.down.add("a:9876");
  await w.finish(registration.start());
  await w.advance("20s");
  assert.equal(servers.of("b:9876", 103).length, 1);
  assert.equal(log.count("can't be reached"), 1);
  servers.down.delete("a:9876");
  await w.advance("6s");
  assert.equal(servers.of("a:9876", 103).length, 1);
  assert.equal(log.count("registered with"), 2);
});

test("a name server that never answers does not hold up the start", async () => {
  const { world: w, servers, registration } = await registered(world());
  servers.silent.add("a:9876");
  let started = false;
  registration.start().then(() => started = true);
  await w.advance("1s");
  assert.equal(started, true);
  assert.equal(servers.of("b:9876", 103).length, 1);
});

test("a lost connection is registered anew within a blink, with the whole table", async () => {
  const { world: w, servers, registration } = await registered(world());
  await w.finish(registration.start());
  servers.cut("a:9876");
  await w.advance("150ms");
  assert.equal(servers.topics("a:9876")[1].length, servers.topics("a:9876")[0].length);
  assert.equal(servers.of("b:9876", 103).length, 1);
});

test("of a large table only what changed is told, but never before the whole", async () => {
  const { world: w, topics, servers, registration } = await registered(world());
  for (let i = 0; i < 6000; i++) topics.createOnSend("t" + i, "TBW102", 1, 0, "");
  await w.finish(registration.start());
  await w.settle();
  assert.deepEqual(servers.topics("a:9876").map((names) => names.length), [5000, topics.size - 5000]);
  topics.createOnSend("Fresh", "TBW102", 1, 0, "");
  await w.settle();
  assert.deepEqual(servers.topics("a:9876")[2], ["Fresh"]);
});

test("with forceRegister=false a name server that knows the table is only asked", async () => {
  const { world: w, servers, registration } = await registered(world(), { forceRegister: false });
  await w.finish(registration.start());
  servers.changed = "false";
  await w.advance("31s");
  assert.deepEqual([servers.of("a:9876", 322).length, servers.of("a:9876", 103).length], [1, 1]);
});

test("good-bye goes to those that know the broker, and nothing comes after it", async () => {
  const { world: w, topics, servers, registration } = await registered(world());
  servers.down.add("a:9876");
  await w.finish(registration.start());
  await w.finish(registration.unregister());
  const [request] = servers.of("b:9876", 104);
  assert.deepEqual(request.fields, {
    brokerName: "broker-a",
    brokerAddr: "127.0.0.1:10911",
    clusterName: "DefaultCluster",
    brokerId: 0,
  });
  const before = servers.heard.length;
  topics.createOnSend("Late", "TBW102", 1, 0, "");
  await w.advance("2m");
  assert.equal(servers.heard.length, before);
});

test("a broker that may not be written registers its topics without that permission", async () => {
  const { world: w, servers, registration } = await registered(world(), { brokerPermission: 4 });
  await w.finish(registration.start());
  const table = JSON.parse(text(servers.of("a:9876", 103)[0])).topicConfigSerializeWrapper.topicConfigTable;
  assert.equal(table.BenchmarkTest.perm, 4);
});

test("a topic that the name server lists as ordered becomes so", async () => {
  const { world: w, topics, servers, registration } = await registered(world());
  topics.createOnSend("Ord", "TBW102", 4, 0, "");
  servers.answerBody = '{"table":{"Ord":"broker-a:4","Other":"broker-b:1"}}';
  await w.finish(registration.start());
  assert.equal(topics.get("Ord")?.config.order, true);
});
