import assert from "node:assert/strict";
import { test } from "node:test";
import { splitKeyFlags } from "./key_flags.ts";

const own = new Set(["--port", "--memory", "--help"]);
const split = (...words: string[]) => splitKeyFlags(words, own);

test("keys with their values leave the command line, our own flags stay", () => {
  assert.deepEqual(split("broker", "-p", "1", "--brokerName", "b", "--port=2", "--memory", "--fileReservedTime=9"), {
    own: ["broker", "-p", "1", "--port=2", "--memory"],
    keys: { brokerName: "b", fileReservedTime: "9" },
  });
});

test("a key without a value is true, a negative number is a value", () => {
  assert.deepEqual(split("--traceOn", "--brokerId", "-1", "--longPollingEnable", "-p", "1").keys, {
    traceOn: "true",
    brokerId: "-1",
    longPollingEnable: "true",
  });
});

test("a dotted key and an empty value are taken", () => {
  assert.deepEqual(split("--tls.server.mode", "enforcing", "--namesrvAddr=").keys, {
    "tls.server.mode": "enforcing",
    namesrvAddr: "",
  });
});

test("what shells ask for completion is left alone", () => {
  assert.deepEqual(split("complete", "--", "broker", "--brok"), {
    own: ["complete", "--", "broker", "--brok"],
    keys: {},
  });
});
