import assert from "node:assert/strict";
import test from "node:test";
import { type Simulation, simulation } from "@rmq/platform/simulated";
import { createClient, type Response } from "@rmq/remoting";
import { defaultStoreOptions } from "@rmq/store";
import { KeptLog, settings as usual } from "./_test_broker.ts";
import { type Broker, type BrokerOptions, startBroker } from "./broker.ts";
import type { BrokerSettings } from "./settings.ts";

const PORT = 10911;

function options(changes: Partial<BrokerSettings> = {}): BrokerOptions {
  const broker = { ...usual, listenPort: PORT, bindAddress: "0.0.0.0", namesrvAddr: "", ...changes };
  return { broker, store: { ...defaultStoreOptions(usual.storePathRootDir), segmentBytes: 16 * 1024 * 1024 } };
}

function started(world: Simulation, changes: Partial<BrokerSettings> = {}): Promise<Broker> {
  return world.finish(startBroker(world.platform, options(changes), new KeptLog()));
}

const sendFields = { a: "G", b: "T", c: "TBW102", d: 4, e: 0, f: 0, g: 1, h: 0, i: "", j: 0, k: false };

test("sends that are parked when the broker stops are answered", async () => {
  const world = simulation({ seed: 4 });
  const broker = await started(world, { waitTimeMillsInSendQueue: 1_000_000 });
  const client = createClient(world.addMachine("client").platform, {}, new KeptLog());
  world.machine.disk.latencyMs.sync = 60_000;
  const request = { code: 310, fields: sendFields, body: new Uint8Array(8) };
  const answers: Response[] = [];
  for (let i = 0; i < 3; i++) {
    client.request(`${world.machine.host}:${PORT}`, request, 1_000_000).then((answer) => answers.push(answer));
  }
  await world.advance(100);
  assert.ok(broker.state.server!.parkedBytes > 0, "nothing was parked");
  assert.deepEqual(answers, []);
  await world.finish(broker.stop());
  assert.deepEqual(answers.map(({ code, remark }) => [code, remark]), Array(3).fill([14, "the broker stops"]));
  client.close();
});

test("a consumer that asks again at once is answered once while the broker stops", async () => {
  const world = simulation({ seed: 6 });
  const broker = await started(world);
  const client = createClient(world.addMachine("client").platform, {}, new KeptLog());
  const address = `${world.machine.host}:${PORT}`;
  await world.finish(client.request(address, { code: 310, fields: sendFields, body: new Uint8Array(8) }, 10_000));
  const fields = {
    consumerGroup: "G",
    topic: "T",
    queueId: 0,
    queueOffset: 1,
    maxMsgNums: 32,
    sysFlag: 6,
    commitOffset: 0,
    suspendTimeoutMillis: 15_000,
    subscription: "*",
    subVersion: 0,
  };
  let answers = 0;
  const read = async (): Promise<void> => {
    while (answers < 100) {
      assert.equal((await client.request(address, { code: 11, fields }, 30_000)).code, 19);
      answers++;
    }
  };
  const reading = read().catch(() => {});
  await world.advance(1000);
  assert.equal(answers, 0);
  world.machine.disk.latencyMs.sync = 100;
  const other = { ...sendFields, e: 1 };
  client.request(address, { code: 310, fields: other, body: new Uint8Array(8) }, 10_000).catch(() => {});
  await world.settle();
  await world.finish(broker.stop());
  await reading;
  assert.equal(answers, 1);
  client.close();
});

test("a broker that cannot be put together leaves its store open for the next one", async () => {
  const world = simulation({ seed: 5 });
  await assert.rejects(started(world, { messageDelayLevel: "1s nonsense" }), /nonsense/);
  const broker = await started(world);
  await world.finish(broker.stop());
});
