import assert from "node:assert/strict";
import { after, test } from "node:test";
import { ClientError, connect, type RocketMQ } from "@rmq/client";
import { type Rmq, Scenario } from "../e2e/_rmq.ts";

const scenario = new Scenario();
after(() => scenario.end());

/** A broker and a name server in one process that is killed and started again on the same ports and data. */
async function restartable(): Promise<{ namesrv: string; start: () => Promise<Rmq>; rmq: Rmq }> {
  const { rmq, namesrv, port } = await scenario.standalone();
  const namesrvPort = namesrv.split(":")[1];
  const start = async (): Promise<Rmq> => {
    const flags = ["--data", scenario.directory, "--namesrvPort", namesrvPort, "-p", `${port}`];
    const again = scenario.start(["standalone", ...flags]);
    await again.said(/The broker\[.*boot success/);
    return again;
  };
  return { namesrv, start, rmq };
}

/** Sends one after the other until told to stop; what was acknowledged, and what failed. */
function keepSending(mq: RocketMQ, topic: string) {
  const acknowledged: string[] = [];
  const failures: unknown[] = [];
  let stopped = false;
  const run = async (lane: number): Promise<void> => {
    for (let i = 0; !stopped; i++) {
      const body = `${lane}-${i}`;
      try {
        await mq.send(topic, body);
        acknowledged.push(body);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  const done = Promise.all(Array.from({ length: 8 }, (_, lane) => run(lane)));
  return {
    acknowledged,
    failures,
    stop: async () => {
      stopped = true;
      await done;
    },
  };
}

test("sends go on over kills of the broker and its name server, and nothing acknowledged is lost", async () => {
  const { namesrv, start, rmq } = await restartable();
  const mq = await connect(namesrv, { sendTimeout: "20s", sendRetries: 5 });
  await mq.send("survival", "first");
  const load = keepSending(mq, "survival");
  let running = rmq;
  for (let round = 0; round < 2; round++) {
    await new Promise((resolve) => setTimeout(resolve, 400));
    const before = load.acknowledged.length;
    await running.kill();
    running = await start();
    while (load.acknowledged.length < before + 20) await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await load.stop();
  assert.deepEqual(load.failures, []);
  const { offsets, topics } = mq.admin;
  await topics.describe("survival");
  await mq.admin.groups.create("counting");
  const shown = await offsets.show("counting", "survival");
  const stored = shown.reduce((sum, { end }) => sum + end, 0);
  // A try that was not answered may have been stored too.
  assert.ok(stored >= load.acknowledged.length + 1, `${stored} stored, ${load.acknowledged.length} acknowledged`);
  await mq.close();
  await running.stop();
  await assert.rejects(
    connect(namesrv, { requestTimeout: "1s" }),
    (error) => error instanceof ClientError && error.code === "NAMESRV_UNREACHABLE" && error.retriable,
  );
});

test("TLS reaches a server that offers it", async () => {
  const { namesrv } = await scenario.standalone("--memory");
  await using mq = await connect(namesrv, { tls: { verify: false } });
  assert.equal((await mq.send("encrypted", "x")).status, "SEND_OK");
  await assert.rejects(
    connect(namesrv, { tls: true, requestTimeout: "1s" }),
    (error) => error instanceof ClientError && error.code === "NAMESRV_UNREACHABLE",
    "a self-signed certificate is not trusted",
  );
});
