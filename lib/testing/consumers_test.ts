import assert from "node:assert/strict";
import { test } from "node:test";
import { Broker } from "./mod.ts";

test("messages are consumed and acknowledged, and a member that comes later goes on behind them", async () => {
  await using broker = await Broker.inMemory();
  const mq = await broker.connect();
  for (let i = 0; i < 10; i++) await mq.send("orders", `order ${i}`);
  const seen: string[] = [];
  for await (const message of mq.consume("orders", { group: "billing", from: "first" })) {
    seen.push(message.text());
    await message.ack();
    if (seen.length === 10) break;
  }
  assert.deepEqual(seen.sort(), Array.from({ length: 10 }, (_, i) => `order ${i}`));
  await mq.send("orders", "last");
  const other = await broker.connect();
  for await (const message of other.consume("orders", { group: "billing", from: "first" })) {
    assert.equal(message.text(), "last");
    break;
  }
});

test("a message that is delayed by two hours arrives when the clock is turned", { timeout: 30_000 }, async () => {
  await using broker = await Broker.inMemory();
  const mq = await broker.connect();
  const got: string[] = [];
  await using _worker = await mq.work("orders", (message) => void got.push(message.text()), { group: "billing" });
  await mq.send("orders", "later", { delay: "2h" });
  await broker.clock.advance("1h 59m");
  assert.deepEqual(got, []);
  await broker.clock.advance("2m");
  assert.deepEqual(got, ["later"]);
});
