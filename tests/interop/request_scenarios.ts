/** Request and reply between any two clients. */
import assert from "node:assert/strict";
import { type ClientName, clientNames } from "./clients.ts";
import { type Context, eventually } from "./context.ts";
import type { Scenario } from "./scenarios.ts";

/** A consumer of another client, or the same, that replies to what it gets. */
async function replier(t: Context, client: ClientName, topic: string, fields: Record<string, number> = {}) {
  const driver = t.drivers.get(client)!;
  const producer = t.named(`by${client.replace(/\W/g, "")}`);
  const name = `${producer}_c`;
  await t.start({ do: "producer", name: producer }, driver);
  await t.start({ do: "push", name, group: name, topic, replier: producer, ...fields }, driver);
  return { driver, name };
}

/**
 * The broker replies to a requester by its id, which it learns from a heartbeat. A client that was started a moment ago
 * asks again, as a user's would.
 */
async function ask(t: Context, producer: string, topic: string, prefix: string, mode: string): Promise<string> {
  let text = "";
  await eventually(async () => {
    const answer = await t.driver.attempt({ do: "request", name: producer, topic, prefix, mode, timeoutMs: 5000 });
    if (answer.ok) text = answer.message.text;
    return answer.ok;
  }, `a reply to ${prefix}`);
  return text;
}

/** This client asks, each client replies. */
async function pairs(t: Context): Promise<void> {
  const producer = await t.producer();
  await Promise.all(
    clientNames.filter((client) => t.drivers.has(client)).map(async (client) => {
      const short = client.replace(/\W/g, "");
      const topic = await t.topic(`t_${short}`, 1);
      const { driver, name } = await replier(t, client, topic);
      assert.equal(await ask(t, producer, topic, `sync-${short}`, "sync"), `re: sync-${short}-0`);
      assert.equal(await ask(t, producer, topic, `async-${short}`, "async"), `re: async-${short}-0`);
      const accepted = () => driver.events("reply", name).filter((event) => event.outcome === "SEND_OK").length;
      await driver.until(() => accepted() >= 2, () => `${accepted()} replies of ${client} are said to be accepted`);
      const [request] = driver.messages(name);
      assert.ok(request.properties.CORRELATION_ID);
      assert.equal(request.properties.CLUSTER, "DefaultCluster");
    }),
  );
}

/** Nobody replies: the requester gives up after its time. */
async function timeout(t: Context): Promise<void> {
  const topic = await t.topic("t", 1);
  const producer = await t.producer();
  const consumer = await t.push("c", topic);
  const startedAt = Date.now();
  const request = { do: "request", name: producer, topic, prefix: "q", mode: "sync", timeoutMs: 2000 };
  const answer = await t.driver.attempt(request);
  assert.equal(answer.ok, false);
  assert.ok(Date.now() - startedAt >= 1900, "waited for the reply");
  await t.received(consumer, ["q-0"]);
}

/** The requester is gone when the reply comes: who replies is told. */
async function dead(t: Context): Promise<void> {
  const topic = await t.topic("t", 1);
  const producer = await t.producer();
  const { driver, name } = await replier(t, t.client, topic, { replyAfterMs: 3000 });
  const request = { do: "request", name: producer, topic, prefix: "q", mode: "async", timeoutMs: 10_000 };
  const answer = t.driver.attempt(request).catch(() => {});
  await driver.until(() => driver.messages(name).length > 0, () => "the request");
  await t.stop(producer);
  await driver.until(() => driver.events("reply", name).length > 0, () => "an attempt to reply");
  const [{ outcome }] = driver.events("reply", name);
  assert.match(outcome, /^1 /);
  await answer;
}

export const requestScenarios: Scenario[] = [
  { name: "request-reply", run: pairs },
  { name: "request-timeout", run: timeout },
  { name: "request-dead-requester", run: dead },
];
