// One consumer group of Java and @rmq/client members, against dist/rmq or what INTEROP_TARGET names.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { connect, type RocketMQ, type Worker } from "@rmq/client";
import { parseJson, RequestCode } from "@rmq/protocol";
import { request } from "../../scripts/peers/request.ts";
import { clientAvailable, driverCommand } from "./clients.ts";
import { Driver } from "./driver.ts";
import { startTarget, targetAvailable, type TargetKind } from "./target.ts";

const kind: TargetKind = process.env.INTEROP_TARGET === "apache" ? "apache" : "rmq";
const client = "java-5.5.0";
const reason = [targetAvailable(kind), clientAvailable(client)].find((one) => !one.ok)?.reason;
const QUEUES = 8;
const topic = "mixed-orders";
const group = "mixed-billing";

/** Numbers of the queues that each member reads, by client id, as the members themselves say. */
async function shares(broker: string): Promise<Map<string, number[]>> {
  const ask = async (code: number, fields: Record<string, string>): Promise<Record<string, unknown>> => {
    const { body, remark } = await request(broker, code, fields);
    assert.ok(body.length > 0, remark);
    return parseJson(body) as Record<string, unknown>;
  };
  const { consumerIdList } = await ask(RequestCode.GET_CONSUMER_LIST_BY_GROUP, { consumerGroup: group });
  const all = new Map<string, number[]>();
  for (const clientId of consumerIdList as string[]) {
    const fields = { consumerGroup: group, clientId, jstackEnable: "false" };
    const { mqTable } = await ask(RequestCode.GET_CONSUMER_RUNNING_INFO, fields);
    const queues = Object.keys(mqTable as Record<string, unknown>).map((key) => JSON.parse(key));
    all.set(clientId, queues.filter((queue) => queue.topic === topic).map(({ queueId }) => queueId).sort());
  }
  return all;
}

test("two Java members and two of @rmq/client share queues without overlap through joins and leaves", {
  skip: reason ?? false,
  timeout: 300_000,
}, async () => {
  const directory = mkdtempSync(join(tmpdir(), "rmq-mixed-"));
  const target = await startTarget(kind, directory);
  const java = new Driver("java", driverCommand(client, target.namesrv, join(directory, "java")));
  const ours: { mq: RocketMQ; worker: Worker }[] = [];
  const got = new Set<string>();
  try {
    const admin = await connect(target.namesrv);
    await admin.admin.topics.create(topic, { queues: QUEUES });
    const join = async (): Promise<void> => {
      const mq = await connect(target.namesrv);
      const worker = await mq.work(topic, (message) => void got.add(message.text()), { group, from: "first" });
      ours.push({ mq, worker });
    };
    const joinJava = (name: string) => java.call({ do: "push", name, group, topic, from: "first" });
    const even = async (members: number): Promise<void> => {
      let last: Map<string, number[]> = new Map();
      for (let i = 0; i < 60; i++) {
        last = await shares(target.broker).catch(() => new Map());
        const counts = [...last.values()].map((queues) => queues.length);
        const all = [...last.values()].flat().sort();
        const fair = counts.length === members && Math.max(...counts) - Math.min(...counts) <= 1;
        if (fair && all.join() === Array.from({ length: QUEUES }, (_, i) => i).join()) return;
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
      assert.fail(`${members} members do not share ${QUEUES} queues: ${JSON.stringify([...last])}`);
    };
    let sent = 0;
    const names: string[] = [];
    const everythingArrives = async (): Promise<void> => {
      const bodies = Array.from({ length: 80 }, () => `message ${sent++}`);
      await Promise.all(bodies.map((body) => admin.send(topic, body)));
      const missing = () => {
        for (const name of names) for (const { text } of java.messages(name)) got.add(text);
        return bodies.filter((body) => !got.has(body));
      };
      for (let i = 0; i < 100 && missing().length > 0; i++) await new Promise((resolve) => setTimeout(resolve, 200));
      assert.deepEqual(missing(), []);
    };
    await join();
    await joinJava(names[0] = "j1");
    await even(2);
    await everythingArrives();
    await join();
    await joinJava(names[1] = "j2");
    await even(4);
    await everythingArrives();
    await ours.shift()?.mq.close();
    await even(3);
    await everythingArrives();
    await java.call({ do: "stop", name: "j1" });
    await even(2);
    await everythingArrives();
    await admin.close();
  } finally {
    await Promise.all(ours.map(({ mq }) => mq.close()));
    await java.close();
    await target.close();
    rmSync(directory, { recursive: true, force: true });
  }
});
