import assert from "node:assert/strict";
import test from "node:test";
import { simulation } from "@rmq/platform/simulated";
import { createClient, type Handler, type Later, type Response } from "@rmq/remoting";
import { defaultStoreOptions } from "@rmq/store";
import { KeptLog, ROOT, settings as usual } from "../_test_broker.ts";
import { startBroker } from "../broker.ts";

const PORT = 10911;
const encoder = new TextEncoder();

test("a consumer that is silent, one that answers too late and one that goes away are told of in time", async () => {
  const world = simulation({ seed: 6 });
  const settings = { ...usual, listenPort: PORT, bindAddress: "0.0.0.0", brokerIP1: world.machine.host };
  const store = { ...defaultStoreOptions(ROOT), segmentBytes: 16 * 1024 * 1024 };
  const broker = await world.finish(startBroker(world.platform, { broker: settings, store }, new KeptLog()));
  const address = `${world.machine.host}:${PORT}`;
  const client = (name: string, handlers: [number, Handler][] = []) =>
    createClient(world.addMachine(name).platform, { handlers: new Map(handlers) }, new KeptLog());
  const unanswered: Later[] = [];
  const consumer = client("consumer", [[307, (header, connection) => {
    unanswered.push(connection.later(header));
  }]]);
  const operator = client("operator");
  const data = '{"groupName":"G","consumeType":"CONSUME_PASSIVELY","subscriptionDataSet":[{"topic":"T"}]}';
  const body = encoder.encode(`{"clientID":"c","consumerDataSet":[${data}]}`);
  await world.finish(consumer.request(address, { code: 34, body }, 1000));

  const answers: Response[] = [];
  const ask = async () => {
    const fields = { consumerGroup: "G", clientId: "c" };
    operator.request(address, { code: 307, fields }, 100_000).then((answer) => answers.push(answer));
    await world.advance(100);
  };
  await ask();
  await world.advance("9s");
  assert.deepEqual([answers.length, broker.state.asks.waiting], [0, 1]);
  await world.advance("2s");
  assert.equal(answers[0].code, 207);
  assert.match(answers[0].remark ?? "", /^consumer <G> <c> Timeout: /);
  // The answer to a question that was given up belongs to nobody, the next one to its own question.
  unanswered[0].answer({ code: 0, body: encoder.encode("late") });
  await ask();
  unanswered[1].answer({ code: 0, body: encoder.encode("in time") });
  await world.advance(100);
  assert.equal(new TextDecoder().decode(answers[1].body ?? new Uint8Array()), "in time");
  await ask();
  consumer.close();
  await world.advance(100);
  assert.equal(answers[2].code, 1);
  assert.match(answers[2].remark ?? "", /^invoke consumer <G> <c> Exception: /);
  await ask();
  assert.equal(answers[3].remark, "The Consumer <G> <c> not online");
  assert.equal(broker.state.asks.waiting, 0);
  await world.finish(broker.stop());
  operator.close();
});
