import assert from "node:assert/strict";
import test from "node:test";
import { requestTable } from "@rmq/protocol";
import { simulation } from "@rmq/platform/simulated";
import { Peer, TestBroker } from "./_test_broker.ts";
import { MAX_JSON_BODY_BYTES } from "./json_members.ts";

const CODES = [
  ...[12, 14, 15, 17, 18, 21, 25, 26, 29, 30, 31, 32, 33, 34, 35, 36, 38, 41, 42, 43, 45, 46],
  ...[200, 201, 203, 204, 207, 215, 225, 351, 352],
];
const VALUES = [
  "",
  "0",
  "-1",
  "1",
  "2147483648",
  "9007199254740993",
  "x",
  "T",
  "%RETRY%G",
  "true",
  "\u0001\u0002",
  "ä",
];
const BODIES = [
  "",
  "null",
  "[]",
  "{",
  "0",
  '"x"',
  '{"clientID":1,"consumerDataSet":{},"producerDataSet":[1]}',
  '{"clientID":"c","consumerDataSet":[{"groupName":"G","subscriptionDataSet":[{}]}],"producerDataSet":[{}]}',
  '{"consumerGroup":"G","clientId":"c","mqSet":[{"queueId":"x"}]}',
  '{"topicConfigList":[{"topicName":"T","perm":"y"}]}',
  '{"groupConfigList":[null]}',
  '{"groupName":"G","groupRetryPolicy":[],"subscriptionDataSet":[{"version":1e99}],"attributes":{"+":1}}',
  '{"subscriptionData":{"expressionType":{}}}',
  "[".repeat(5000),
];

test("whatever fields and body a request has, it is answered, and the broker goes on", async () => {
  const world = simulation({ seed: 20 });
  const broker = await TestBroker.open(world);
  await broker.send("T", 0, "m", { KEYS: "T" });
  const pick = <T>(values: readonly T[]) => values[world.random.below(values.length)];
  for (const code of CODES) {
    const names = requestTable.get(code)?.fields.map((field) => field.name) ?? [];
    for (let round = 0; round < 20; round++) {
      const fields: Record<string, string> = {};
      for (const name of names) if (world.random.below(3) > 0) fields[name] = pick(VALUES);
      const answer = await broker.ask(code, round === 0 ? null : fields, pick(BODIES), new Peer("odd"));
      assert.ok(answer.code >= 0, `${code}`);
    }
  }
  await broker.send("T", 0, "again");
  assert.equal((await broker.read("T", 0)).at(-1)?.body, "again");
});

test("a JSON body beyond 1 MiB is answered with 1 and the limit's name", async () => {
  const broker = await TestBroker.open();
  const lock = (length: number) => `{"consumerGroup":"G","clientId":"c","mqSet":[]${" ".repeat(length)}}`;
  const least = lock(0).length;
  assert.equal((await broker.ask(41, {}, lock(MAX_JSON_BODY_BYTES - least))).code, 0);
  for (const code of [18, 34, 41, 42, 46, 225]) {
    const { code: answered, remark } = await broker.ask(code, {}, lock(MAX_JSON_BODY_BYTES - least + 1));
    assert.equal(answered, 1, `${code}`);
    assert.match(remark ?? "", /a JSON body of 1048577 bytes, MAX_JSON_BODY_BYTES is 1048576/, `${code}`);
  }
});
