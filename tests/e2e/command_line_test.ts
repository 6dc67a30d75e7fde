import assert from "node:assert/strict";
import { createServer } from "node:net";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { type Ended, freePort, inScenario, run } from "./_rmq.ts";

/** One line for the user, exit code 2, and no stack trace. */
function assertMistake(ended: Ended, pattern: RegExp): void {
  assert.match(ended.err, pattern);
  assert.equal(ended.code, 2, ended.err);
  const lines = ended.err.trimEnd().split("\n").filter((line) => line.startsWith("rmq: "));
  assert.equal(lines.length, 1, ended.err);
  assert.doesNotMatch(ended.err, /\n\s+at /);
}

test("--help shows the commands and examples, for rmq and for each command", async () => {
  const all = await run(["--help"]);
  assert.equal(all.code, 0);
  assert.match(all.out, /standalone[^]*namesrv[^]*broker[^]*Examples:/);
  for (const command of ["standalone", "namesrv", "broker"]) {
    const { code, out } = await run([command, "--help"]);
    assert.equal(code, 0);
    assert.match(out, /Usage: rmq \w+ \[options\][^]*--configFile[^]*Examples:\n {2}rmq /);
  }
});

test("--version tells ours and Apache's", async () => {
  const { code, out } = await run(["--version"]);
  assert.equal(code, 0);
  assert.match(out, /^rmq \d+\.\d+\.\d+\ncompatible with Apache RocketMQ 5\.5\.0\n$/);
});

test("completion gives a script for each shell, and answers what the script asks", async () => {
  for (const shell of ["bash", "zsh", "fish"]) {
    const { code, out } = await run(["completion", shell]);
    assert.equal(code, 0);
    assert.match(out, /rmq complete/);
  }
  assert.match((await run(["complete", "--", "stand"])).out, /^standalone\t/);
  assert.match((await run(["complete", "--", "broker", "--adv"])).out, /^--advertise\t/);
  assert.match((await run(["complete", "--", "broker", "--flushD"])).out, /^--flushDiskType\t/);
  assert.match((await run(["complete", "--", "broker", "--flushDiskType", ""])).out, /^SYNC_FLUSH\s+ASYNC_FLUSH/);
});

test("a mistake on the command line is one line and exit code 2", async () => {
  assertMistake(await run(["brokr"]), /unknown command 'brokr'/);
  assertMistake(await run(["broker", "-x"]), /unknown option '-x'/);
  assertMistake(await run(["broker", "-c", "/no/such/file"]), /\/no\/such\/file: there is no such file/);
  assertMistake(await run(["standalone", "--memory", "--data", "/x"]), /exclude each other/);
  assertMistake(await run(["broker", "--advertise", "a:b:c"]), /HOST:PORT/);
});

test("a bad value is one line with key, value, where it stands and what is allowed", async () => {
  await inScenario(async ({ directory }) => {
    const file = `${directory}/broker.conf`;
    writeFileSync(file, "flushDiskType = FAST\n");
    const expected = "rmq: flushDiskType=FAST \\(.*broker.conf\\): not allowed; it must be SYNC_FLUSH, ASYNC_FLUSH\n";
    assertMistake(await run(["broker", "-c", file]), new RegExp(`^${expected}$`));
    assertMistake(await run(["broker", "--listenPort", "70000"]), /listenPort=70000 \(--listenPort\).*1 to 65535/);
    assertMistake(await run(["broker"], { RMQ_traceOn: "maybe" }), /traceOn=maybe \(RMQ_traceOn\).*true or false/);
    assertMistake(await run(["broker", "--authenticationEnabled", "true"]), /no authentication yet/);
  });
});

test("defaults, file, variables and flags win over each other in this order", async () => {
  await inScenario(async ({ directory }) => {
    const file = `${directory}/broker.conf`;
    writeFileSync(file, "namesrvAddr=file:1\nbrokerName=of-file\nfileReservedTime=48\nmaxMessageSize=1000\n");
    const variables = { NAMESRV_ADDR: "environment:1", RMQ_fileReservedTime: "49", RMQ_maxMessageSize: "1001" };
    const { code, out } = await run(["broker", "-c", file, "--maxMessageSize", "1002", "--printConfig"], variables);
    assert.equal(code, 0);
    const lines = ["namesrvAddr=file:1", "brokerName=of-file", "fileReservedTime=49", "maxMessageSize=1002"];
    lines.push("flushDiskType=SYNC_FLUSH", "sendMessageThreadPoolNums=2");
    for (const line of lines) assert.ok(out.split("\n").includes(line), line);
    assert.match(
      (await run(["broker", "--printConfig"], { NAMESRV_ADDR: "environment:1" })).out,
      /^namesrvAddr=environment:1$/m,
    );
    assert.match((await run(["broker", "-m", "-n", "flag:1"], variables)).out, /^namesrvAddr=flag:1$/m);
  });
});

test("the file of TLS keys counts less than any other source", async () => {
  await inScenario(async ({ directory }) => {
    const file = `${directory}/tls.properties`;
    writeFileSync(file, "tls.server.mode=enforcing\ntls.server.certPath=/of/file\ntls.client.certPath=/not/ours\n");
    const flags = ["--tls.config.file", file, "--tls.server.certPath", "/of/flag", "--printConfig"];
    const { code, out, err } = await run(["namesrv", ...flags]);
    assert.equal(code, 0, err);
    assert.match(out, /^tls\.server\.mode=enforcing$/m);
    assert.match(out, /^tls\.server\.certPath=\/of\/flag$/m);
  });
});

test("a port that is in use is one line that names it, for each server", async () => {
  await inScenario(async ({ directory }) => {
    const taken = createServer();
    const port = await freePort();
    await new Promise<void>((resolve) => taken.listen(port, "127.0.0.1", resolve));
    try {
      const at = ["--bindAddress", "127.0.0.1", "-p", `${port}`];
      const inUse = new RegExp(`127\\.0\\.0\\.1:${port}.* is in use: .*-p PORT`);
      assertMistake(await run(["namesrv", ...at, "--kvConfigPath", `${directory}/kv.json`]), inUse);
      assertMistake(await run(["broker", ...at, "--storePathRootDir", `${directory}/store`]), inUse);
      const free = await freePort();
      const standalone = ["standalone", "--data", directory, "--namesrvPort", `${port}`, "-p", `${free}`];
      assertMistake(await run(standalone), new RegExp(`:${port} is in use: .*--namesrvPort PORT`));
    } finally {
      taken.close();
    }
  });
});

test("a directory that can't be made or written is one line that names it", async () => {
  await inScenario(async ({ directory }) => {
    const file = `${directory}/file`;
    writeFileSync(file, "");
    const flags = ["--bindAddress", "127.0.0.1", "-p", `${await freePort()}`, "--storePathRootDir", `${file}/store`];
    assertMistake(await run(["broker", ...flags]), new RegExp(`${file}/store`));
  });
});

test("standalone names a directory and a port that can't be used", async () => {
  await inScenario(async ({ directory }) => {
    const file = `${directory}/a-file`;
    writeFileSync(file, "");
    assertMistake(await run(["standalone", "--data", ""]), /--data names no directory/);
    assertMistake(await run(["standalone", "--data", file]), /is a file: name a directory/);
    assertMistake(await run(["standalone", "--namesrvPort", "70000"]), /--namesrvPort 70000: not allowed/);
  });
});
