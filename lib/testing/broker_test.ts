import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "@rmq/client";
import { ConfigError } from "@rmq/config";
import { Broker } from "./mod.ts";

test("a message is sent, with no port taken and nothing on disk", async () => {
  await using broker = await Broker.inMemory();
  const mq = await broker.connect();
  const receipt = await mq.send("orders", "hello");
  assert.equal(receipt.queue.topic, "orders");
  assert.ok(receipt.offset >= 0);
});

test("with ports other processes reach it, and two of them live side by side", async () => {
  await using one = await Broker.inMemory({ ports: true });
  await using other = await Broker.inMemory({ ports: true });
  assert.notEqual(one.address, other.address);
  await using mq = await connect(one.address);
  const receipt = await mq.send("orders", "hello");
  assert.ok(receipt.messageId.length === 32);
});

test("its configuration is checked as the command line's is", async () => {
  await assert.rejects(Broker.inMemory({ config: { brokerPermission: "seven" } }), ConfigError);
});

test("the clock of the broker is turned", async () => {
  await using broker = await Broker.inMemory();
  const before = broker.clock.nowMs();
  await broker.clock.advance("2h");
  assert.ok(broker.clock.nowMs() - before >= 7_200_000);
});
