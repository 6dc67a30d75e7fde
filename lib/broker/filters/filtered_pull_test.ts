import assert from "node:assert/strict";
import { test } from "node:test";
import { StoredMessage } from "@rmq/protocol";
import type { Response } from "@rmq/remoting";
import type { BrokerSettings } from "../settings.ts";
import { WireBroker, type WireClient } from "../_test_wire.ts";

const decoder = new TextDecoder();
const topic = { defaultTopic: "TBW102", readQueueNums: 1, writeQueueNums: 1, perm: 6, topicFilterType: "SINGLE_TAG" };

/** A broker that filters, with topic T of one queue, and a client. */
async function opened(changes: Partial<BrokerSettings> = {}): Promise<{ wire: WireBroker; client: WireClient }> {
  const wire = await WireBroker.start({ enablePropertyFilter: true, ...changes });
  const client = wire.client("client");
  assert.equal((await client.ask(17, { topic: "T", ...topic })).code, 0);
  assert.equal((await client.ask(200, {}, '{"groupName":"G"}')).code, 0);
  return { wire, client };
}

async function closed({ wire, client }: { wire: WireBroker; client: WireClient }): Promise<void> {
  client.close();
  await wire.stop();
}

async function send(client: WireClient, body: string, properties: Record<string, string | number>): Promise<void> {
  const text = Object.entries(properties).map(([name, value]) => `${name}\x01${value}\x02`).join("");
  assert.equal((await client.send("T", body, text)).code, 0);
}

interface Asked {
  readonly offset?: number;
  readonly expression?: string;
  readonly type?: string;
  readonly version?: number;
  readonly waitMs?: number;
  readonly topic?: string;
}

/** A pull with its expression in the header, or without one: what the heartbeat said. */
function pull(
  client: WireClient,
  { offset = 0, expression, type = "SQL92", version = 1, waitMs = 0, topic = "T" }: Asked,
) {
  const own = expression === undefined ? {} : { subscription: expression };
  return client.begin(11, {
    consumerGroup: "G",
    topic,
    queueId: 0,
    queueOffset: offset,
    maxMsgNums: 32,
    sysFlag: (expression === undefined ? 0 : 4) | (waitMs > 0 ? 2 : 0),
    commitOffset: 0,
    suspendTimeoutMillis: waitMs,
    subVersion: version,
    expressionType: type,
    ...own,
  });
}

function heartbeat(client: WireClient, expression: string, version: number, topics: readonly string[] = ["T"]) {
  const subscriptionDataSet = topics.map((topic) => ({
    topic,
    subString: expression,
    subVersion: version,
    expressionType: "SQL92",
    tagsSet: [],
    codeSet: [],
  }));
  const consumer = {
    groupName: "G",
    consumeType: "CONSUME_PASSIVELY",
    messageModel: "CLUSTERING",
    subscriptionDataSet,
  };
  return client.ask(34, {}, JSON.stringify({ clientID: "c", consumerDataSet: [consumer], producerDataSet: [] }));
}

function bodies(answer: Response): string[] {
  const message = new StoredMessage();
  const body = answer.body ?? new Uint8Array();
  const found: string[] = [];
  for (let at = 0; at < body.length; at += message.size) {
    assert.ok(message.parse(body, at, body.length, true) > 0);
    found.push(decoder.decode(body.subarray(message.bodyStart, message.bodyEnd)));
  }
  return found;
}

test("a pull with an expression in its header gets what it is true of", async () => {
  const scene = await opened();
  const { client, wire } = scene;
  for (let i = 0; i < 10; i++) await send(client, `m${i}`, { a: i, region: i % 2 === 0 ? "east" : "west" });
  const get = (asked: Asked) => wire.world.finish(pull(client, asked));
  const found = await get({ expression: "a BETWEEN 3 AND 8 AND region = 'east'" });
  assert.deepEqual([found.code, bodies(found), found.fields.get("nextBeginOffset")], [0, ["m4", "m6", "m8"], "10"]);
  const none = await get({ expression: "a > 100" });
  assert.deepEqual([none.code, none.remark, none.fields.get("nextBeginOffset")], [20, "NO_MATCHED_MESSAGE", "10"]);
  await closed(scene);
});

test("an expression that can't be used is refused, with its place", async () => {
  const scene = await opened();
  const { client, wire } = scene;
  await send(client, "m", { a: 1 });
  const get = async (expression: string, type = "SQL92") => {
    const { code, remark } = await wire.world.finish(pull(client, { expression, type }));
    return [code, remark];
  };
  assert.deepEqual(await get("a >"), [
    23,
    "parse the consumer's subscription failed: line 1, column 4: a property, a number, a string, TRUE, FALSE, NULL, " +
    'NOT or "(" was expected, but the expression ends',
  ]);
  assert.deepEqual(await get(""), [23, "parse the consumer's subscription failed"]);
  assert.equal((await get("a > 1", "GROOVY"))[0], 23);
  const check = async (subString: string) => {
    const subscriptionData = { topic: "T", subString, expressionType: "SQL92" };
    const { code, remark } = await client.ask(46, {}, JSON.stringify({ clientId: "c", group: "G", subscriptionData }));
    return [code, remark];
  };
  assert.deepEqual(await check("a > 1"), [0, null]);
  assert.deepEqual(await check("a ~ 1"), [23, 'line 1, column 3: unexpected "~"']);
  await closed(scene);
});

test("the expression of a heartbeat counts: 27 without one, 28 for an older one", async () => {
  const scene = await opened();
  const { client, wire } = scene;
  for (let i = 0; i < 4; i++) await send(client, `m${i}`, { a: i });
  const get = async (asked: Asked) => {
    const answer = await wire.world.finish(pull(client, asked));
    return answer.code === 0 ? bodies(answer) : answer.code;
  };
  await heartbeat(client, "a >", 5);
  assert.equal(await get({ version: 5 }), 27);
  await heartbeat(client, "a > 1", 6);
  assert.deepEqual(await get({ version: 6 }), ["m2", "m3"]);
  assert.equal(await get({ version: 7 }), 25);
  // An expression that does not compile takes the old one's place, not its effect.
  await heartbeat(client, "a >>", 8);
  assert.equal(await get({ version: 8 }), 27);
  await heartbeat(client, "a < 1", 9);
  assert.deepEqual(await get({ version: 9 }), ["m0"]);
  wire.broker.state.filters.get("T", "G")!.clientVersion = 8;
  assert.equal(await get({ version: 9 }), 28);
  await closed(scene);
});

test("without enablePropertyFilter expressions are answered with 1", async () => {
  const scene = await opened({ enablePropertyFilter: false });
  const { client, wire } = scene;
  await heartbeat(client, "a > 1", 1);
  for (const asked of [{ expression: "a > 1" }, {}]) {
    const { code, remark } = await wire.world.finish(pull(client, asked));
    assert.deepEqual([code, remark], [1, "The broker does not support consumer to filter message by SQL92"]);
  }
  await closed(scene);
});

test("a pull that waits is woken by the first message that its expression is true of", async () => {
  const scene = await opened();
  const { client, wire } = scene;
  const answers: string[][] = [];
  const other = wire.client("other");
  const wait = pull(client, { expression: "a > 5", waitMs: 60_000 }).then((answer) => answers.push(bodies(answer)));
  const waitToo = pull(other, { expression: "a > 5 OR b IS NOT NULL", waitMs: 60_000 })
    .then((answer) => answers.push(bodies(answer)));
  await wire.world.advance("1s");
  const sender = wire.client("sender");
  for (let i = 0; i < 3; i++) await send(sender, `m${i}`, { a: i });
  await wire.world.advance("10s");
  assert.deepEqual(answers, []);
  await send(sender, "b", { b: 1 });
  await wire.world.finish(waitToo);
  assert.deepEqual(answers, [["b"]]);
  await send(sender, "last", { a: 6 });
  await wire.world.finish(wait);
  assert.deepEqual(answers, [["b"], ["last"]]);
  other.close();
  sender.close();
  await closed(scene);
});

test("a retry topic is filtered by its own expression, or by the original topic's if that is wanted", async () => {
  for (const filterSupportRetry of [false, true]) {
    const scene = await opened({ filterSupportRetry });
    const { client, wire } = scene;
    await heartbeat(client, "a = 1", 1, ["T", "%RETRY%G"]);
    const data = { topic: "%RETRY%G", subString: "a = 2", subVersion: 2, expressionType: "SQL92" };
    const own = { ...data, tagsSet: [], codeSet: [], classFilterMode: false };
    const first = { ...own, topic: "T", subString: "a = 1" };
    wire.broker.state.filters.register("G", [first, own]);
    for (const [body, a] of [["one", 1], ["two", 2]] as const) {
      const properties = `a\x01${a}\x02RETRY_TOPIC\x01T\x02`;
      assert.equal((await client.send("%RETRY%G", body, properties)).code, 0);
    }
    const answer = await wire.world.finish(pull(client, { topic: "%RETRY%G" }));
    assert.deepEqual(bodies(answer), filterSupportRetry ? ["one"] : ["two"]);
    await closed(scene);
  }
});
