import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { brokerKeys, namesrvKeys, ownBrokerKeys, storeKeys, tlsKeys, usedKeys } from "@rmq/config";
import { root } from "./_sources.ts";

const members = (path: string, name: string): string[] => {
  const text = readFileSync(`${root}${path}`, "utf8");
  const body = new RegExp(`interface ${name} \\{([^]*?)\n\\}`).exec(text)?.[1] ?? "";
  const names = [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??:/gm)].map((match) => match[1]);
  assert.ok(names.length > 5, `${name} of ${path} has no members`);
  return names;
};

test("every key that the broker reads is in the table", () => {
  const table = usedKeys("broker");
  assert.deepEqual(
    members("lib/broker/settings.ts", "BrokerSettings").filter((name) => !Object.hasOwn(table, name)),
    [],
  );
});

test("every key that the table calls used is handed to somebody", () => {
  const files = ["broker", "namesrv", "remoting"].map((name) => `lib/${name}/configured.ts`);
  const slices = [...files, "cmd/configuration.ts"].map((file) => readFileSync(`${root}${file}`, "utf8")).join("");
  const all = { ...brokerKeys, ...storeKeys, ...ownBrokerKeys, ...namesrvKeys, ...tlsKeys };
  assert.deepEqual(Object.keys(all).filter((name) => !slices.includes(`"${name}"`)), []);
});
