import assert from "node:assert/strict";
import test from "node:test";
import { type Simulation, simulation } from "@rmq/platform/simulated";
import { encodeBatch } from "@rmq/protocol";
import { createClient, type Response } from "@rmq/remoting";
import { defaultStoreOptions } from "@rmq/store";
import { KeptLog, settings as usual } from "../_test_broker.ts";
import { type Broker, startBroker } from "../broker.ts";
import type { BrokerSettings } from "../settings.ts";

const PORT = 10911;
const encoder = new TextEncoder();
const TRANSACTIONAL = "TRAN_MSG\x01true\x02PGROUP\x01G\x02";

type Ask = (code: number, fields: Record<string, string | number>, body: Uint8Array) => Promise<Response>;

async function within(
  changes: Partial<BrokerSettings>,
  run: (ask: Ask, broker: Broker, world: Simulation) => Promise<void>,
) {
  const world = simulation({ seed: 1 });
  const broker = await world.finish(startBroker(world.platform, {
    broker: { ...usual, listenPort: PORT, bindAddress: "0.0.0.0", namesrvAddr: "", ...changes },
    store: { ...defaultStoreOptions(usual.storePathRootDir), segmentBytes: 1024 * 1024 },
  }, new KeptLog()));
  const client = createClient(world.addMachine("client").platform, {}, new KeptLog());
  const ask: Ask = (code, fields, body) =>
    world.finish(client.request(`${world.machine.host}:${PORT}`, { code, fields, body }, 3000));
  await run(ask, broker, world);
  client.close();
  await world.finish(broker.stop());
}

const fields = { a: "G", b: "T", c: "TBW102", d: 4, e: 2, f: 4, g: 1, h: 0, i: TRANSACTIONAL, j: 0, k: "false" };
const body = new Uint8Array(8);

test("a send with TRAN_MSG is answered with its own queue and the half message's offset, and counted as open", async () => {
  await within({}, async (ask, broker, world) => {
    await ask(310, fields, body);
    const answer = await ask(310, { ...fields, i: TRANSACTIONAL.replace("true", "TRUE") }, body);
    assert.deepEqual([answer.code, answer.fields.get("queueId"), answer.fields.get("queueOffset")], [0, "2", "1"]);
    const { store, transactionCounts } = broker.state;
    assert.equal(store.existingQueue("RMQ_SYS_TRANS_HALF_TOPIC", 0)?.max, 2);
    assert.equal(store.existingQueue("T", 2), null);
    assert.equal(transactionCounts.get("T"), 2);
    await world.advance("11s");
    const file = world.platform.files.readWhole(`${usual.storePathRootDir}/config/transactionMetrics`);
    assert.match(new TextDecoder().decode(file ?? body), /"transactionCount":\{"T":\{"count":2,"timeStamp":\d+\}\}\}$/);
  });
});

test("TRAN_MSG means nothing when it is not true, and for what an old client tries again", async () => {
  await within({}, async (ask, broker) => {
    await ask(310, { ...fields, i: "TRAN_MSG\x01false\x02" }, body);
    await ask(310, { ...fields, i: `${TRANSACTIONAL}DELAY\x011\x02`, j: 1 }, body);
    assert.equal(broker.state.store.existingQueue("RMQ_SYS_TRANS_HALF_TOPIC", 0)?.max ?? 0, 0);
    assert.equal(broker.state.store.existingQueue("T", 2)?.max, 1);
  });
});

test("rejectTransactionMessage refuses half messages, and nothing else", async () => {
  await within({ rejectTransactionMessage: true }, async (ask) => {
    const refused = await ask(310, fields, body);
    assert.deepEqual(
      [refused.code, refused.remark],
      [16, "the broker[127.0.0.1] sending transaction message is forbidden"],
    );
    assert.equal((await ask(310, { ...fields, i: "" }, body)).code, 0);
  });
});

test("a batch can't hold transaction messages: they would be delivered at once", async () => {
  await within({}, async (ask, broker) => {
    const inner = { flag: 0, body: encoder.encode("inner"), properties: encoder.encode(TRANSACTIONAL) };
    const answer = await ask(320, { ...fields, i: "", m: "true" }, encodeBatch([inner]));
    assert.equal(answer.code, 13);
    assert.equal(broker.state.store.existingQueue("T", 2)?.max ?? 0, 0);
  });
});
