import assert from "node:assert/strict";
import { test } from "node:test";
import { ClientError, Message, type MessageSource } from "@rmq/client";
import { cluster, eventually, type Stored } from "./_cluster.ts";

const shared = cluster();

/** A stored message as a consumer would have it. */
function received(topic: string, { body, properties, queueId }: Stored): Message {
  const source = { queue: { topic, brokerName: "broker-a", queueId }, sysFlag: 0, offset: 0 } as MessageSource;
  return new Message(topic, new TextEncoder().encode(body), properties, source);
}

test("a request gets the reply of who received it", async () => {
  const [asks, answers] = [await shared.client(), await shared.client()];
  const topic = shared.name("request");
  const replies = ["one", "two"].map((question) => asks.request(topic, question, { timeout: "10s" }));
  const stored = await eventually(() => shared.stored(topic), (all) => all.length === 2);
  for (const each of stored) await answers.reply(received(topic, each), `answer to ${each.body}`);
  const texts = (await Promise.all(replies)).map((reply) => reply.text());
  assert.deepEqual(texts, ["answer to one", "answer to two"]);
});

test("a request without a reply ends in time, and with its signal", async () => {
  const mq = await shared.client();
  const topic = shared.name("request");
  const code = (wanted: string) => (error: unknown) => error instanceof ClientError && error.code === wanted;
  await assert.rejects(mq.request(topic, "x", { timeout: 300 }), code("TIMEOUT"));
  const stop = new AbortController();
  const request = mq.request(topic, "x", { timeout: "10s", signal: stop.signal });
  setTimeout(() => stop.abort(), 100);
  await assert.rejects(request, code("ABORTED"));
});

test("only requests can be replied to", async () => {
  const mq = await shared.client();
  const message = new Message("t", new Uint8Array(1), new Map(), { sysFlag: 0 } as MessageSource);
  await assert.rejects(
    mq.reply(message, "x"),
    (error) => error instanceof ClientError && error.code === "BAD_ARGUMENT",
  );
});
