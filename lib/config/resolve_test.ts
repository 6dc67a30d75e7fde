import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "./config_error.ts";
import { listProperties } from "./listing.ts";
import { type ConfigSources, resolve } from "./resolve.ts";
import { keyGroups } from "./table.ts";
import { parseValue } from "./value.ts";

const machine = { home: "/home/u", host: "h1", address: "10.0.0.7" };

function sources(
  file: string,
  variables: Record<string, string> = {},
  flags: Record<string, string> = {},
): ConfigSources {
  return { machine, file: { path: "broker.conf", bytes: new TextEncoder().encode(file) }, variables, flags };
}

function problems(file: string): readonly string[] {
  try {
    resolve("broker", sources(file));
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

test("without anything the defaults are Apache's, filled in from the machine, and durable", () => {
  const { settings, warnings } = resolve("broker", { machine, variables: { NAMESRV_ADDR: "n1:9876" } });
  assert.deepEqual(
    settings.slice(["brokerName", "brokerIP1", "namesrvAddr", "storePathRootDir", "flushDiskType", "listenPort"]),
    {
      brokerName: "h1",
      brokerIP1: "10.0.0.7",
      namesrvAddr: "n1:9876",
      storePathRootDir: "/home/u/store",
      flushDiskType: "SYNC_FLUSH",
      listenPort: 10911,
    },
  );
  assert.deepEqual(warnings, []);
});

test("the file wins over NAMESRV_ADDR and defaults, variables over the file, flags over all", () => {
  const file = "namesrvAddr=f:1\nlistenPort=1\nfileReservedTime=1\nmaxMessageSize=1";
  const variables = { NAMESRV_ADDR: "e:1", RMQ_fileReservedTime: "2", RMQ_maxMessageSize: "2" };
  const { settings } = resolve("broker", {
    ...sources(file, variables, { maxMessageSize: "3" }),
    defaults: { listenPort: "9", enablePropertyFilter: "true" },
  });
  assert.deepEqual(
    settings.slice(["namesrvAddr", "listenPort", "fileReservedTime", "maxMessageSize", "enablePropertyFilter"]),
    { namesrvAddr: "f:1", listenPort: 1, fileReservedTime: 2, maxMessageSize: 3, enablePropertyFilter: true },
  );
  assert.equal(settings.origin("fileReservedTime"), "RMQ_fileReservedTime");
  assert.equal(settings.origin("maxMessageSize"), "--maxMessageSize");
});

test("a dotted key is set by a variable with underscores", () => {
  const { settings } = resolve("broker", sources("", { RMQ_tls_server_mode: "enforcing" }));
  assert.equal(settings.get("tls.server.mode"), "enforcing");
});

test("an unknown key is a warning with the nearest known name", () => {
  const { warnings } = resolve("broker", sources("flushDiskTyp=SYNC_FLUSH", { RMQ_listenport: "1" }));
  assert.deepEqual(warnings, [
    "broker.conf: no key is called flushDiskTyp; the nearest is flushDiskType",
    "RMQ_listenport: no key is called listenport; the nearest is listenPort",
  ]);
});

test("Apache's keys without effect here are accepted silently and printed with their value", () => {
  const { settings, warnings } = resolve("broker", sources("sendMessageThreadPoolNums=64\nkvConfigPath=/x"));
  assert.deepEqual(warnings, []);
  assert.ok(listProperties("broker", settings, false).includes("sendMessageThreadPoolNums=64"));
});

test("a bad value is an error with key, value, origin and what is allowed; all of them are told", () => {
  const bad = ["listenPort=70000", "flushDiskType=FAST", "autoCreateTopicEnable=yes", "deleteWhen=24"];
  bad.push("messageDelayLevel=1s 5", "namesrvAddr=localhost", "maxMessageSize=");
  assert.deepEqual(problems(bad.join("\n")), [
    "listenPort=70000 (broker.conf): not allowed; it must be a whole number from 1 to 65535",
    "flushDiskType=FAST (broker.conf): not allowed; it must be SYNC_FLUSH, ASYNC_FLUSH",
    "autoCreateTopicEnable=yes (broker.conf): not allowed; it must be true or false",
    "deleteWhen=24 (broker.conf): not allowed; it must be hours from 00 to 23, joined by ;",
    "messageDelayLevel=1s 5 (broker.conf): not allowed; it must be numbers with s, m, h or d, joined by blanks",
    "namesrvAddr=localhost (broker.conf): not allowed; it must be host:port or [IPv6]:port, several joined by ;",
    "maxMessageSize= (broker.conf): not allowed; it must be a whole number from 1 to 16000000",
  ]);
});

test("a promise that can't be kept yet is refused, its default is not", () => {
  assert.equal(problems("authenticationEnabled=true\nbrokerRole=SLAVE").length, 2);
  assert.deepEqual(problems("authenticationEnabled=false\nbrokerRole=SYNC_MASTER\nstoreType=default"), []);
});

test("names from Object's prototype are unknown keys like any other", () => {
  const { warnings } = resolve("broker", sources("constructor=1\n__proto__=2\ntoString=3"));
  assert.equal(warnings.length, 3);
});

test("a placeholder in a value is taken literally, and told", () => {
  const { settings, warnings } = resolve("broker", sources("storePathRootDir=${user.home}/store"));
  assert.equal(settings.get("storePathRootDir"), "${user.home}/store");
  assert.equal(warnings.length, 1);
});

test("every default is a value that its own key allows, and no key stands twice", () => {
  for (const kind of ["broker", "namesrv"] as const) {
    const seen = new Set<string>();
    for (const { used, accepted } of keyGroups(kind)) {
      for (const name of [...Object.keys(used), ...Object.keys(accepted)]) {
        assert.ok(!seen.has(name), `${kind} ${name}`);
        seen.add(name);
      }
      for (const [name, key] of Object.entries(used)) {
        assert.equal(parseValue(key, String(key.default)), key.default, name);
      }
    }
  }
});
