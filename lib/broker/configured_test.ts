import assert from "node:assert/strict";
import { test } from "node:test";
import { resolve } from "@rmq/config";
import { defaultStoreOptions } from "@rmq/store";
import { brokerSettings, storeOptions } from "./configured.ts";

const machine = { home: "/h", host: "h1", address: "10.0.0.7" };
const settings = (flags: Record<string, string> = {}) => resolve("broker", { machine, variables: {}, flags }).settings;

test("the table's defaults are the store's own", () => {
  const { storeHost: _, diskDistanceBytes: __, ...expected } = defaultStoreOptions("/h/store");
  const options = storeOptions(settings(), { pid: 7, memoryBytes: 1000 });
  for (const [name, value] of Object.entries(expected)) {
    assert.deepEqual(options[name as keyof typeof expected], value, name);
  }
  assert.equal(options.minFreeBytes, undefined);
  assert.equal(options.processId, 7);
  assert.equal(options.diskDistanceBytes, 400);
});

test("ratios stay within Apache's bounds", () => {
  const options = storeOptions(settings({ diskSpaceWarningLevelRatio: "99", diskMaxUsedSpaceRatio: "5" }), {
    pid: 1,
    memoryBytes: 1000,
  });
  assert.equal(options.diskSpaceWarningLevelRatio, 0.9);
  assert.equal(options.diskMaxUsedSpaceRatio, 10);
});

test("a master has id 0, and slaves are served on the port after the clients'", () => {
  const broker = brokerSettings(settings({ brokerId: "3", listenPort: "20000", brokerIP1: "[::1]" }));
  assert.equal(broker.brokerId, 0);
  assert.equal(broker.haListenPort, 20001);
  assert.equal(broker.brokerIP1, "::1");
});
