/** What a user of the npm packages writes; run on Node, Bun and Deno. */
import { ClientError, connect, type SendReceipt } from "@rmq/client";
import { Broker } from "@rmq/testing";

await using broker = await Broker.inMemory({ ports: true });
await using mq = await connect(broker.address);
const receipt: SendReceipt = await mq.send("orders", { id: 7 }, { tag: "paid" });
console.log("sent", receipt.messageId);
for await (const message of mq.consume("orders", { group: "billing", from: "first" })) {
  console.log("received order", message.json<{ id: number }>().id);
  await message.ack();
  break;
}

// The same without a port, and an error of the one package as a class of the other.
await using quiet = await Broker.inMemory();
const inside = await quiet.connect();
await inside.send("reminders", "stand up", { delay: "2h" });
await quiet.clock.advance("2h");
try {
  await inside.send("no topic?", "text");
} catch (error) {
  if (!(error instanceof ClientError) || error.code !== "BAD_ARGUMENT") throw error;
}
