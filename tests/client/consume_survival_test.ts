import assert from "node:assert/strict";
import { after, test } from "node:test";
import { connect, type RocketMQ, type Worker } from "@rmq/client";
import { type Rmq, Scenario } from "../e2e/_rmq.ts";
import { eventually } from "./_cluster.ts";

const scenario = new Scenario();
after(() => scenario.end());

/** A broker and a name server in one process that can be started again on the same ports and data. */
async function restartable(): Promise<{ namesrv: string; start: () => Promise<Rmq>; rmq: Rmq }> {
  const { rmq, namesrv, port } = await scenario.standalone();
  const flags = ["--data", scenario.directory, "--namesrvPort", namesrv.split(":")[1], "-p", `${port}`];
  const start = async (): Promise<Rmq> => {
    const again = scenario.start(["standalone", ...flags]);
    await again.said(/The broker\[.*boot success/);
    return again;
  };
  return { namesrv, start, rmq };
}

async function sendSome(mq: RocketMQ, topic: string, from: number, count: number): Promise<string[]> {
  const bodies = Array.from({ length: count }, (_, i) => `${from + i}`);
  await Promise.all(bodies.map((body) => mq.send(topic, body, { timeout: "20s" })));
  return bodies;
}

test("consuming goes on over kills of the broker and its name server, members that come and members that go", async () => {
  const { namesrv, start, rmq } = await restartable();
  const mq = await connect(namesrv, { sendTimeout: "20s", sendRetries: 5 });
  await mq.admin.topics.create("survival", { queues: 8 });
  const seen = new Map<string, number>();
  const clients: RocketMQ[] = [];
  const workers: Worker[] = [];
  const join = async (): Promise<void> => {
    const client = await connect(namesrv);
    clients.push(client);
    const worker = await client.work("survival", (message) => {
      seen.set(message.text(), (seen.get(message.text()) ?? 0) + 1);
    }, { group: "survivors", from: "first", commitInterval: "200ms" });
    workers.push(worker);
  };
  await join();
  await join();
  let running = rmq;
  const sent: string[] = [];
  for (let round = 0; round < 2; round++) {
    sent.push(...await sendSome(mq, "survival", sent.length, 300));
    await running.kill();
    running = await start();
    sent.push(...await sendSome(mq, "survival", sent.length, 300));
    if (round === 0) await join();
    else await workers.shift()?.close();
  }
  sent.push(...await sendSome(mq, "survival", sent.length, 300));
  const missing = () => sent.filter((body) => !seen.has(body)).length;
  assert.equal(await eventually(missing, (count) => count === 0), 0);
  const shares = () => workers.map(({ queues }) => queues.filter(({ queue }) => queue.topic === "survival").length);
  const even = await eventually(shares, (all) => all.every((count) => count === 4));
  assert.deepEqual(even, [4, 4]);
  await Promise.all(clients.map((client) => client.close()));
  const lag = async () =>
    (await mq.admin.offsets.show("survivors", "survival")).reduce((sum, each) => sum + each.lag, 0);
  assert.equal(await eventually(lag, (left) => left === 0), 0);
  await mq.close();
  await running.stop();
});

test("order is kept over a kill of the broker", async () => {
  const { namesrv, start, rmq } = await restartable();
  const mq = await connect(namesrv, { sendTimeout: "20s", sendRetries: 5 });
  await mq.admin.topics.create("steps", { queues: 4 });
  const seen = new Map<string, number[]>();
  const members = [await connect(namesrv), await connect(namesrv)];
  for (const member of members) {
    await member.work("steps", (message) => {
      const { key, step } = message.json<{ key: string; step: number }>();
      const steps = seen.get(key) ?? [];
      // What comes twice comes in its order again.
      steps.splice(steps.indexOf(step) < 0 ? steps.length : steps.indexOf(step), Infinity, step);
      seen.set(key, steps);
    }, { group: "walkers", from: "first", ordered: true });
  }
  const keys = Array.from({ length: 8 }, (_, i) => `key-${i}`);
  const walk = (from: number, count: number) =>
    Promise.all(keys.map(async (key) => {
      for (let step = from; step < from + count; step++) {
        await mq.send("steps", { key, step }, { orderBy: key, timeout: "20s", retries: 5 });
      }
    }));
  await walk(0, 20);
  await rmq.kill();
  const running = await start();
  await walk(20, 20);
  const wanted = Array.from({ length: 40 }, (_, step) => step).join();
  const right = () => keys.filter((key) => [...new Set(seen.get(key))].join() === wanted).length;
  assert.equal(await eventually(right, (count) => count === keys.length), keys.length, JSON.stringify([...seen]));
  await Promise.all([...members, mq].map((each) => each.close()));
  await running.stop();
});
