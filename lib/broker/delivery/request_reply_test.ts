import assert from "node:assert/strict";
import test from "node:test";
import { Fields, type Header, RequestCode, ResponseCode } from "@rmq/protocol";
import type { Handlers, Response } from "@rmq/remoting";
import { WireBroker, type WireClient } from "../_test_wire.ts";

const REPLY = {
  a: "RPG",
  b: "DefaultCluster_REPLY_TOPIC",
  c: "TBW102",
  d: 4,
  e: 0,
  f: 0,
  g: 5,
  h: 0,
  j: 0,
  k: "false",
};
const toClient = (id: string, correlation: string) =>
  `REPLY_TO_CLIENT\u0001${id}\u0002CORRELATION_ID\u0001${correlation}\u0002MSG_TYPE\u0001reply\u0002`;

/** What clients were pushed: body and correlation id. */
function requesterHandlers(heard: string[], accept = true): Handlers {
  return new Map([[RequestCode.PUSH_REPLY_MESSAGE_TO_CLIENT, (header: Header, connection) => {
    const F = Fields.PUSH_REPLY_MESSAGE_TO_CLIENT;
    const body = new TextDecoder().decode(header.bytes.subarray(header.bodyStart, header.bodyEnd));
    heard.push(`${body} ${/CORRELATION_ID.(\w+)/.exec(header.text(F.properties) ?? "")?.[1]}`);
    if (accept) connection.answer(header.opaque, { code: ResponseCode.SUCCESS });
  }]]);
}

async function online(client: WireClient, clientId: string): Promise<void> {
  const { code } = await client.ask(34, {}, `{"clientID":"${clientId}","producerDataSet":[{"groupName":"PG"}]}`);
  assert.equal(code, 0);
}

test("a question goes to a consumer as a message, its answer back through the broker to whom asked", async () => {
  const wire = await WireBroker.start();
  const heard: string[] = [];
  const requester = wire.client("requester", requesterHandlers(heard));
  const replier = wire.client("replier");
  await online(requester, "10.0.0.2@req");
  const question = await requester.send("Ask", "how much?", `${toClient("10.0.0.2@req", "c7")}TTL\u00013000\u0002`);
  assert.equal(question.code, 0);
  const queueId = Number(question.fields.get("queueId"));
  const [asked] = await wire.read("Ask", queueId);
  // Of the question, a client makes topic, receiver and number of its reply.
  assert.equal(asked.properties.CLUSTER, "DefaultCluster");
  const { CORRELATION_ID, REPLY_TO_CLIENT } = asked.properties;
  const answer = await replier.ask(325, { ...REPLY, i: toClient(REPLY_TO_CLIENT, CORRELATION_ID) }, "seven");
  assert.equal(answer.code, 0);
  assert.deepEqual(heard, ["seven c7"]);
  await wire.stop();
});

test("a requester that hangs costs its replier ten seconds, and nobody else anything", async () => {
  const wire = await WireBroker.start();
  const heard: string[] = [];
  const hanging = wire.client("hanging", requesterHandlers(heard, false));
  const requester = wire.client("requester", requesterHandlers(heard));
  const replier = wire.client("replier");
  await online(hanging, "hanging");
  await online(requester, "requester");
  let late: Response | null = null;
  replier.begin(325, { ...REPLY, i: toClient("hanging", "c1") }, "a").then((answer) => late = answer);
  const good = await replier.ask(325, { ...REPLY, i: toClient("requester", "c2") }, "b");
  assert.deepEqual([good.code, late], [0, null]);
  await wire.world.advance("9s");
  assert.equal(late, null);
  await wire.world.advance("2s");
  const { code, remark } = late as unknown as Response;
  assert.deepEqual([code, remark, heard], [1, "push reply message to hangingfail.", ["a c1", "b c2"]]);
  await wire.stop();
});

test("a requester that goes away fails the reply at once, and later ones find nobody", async () => {
  const wire = await WireBroker.start();
  const heard: string[] = [];
  const hanging = wire.client("hanging", requesterHandlers(heard, false));
  const replier = wire.client("replier");
  await online(hanging, "hanging");
  const underWay = replier.begin(325, { ...REPLY, i: toClient("hanging", "c1") }, "a");
  for (let i = 0; heard.length === 0 && i < 100; i++) await wire.world.advance(10);
  const before = wire.world.platform.clock.nowMs();
  hanging.close();
  assert.equal((await wire.world.finish(underWay)).remark, "push reply message to hangingfail.");
  assert.ok(wire.world.platform.clock.nowMs() - before < 1000);
  const next = await replier.ask(325, { ...REPLY, i: toClient("hanging", "c2") }, "b");
  assert.equal(next.remark, "push reply message fail, channel of <hanging> not found.");
  await wire.stop();
});

test("replies survive in the reply topic over a restart", async () => {
  const wire = await WireBroker.start();
  const replier = wire.client("replier");
  await replier.ask(325, { ...REPLY, i: toClient("nobody", "c1") }, "kept");
  await wire.stop();
  const again = await WireBroker.start({}, wire.world);
  assert.deepEqual((await again.read(REPLY.b, 0)).map(({ body }) => body), ["kept"]);
  await again.stop();
});
