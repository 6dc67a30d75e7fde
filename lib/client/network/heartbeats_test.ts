import assert from "node:assert/strict";
import { test } from "node:test";
import { simulation } from "@rmq/platform/simulated";
import type { PeerRequest, Response } from "@rmq/remoting";
import { subscriptionData } from "../filter.ts";
import { Heartbeats } from "./heartbeats.ts";
import type { ConsumerData } from "./network.ts";

interface Told {
  readonly withoutSub: boolean;
  readonly heartbeatFingerprint: number;
  readonly consumerDataSet: { readonly subscriptionDataSet: { readonly subString: string }[] }[];
}

/** Heartbeats to one broker that answers as told. */
function heard(answer: { v2?: boolean; changed?: boolean; code?: number } = {}) {
  const world = simulation({ seed: 1 });
  const told: Told[] = [];
  const lines: string[] = [];
  const keep = (line: string): void => void lines.push(line);
  const heartbeats = new Heartbeats({
    platform: world.platform,
    logger: { info: keep, warn: keep, error: keep },
    clientId: "me",
    periodMs: 30_000,
    timeoutMs: 3000,
    invoke: (_, request: PeerRequest) => {
      if (request.body) told.push(JSON.parse(new TextDecoder().decode(request.body)));
      const fields = new Map([
        ["IS_SUPPORT_HEART_BEAT_V2", String(answer.v2 === true)],
        ["IS_SUB_CHANGE", String(answer.changed === true)],
      ]);
      const response: Response = {
        code: answer.code ?? 0,
        remark: null,
        fields,
        body: null,
        version: 513,
        language: 0,
      };
      answer.changed = false;
      return Promise.resolve(response);
    },
    addresses: () => ["b:1"],
  });
  return { world, told, lines, heartbeats, answer };
}

const consumer = (expression: string): ConsumerData => ({
  groupName: "G",
  consumeType: "CONSUME_PASSIVELY",
  messageModel: "CLUSTERING",
  consumeFromWhere: "CONSUME_FROM_LAST_OFFSET",
  subscriptionDataSet: [subscriptionData("T", expression, 1)],
  unitMode: false,
});

test("a broker that knows fingerprints is not told of the same subscriptions twice", async () => {
  const { told, heartbeats } = heard({ v2: true });
  heartbeats.setConsumer(consumer("A"));
  await heartbeats.sendNow();
  await heartbeats.sendNow();
  assert.deepEqual(told.map(({ withoutSub }) => withoutSub), [false, true]);
  assert.deepEqual(told.map(({ consumerDataSet }) => consumerDataSet[0].subscriptionDataSet.length), [1, 0]);
  assert.equal(told[0].heartbeatFingerprint, told[1].heartbeatFingerprint);
  heartbeats.setConsumer(consumer("B"));
  await heartbeats.sendNow();
  assert.equal(told[2].withoutSub, false);
  assert.equal(told[2].consumerDataSet[0].subscriptionDataSet[0].subString, "B");
  assert.notEqual(told[2].heartbeatFingerprint, told[0].heartbeatFingerprint);
});

test("a broker that has lost the subscriptions is told of them again at once", async () => {
  const { told, heartbeats, answer } = heard({ v2: true });
  heartbeats.setConsumer(consumer("A"));
  await heartbeats.sendNow();
  answer.changed = true;
  await heartbeats.sendNow();
  assert.deepEqual(told.map(({ withoutSub }) => withoutSub), [false, true, false]);
});

test("an older broker, and one over a new connection, is always told all", async () => {
  const { told, heartbeats, answer } = heard();
  heartbeats.setConsumer(consumer("A"));
  await heartbeats.sendNow();
  await heartbeats.sendNow();
  answer.v2 = true;
  await heartbeats.sendNow();
  heartbeats.disconnected("b:1");
  await heartbeats.sendNow();
  assert.deepEqual(told.map(({ withoutSub }) => withoutSub), [false, false, false, false]);
});

test("who refuses heartbeats is reported once and asked again each period", async () => {
  const { world, told, lines, heartbeats } = heard({ code: 1 });
  heartbeats.setProducer("P");
  await world.advance("95s");
  assert.equal(told.length, 3);
  assert.equal(lines.length, 1);
  await heartbeats.close();
  await world.advance("2m");
  assert.equal(told.length, 3);
});

test("without groups nothing is said", async () => {
  const { world, told } = heard();
  await world.advance("5m");
  assert.equal(told.length, 0);
});
