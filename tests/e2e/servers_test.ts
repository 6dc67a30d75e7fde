import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { Messages } from "./_messages.ts";
import { freePort, inScenario, run, type Scenario } from "./_rmq.ts";

/** Far above what a stop takes, far below a hang. */
const STOP_BOUND_MS = 5000;

const noNohup = process.platform === "linux" ? false : "only Linux tells whether a hang-up is ignored";

async function withMessages(body: (scenario: Scenario, messages: Messages) => Promise<void>): Promise<void> {
  const messages = new Messages();
  try {
    await inScenario((scenario) => body(scenario, messages));
  } finally {
    messages.close();
  }
}

test("standalone says what listens where, where the data is and how durable, and Apache's words", async () => {
  await inScenario(async (scenario) => {
    const { rmq, namesrv, broker, port } = await scenario.standalone();
    assert.match(rmq.out, new RegExp(`name server +${namesrv}\n`));
    assert.match(rmq.out, new RegExp(`broker +${broker} \\(and ${port - 2}\\), told to clients as ${broker}\n`));
    assert.match(rmq.out, new RegExp(`data +${scenario.directory}/store\n`));
    assert.match(rmq.out, /durability +an acknowledged message is on disk \(SYNC_FLUSH\)\n/);
    assert.ok(rmq.out.includes(`The Name Server boot success. serializeType=JSON, address ${namesrv}\n`));
    const boot = `The broker[broker-a, ${broker}] boot success. serializeType=JSON and name server is ${namesrv}\n`;
    assert.ok(rmq.out.endsWith(boot), rmq.out);
  });
});

test("SIGTERM and SIGINT leave a clean store soon, with everything in it", async () => {
  await withMessages(async (scenario, messages) => {
    for (const [round, signal] of (["SIGTERM", "SIGINT"] as const).entries()) {
      const { rmq, broker } = await scenario.standalone();
      assert.equal(await messages.count(broker, "Kept"), round * 10);
      for (let i = 0; i < 10; i++) assert.equal(await messages.send(broker, "Kept", `m${i}`), round * 10 + i);
      assert.ok(existsSync(`${scenario.directory}/store/abort`));
      const late = setTimeout(() => void rmq.kill(), STOP_BOUND_MS);
      const { code, err } = await rmq.stop(signal);
      clearTimeout(late);
      assert.equal(code, 0, err);
      assert.ok(!existsSync(`${scenario.directory}/store/abort`));
    }
  });
});

test("a killed broker comes back with every acknowledged message at its offset", async () => {
  await withMessages(async (scenario, messages) => {
    const first = await scenario.standalone();
    for (let i = 0; i < 20; i++) assert.equal(await messages.send(first.broker, "Killed", `m${i}`), i);
    await first.rmq.kill();
    assert.ok(existsSync(`${scenario.directory}/store/abort`));
    const second = await scenario.standalone();
    const expected = Array.from({ length: 20 }, (_, i) => `m${i}`);
    assert.deepEqual(await messages.pull(second.broker, "Killed", 0), expected);
    assert.equal(await messages.send(second.broker, "Killed", "next"), 20);
  });
});

test("a second broker on a directory is refused in one line, and the first goes on", async () => {
  await withMessages(async (scenario, messages) => {
    const { broker } = await scenario.standalone();
    const port = await freePort();
    const flags = ["--bindAddress", "127.0.0.1", "-p", `${port}`, "--storePathRootDir", `${scenario.directory}/store`];
    const { code, err } = await run(["broker", ...flags]);
    assert.equal(code, 2);
    assert.match(err, /^rmq: .*\/store is in use by another broker: stop it, or choose another directory\n$/m);
    assert.equal(await messages.send(broker, "T", "still here"), 0);
  });
});

test("--memory keeps messages while it runs and leaves nothing on disk", async () => {
  await withMessages(async (scenario, messages) => {
    const { rmq, broker } = await scenario.standalone("--memory");
    assert.match(rmq.out, /in memory only/);
    await messages.send(broker, "T", "hello");
    assert.deepEqual(await messages.pull(broker, "T", 0), ["hello"]);
    assert.equal((await rmq.stop()).code, 0);
    assert.deepEqual(readdirSync(scenario.directory), []);
  });
});

test("an unknown key is a warning with the nearest known name", async () => {
  await inScenario(async (scenario) => {
    const { rmq } = await scenario.standalone("--fileReservedTim", "3");
    assert.match(
      rmq.err,
      /warning: --fileReservedTim: no key is called fileReservedTim; the nearest is fileReservedTime\n/,
    );
  });
});

test("name server and broker run as processes of their own; a stopped broker leaves the routes at once", async () => {
  await withMessages(async (scenario, messages) => {
    const [namesrvPort, port] = [await freePort(), await freePort()];
    const local = ["--bindAddress", "127.0.0.1"];
    const kv = ["--kvConfigPath", `${scenario.directory}/kv.json`];
    const namesrv = scenario.start(["namesrv", "-p", `${namesrvPort}`, ...local, ...kv]);
    await namesrv.said(
      new RegExp(`The Name Server boot success\\. serializeType=JSON, address 127\\.0\\.0\\.1:${namesrvPort}\n`),
    );
    const store = ["--storePathRootDir", `${scenario.directory}/store`, "--brokerName", "b1"];
    const flags = ["-n", `127.0.0.1:${namesrvPort}`, "-p", `${port}`, "--advertise", "127.0.0.1"];
    const broker = scenario.start(["broker", ...flags, ...store, ...local]);
    await broker.said(new RegExp(`The broker\\[b1, 127\\.0\\.0\\.1:${port}\\] boot success`));
    assert.equal(await messages.routeCode(`127.0.0.1:${namesrvPort}`, "TBW102"), 0);
    assert.equal((await broker.stop()).code, 0);
    assert.equal(await messages.routeCode(`127.0.0.1:${namesrvPort}`, "TBW102"), 17);
    assert.equal((await namesrv.stop()).code, 0);
  });
});

test("--log json makes every line an object, the boot words among them", async () => {
  await inScenario(async (scenario) => {
    const { rmq } = await scenario.standalone("--log", "json");
    const { out, err } = await rmq.stop();
    const messages = out.trimEnd().split("\n").map((line) => JSON.parse(line).message);
    assert.ok(messages.some((message) => message.includes("boot success")));
    assert.equal(err, "");
  });
});

test("Ctrl-C that comes twice at once, from the terminal and from the task runner, is one clean stop", async () => {
  await inScenario(async (scenario) => {
    const { rmq } = await scenario.standalone();
    void rmq.stop("SIGINT");
    const { code, out, err } = await rmq.stop("SIGINT");
    assert.equal(code, 0);
    assert.match(out + err, /stopped/);
  });
});

test("a hang-up ends it in order, but not when it was started with nohup", { skip: noNohup }, async () => {
  await withMessages(async (scenario, messages) => {
    const plain = await scenario.standalone();
    assert.equal((await plain.rmq.stop("SIGHUP")).code, 0);
    const { rmq, broker } = await scenario.standalone("--nohup");
    rmq.signal("SIGHUP");
    await messages.send(broker, "T", "still here");
    assert.equal((await rmq.stop()).code, 0);
  });
});
