// Looking back with Apache's own mqadmin 5.5.0 and a Java consumer, against dist/rmq or what INTEROP_TARGET names.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { javaAvailable } from "../../scripts/peers/jars.ts";
import { mqadminScript } from "../../scripts/peers/mqadmin.ts";
import { request } from "../../scripts/peers/request.ts";
import { clientAvailable, driverCommand } from "./clients.ts";
import { Context, eventually, keysOf } from "./context.ts";
import { Driver, type SendOutcome } from "./driver.ts";
import { startTarget, targetAvailable, type TargetKind } from "./target.ts";

const kind: TargetKind = process.env.INTEROP_TARGET === "apache" ? "apache" : "rmq";
const client = "java-5.5.0";
const reason = [targetAvailable(kind), clientAvailable(client), javaAvailable("servers-5.5.0")]
  .find((one) => !one.ok)?.reason;
const limit = { timeout: 300_000 };
const COUNT = 12;
const QUEUES = 2;

/** A topic with messages m-0 … m-11 (tags A, B in turn), a group that consumed them, and mqadmin. */
class Setup {
  readonly keys: string[] = keysOf("m", COUNT);
  group = "";
  consumer = "";
  topic = "";
  sent: SendOutcome[] = [];

  constructor(readonly t: Context) {}

  async fill(): Promise<void> {
    const { t } = this;
    this.topic = await t.topic("T", QUEUES);
    this.group = t.named("g");
    const producer = await t.producer();
    this.sent = await t.send(producer, this.topic, { prefix: "m", count: COUNT, tags: "A,B", mode: "sync" });
    this.consumer = await t.push("c", this.topic, { from: "first" });
    await t.received(this.consumer, this.keys);
    await eventually(() => this.stands(this.group, COUNT), "all is committed");
  }

  mqadmin(...commands: string[][]): Promise<string[]> {
    return mqadminScript(commands.map(([name, ...words]) => [name, "-n", this.t.target.namesrv, ...words]));
  }

  async stands(group: string, sum: number): Promise<boolean> {
    return await this.t.committed(group, this.topic, QUEUES) === sum;
  }

  /** How often each message came. */
  counts(): number[] {
    const messages = this.t.driver.messages(this.consumer);
    return this.keys.map((key) => messages.filter((message) => message.key === key).length);
  }

  /** mqadmin moves groups that exist, wherever they stand. */
  async makeGroup(group: string): Promise<void> {
    const body = new TextEncoder().encode(JSON.stringify({ groupName: group }));
    assert.equal((await request(this.t.target.broker, 200, {}, body)).code, 0);
  }

  async clientId(): Promise<string> {
    const { body } = await request(this.t.target.broker, 38, { consumerGroup: this.group });
    return JSON.parse(new TextDecoder().decode(body)).consumerIdList[0];
  }
}

async function withSetup(
  name: string,
  config: Record<string, string>,
  run: (setup: Setup) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "interop-lookback-"));
  driverCommand(client, "", join(directory, client));
  const target = await startTarget(kind, directory, config);
  const driver = new Driver(client, driverCommand(client, target.namesrv, join(directory, client)));
  const setup = new Setup(new Context(client, new Map([[client, driver]]), driver, target, name, directory));
  try {
    await setup.fill();
    await run(setup);
  } finally {
    await driver.close();
    await target.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

describe(`mqadmin looks back at ${kind}`, limit, () => {
  if (reason !== undefined) {
    it(`queries, status, resets (${reason})`, { skip: true }, () => {});
    return;
  }

  it("queries, what a consumer says of itself, and resets while it is online and when it is gone", limit, () => {
    return withSetup("lookback", {}, async (setup) => {
      const { topic, group, sent } = setup;
      const id = await setup.clientId();
      for (const other of [group + "2", group + "3"]) await setup.makeGroup(other);
      const [byId, byUnique, byKey, noKey, unique, byOffset, progress, status, directly, where, cloned] = await setup
        .mqadmin(
          ["queryMsgById", "-t", topic, "-i", sent[3].offsetMsgId],
          ["queryMsgById", "-t", topic, "-i", sent[4].msgId],
          ["queryMsgByKey", "-t", topic, "-k", "m-5"],
          ["queryMsgByKey", "-t", topic, "-k", "nothing"],
          ["queryMsgByUniqueKey", "-t", topic, "-i", sent[6].msgId],
          ["queryMsgByOffset", "-t", topic, "-b", "broker-a", "-i", "1", "-o", "2"],
          ["consumerProgress", "-g", group, "-t", topic, "-s", "true"],
          ["consumerStatus", "-g", group, "-i", id],
          ["queryMsgById", "-t", topic, "-i", sent[7].offsetMsgId, "-g", group, "-d", id],
          ["getConsumerStatus", "-g", group, "-t", topic],
          ["cloneGroupOffset", "-s", group, "-d", group + "2", "-t", topic, "-o", "true"],
        );
      assert.match(byId, /Keys: +\[m-3\]/);
      assert.match(byId, new RegExp(`consumerGroup=${group}, trackType=CONSUMED`));
      assert.match(byUnique, /Keys: +\[m-4\]/);
      assert.match(byKey, new RegExp(`^${sent[5].msgId} .*@K@m-5@`, "m"));
      assert.match(noKey, /CODE: 208 +DESC: query message by key finished, but no message/);
      assert.match(unique, /Keys: +\[m-6\]/);
      const third = sent.find((one) => one.queueId === 1 && one.queueOffset === 2);
      assert.match(byOffset, new RegExp(`Keys: +\\[${third?.key}\\]`));
      assert.match(progress, /Consume Diff Total: 0/);
      assert.match(progress, / \d+\.\d+\.\d+\.\d+ /);
      assert.match(status, /#Consumer MQ Detail#/);
      assert.match(directly, /consumeResult=CR_SUCCESS/);
      assert.match(where, new RegExp(`^${id} +broker-a +1 +${COUNT / QUEUES}\\b`, "m"));
      assert.match(cloned, /clone group offset success/);
      assert.ok(await setup.stands(group + "2", COUNT));
      assert.equal(setup.counts()[7], 2);

      const [reset] = await setup.mqadmin(["resetOffsetByTime", "-g", group, "-t", topic, "-s", "0"]);
      assert.match(reset, /^broker-a +0 +0\b/m);
      await eventually(() => Promise.resolve(setup.counts().every((count) => count > 1)), "all comes again");
      await eventually(() => setup.stands(group, COUNT), "all is committed again");

      await setup.t.stop(setup.consumer);
      const at = String(sent.filter((one) => one.queueId === 0).length);
      const [one, back, end, old] = await setup.mqadmin(
        ["resetOffsetByTime", "-g", group, "-t", topic, "-s", "-1", "-b", setup.t.target.broker, "-q", "0", "-o", "1"],
        ["resetOffsetByTime", "-g", group, "-t", topic, "-s", "0"],
        ["skipAccumulatedMessage", "-g", group, "-t", topic],
        ["resetOffsetByTimeOld", "-g", group + "3", "-t", topic, "-s", "0", "-f", "true"],
      );
      assert.match(one, /reset consumer offset to 1\b/);
      assert.match(back, /^broker-a +1 +0\b/m);
      assert.match(end, new RegExp(`^broker-a +0 +${at}\\b`, "m"));
      assert.match(old, /^broker-a +1 +/m);
      assert.ok(await setup.stands(group, COUNT));
      const last = await setup.t.push("c2", topic, { from: "first" });
      await setup.t.send(setup.t.named("p"), topic, { prefix: "later", count: 2, mode: "sync" });
      const later = await setup.t.received(last, keysOf("later", 2));
      assert.deepEqual(later.map((message) => message.key).sort(), keysOf("later", 2));
    });
  });

  it("without useServerSideResetOffset members are told where to go on, and nobody else is moved", limit, () => {
    return withSetup("pushed", { useServerSideResetOffset: "false" }, async (setup) => {
      const { topic, group } = setup;
      const skip = ["skipAccumulatedMessage", "-g", group, "-t", topic];
      const reset = () => request(setup.t.target.broker, 222, { topic, group, timestamp: "0", isForce: "true" });
      assert.equal((await reset()).code, 0);
      await eventually(() => Promise.resolve(setup.counts().every((count) => count > 1)), "all comes again", 60_000);
      await eventually(() => setup.stands(group, COUNT), "all is committed again");
      await setup.t.stop(setup.consumer);
      assert.equal((await reset()).code, 206);
      // mqadmin sees that nobody is online and moves the group by a commit.
      const [old] = await setup.mqadmin(skip);
      assert.match(old, /^broker-a +0 +/m);
      assert.ok(await setup.stands(group, COUNT));
    });
  });
});
