import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { listProperties } from "./listing.ts";
import { resolve } from "./resolve.ts";
import { type ServerKind, usedKeys } from "./table.ts";

const golden = readFileSync(new URL("../../tests/golden/properties.txt", import.meta.url), "utf8");
const [broker, namesrv] = golden.split("# --- name server");

// Set in the file of the broker that the golden data comes from, or depending on its machine.
const OF_THAT_BROKER = new Set([
  ...["brokerName", "brokerIP1", "brokerIP2", "listenPort", "haListenPort", "namesrvAddr", "storePathRootDir"],
  ...["storePathCommitLog", "rocketmqHome", "enablePropertyFilter", "kvConfigPath", "configStorePath"],
]);

test("every property of a live broker is known, with its default but for the chosen differences", () => {
  compare("broker", broker);
});

test("every property of a live name server is known, with its default", () => {
  compare("namesrv", namesrv);
});

function compare(kind: ServerKind, text: string): void {
  const machine = { home: "/h", host: "broker-a", address: "127.0.0.1" };
  const lines = listProperties(kind, resolve(kind, { machine, variables: {} }).settings, false);
  const ours = new Map(lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
  const used = usedKeys(kind);
  const entries = text.split("\n").filter((line) => /^\w+=/.test(line));
  assert.ok(entries.length > 30);
  for (const entry of entries) {
    const [name, value] = [entry.slice(0, entry.indexOf("=")), entry.slice(entry.indexOf("=") + 1)];
    assert.ok(ours.has(name), `${name} is not known`);
    const chosen = Object.hasOwn(used, name) ? used[name].apache : undefined;
    if (!OF_THAT_BROKER.has(name)) assert.equal(chosen ?? ours.get(name), value, name);
  }
}
