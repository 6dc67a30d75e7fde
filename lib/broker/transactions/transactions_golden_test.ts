import assert from "node:assert/strict";
import test from "node:test";
import { simulation } from "@rmq/platform/simulated";
import { type Header, parseOffsetMessageId, StoredMessage } from "@rmq/protocol";
import { createClient } from "@rmq/remoting";
import { defaultStoreOptions } from "@rmq/store";
import { bytesOf, type GoldenExchange, goldenExchanges } from "../../../tests/golden/golden.ts";
import { KeptLog, settings as usual } from "../_test_broker.ts";
import { startBroker } from "../broker.ts";

const PORT = 10911;

type Fields = Record<string, string>;

const fieldsOf = (text: string | undefined): Fields => JSON.parse(text ?? "{}").extFields;

/** A stored message as a test compares it: all but places, times and the broker's names. */
function described(bytes: Uint8Array) {
  const message = new StoredMessage();
  assert.equal(message.parse(bytes, 0, bytes.length, true), bytes.length);
  const text = new TextDecoder().decode(bytes.subarray(message.propertiesStart, message.propertiesEnd));
  return {
    topic: message.topicText(),
    queueId: message.queueId,
    sysFlag: message.sysFlag,
    bornTimestamp: message.bornTimestamp,
    body: new TextDecoder().decode(bytes.subarray(message.bodyStart, message.bodyEnd)),
    properties: Object.fromEntries(text.split("\x02").slice(0, -1).map((pair) => pair.split("\x01"))),
  };
}

/** What a live 5.5.0 was sent about one transaction: the half message, and its end; and what it asked back. */
function recorded(scenario: string, client: string): GoldenExchange[] {
  return goldenExchanges("produce").filter((one) => one.scenario === scenario && one.client === client);
}

for (const client of ["java-5.5.0", "java-4.9.8"]) {
  test(`half messages of ${client} are answered and checked as a live 5.5.0 did`, async () => {
    const [sent, , checked] = [310, 37, 39].map((code) =>
      recorded("transaction-check-back", client).find((one) => one.code === code)
    );
    assert.ok(sent?.request && sent.response && checked?.request?.body_base64 !== undefined);
    const fields = fieldsOf(sent.request.header_text);
    const world = simulation({ seed: 1, startMs: Number(fields.g) + 10 });
    const broker = await world.finish(startBroker(world.platform, {
      broker: { ...usual, listenPort: PORT, bindAddress: "0.0.0.0", namesrvAddr: "" },
      store: { ...defaultStoreOptions(usual.storePathRootDir), segmentBytes: 1024 * 1024 },
    }, new KeptLog()));
    const checks: { fields: Fields; body: Uint8Array }[] = [];
    const handlers = new Map([[39, (header: Header) => {
      checks.push({
        fields: Object.fromEntries(header.extEntries()) as Fields,
        body: header.bytes.slice(header.bodyStart, header.bodyEnd),
      });
    }]]);
    const producer = createClient(world.addMachine("producer").platform, { handlers }, new KeptLog());
    const ask = (code: number, fields: Fields, body: Uint8Array = new Uint8Array()) =>
      world.finish(producer.request(`${world.machine.host}:${PORT}`, { code, fields, body }, 3000));

    const group = fields.i.split("\x02").find((pair) => pair.startsWith("PGROUP\x01"))?.slice(7) ?? "";
    const heartbeat = JSON.stringify({ clientID: "p", producerDataSet: [{ groupName: group }] });
    await ask(34, {}, new TextEncoder().encode(heartbeat));
    const answer = await ask(310, fields, bytesOf(sent.request.body_base64 ?? ""));
    const golden = fieldsOf(sent.response.header_text);
    assert.equal(answer.code, 0);
    assert.deepEqual([...answer.fields.keys()].sort(), Object.keys(golden).sort());
    for (const name of ["queueId", "transactionId"]) assert.equal(answer.fields.get(name), golden[name]);

    await world.advance("31s");
    assert.equal(checks.length, 1);
    const wanted = fieldsOf(checked.request.header_text);
    const [{ fields: got, body }] = checks;
    assert.deepEqual(Object.keys(got).sort(), Object.keys(wanted).sort());
    for (const name of ["topic", "msgId", "transactionId", "bname"]) assert.equal(got[name], wanted[name], name);
    assert.equal(parseOffsetMessageId(got.offsetMsgId).offset, Number(got.commitLogOffset));
    assert.deepEqual(described(body), described(bytesOf(checked.request.body_base64)));

    const end = recorded("transaction-commit", client).find((one) => one.code === 37);
    const ended = await ask(37, {
      ...fieldsOf(end?.request?.header_text),
      commitLogOffset: got.commitLogOffset,
      tranStateTableOffset: got.tranStateTableOffset,
      producerGroup: group,
      fromTransactionCheck: "true",
    });
    assert.deepEqual([ended.code, ended.remark], [0, null]);
    producer.close();
    await world.finish(broker.stop());
  });
}

test("probes of ends are answered as a live 5.5.0 did", async () => {
  const world = simulation({ seed: 1 });
  const broker = await world.finish(startBroker(world.platform, {
    broker: { ...usual, listenPort: PORT, bindAddress: "0.0.0.0", namesrvAddr: "" },
    store: { ...defaultStoreOptions(usual.storePathRootDir), segmentBytes: 1024 * 1024 },
  }, new KeptLog()));
  const prober = createClient(world.addMachine("prober").platform, {}, new KeptLog());
  const address = `${world.machine.host}:${PORT}`;
  // At offset 0 of that broker's log stood a message without a producer group.
  const plain = { a: "G", b: "AdmT", c: "TBW102", d: 4, e: 0, f: 0, g: 1, h: 0, i: "", j: 0 };
  await world.finish(prober.request(address, { code: 310, fields: plain, body: new Uint8Array(8) }, 3000));
  let compared = 0;
  for (const { scenario, code, request, response } of goldenExchanges("probe-broker")) {
    if (!/^(send-trans-half|endtx-)/.test(scenario) || request === null) continue;
    const fields = fieldsOf(request.header_text);
    const body = bytesOf(request.body_base64 ?? "");
    const answer = world.finish(prober.request(address, { code, fields, body }, 3000));
    if (response === null) await assert.rejects(answer, /TIMEOUT|no answer|timed out/i, scenario);
    else {
      const golden = JSON.parse(response.header_text);
      const { code, remark, fields } = await answer;
      assert.equal(code, golden.code, scenario);
      assert.deepEqual([...fields.keys()].sort(), Object.keys(golden.extFields ?? {}).sort(), scenario);
      if (!/Exception/.test(golden.remark ?? "")) assert.equal(remark, golden.remark ?? null, scenario);
    }
    compared++;
  }
  assert.equal(compared, 5);
  prober.close();
  await world.finish(broker.stop());
});
