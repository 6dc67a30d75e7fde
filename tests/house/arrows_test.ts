import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { imports, packages, root, sources } from "./_sources.ts";

/** What each package may import, besides what all may (docs/architecture.md). */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  platform: [],
  protocol: ["platform"],
  config: ["platform"],
  remoting: [],
  store: [],
  ha: ["store"],
  namesrv: ["remoting"],
  broker: ["store", "ha", "remoting"],
  client: ["remoting"],
  admin: ["client"],
  bench: ["client"],
  testing: ["broker", "namesrv", "client"],
};
const FOR_ALL = ["platform", "protocol", "config"];
/** Built-ins that compute and touch nothing of the machine. */
const PURE_BUILTINS = ["node:zlib", "node:buffer"];

test("packages import each other along the arrows only", () => {
  const wrong: string[] = [];
  for (const name of packages()) {
    assert.ok(Object.hasOwn(ARROWS, name), `lib/${name} has no arrows`);
    const independent = ["platform", "protocol", "config"].includes(name);
    const allowed = new Set([name, ...ARROWS[name], ...(independent ? [] : FOR_ALL)]);
    for (const source of sources(`lib/${name}`)) {
      for (const specifier of imports(source)) {
        const target = /^@rmq\/([^/]+)/.exec(specifier)?.[1];
        if (target !== undefined && !allowed.has(target)) wrong.push(`${source.path}: ${specifier}`);
      }
    }
  }
  assert.deepEqual(wrong, []);
});

test("relative imports stay within their package", () => {
  const wrong: string[] = [];
  for (const source of sources("lib")) {
    const [, name] = source.path.split("/");
    for (const specifier of imports(source)) {
      if (!specifier.startsWith(".")) continue;
      const target = new URL(specifier, `file:///${source.path}`).pathname;
      const shared = source.isTest && target.startsWith("/tests/golden/");
      if (!target.startsWith(`/lib/${name}/`) && !shared) wrong.push(`${source.path}: ${specifier}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test("outside of platform, built-ins that touch the machine are for tests only", () => {
  const wrong = sources("lib")
    .filter((source) => !source.isTest && !source.path.startsWith("lib/platform/"))
    .flatMap((source) =>
      imports(source)
        .filter((specifier) => /^(node|bun):/.test(specifier) && !PURE_BUILTINS.includes(specifier))
        .map((specifier) => `${source.path}: ${specifier}`)
    );
  assert.deepEqual(wrong, []);
});

test("every package is a member of the workspace and can be published on its own", () => {
  const { workspace } = JSON.parse(readFileSync(`${root}deno.json`, "utf8"));
  for (const name of packages()) {
    assert.ok(workspace.includes(`./lib/${name}`), name);
    const manifest = JSON.parse(readFileSync(`${root}lib/${name}/deno.json`, "utf8"));
    assert.equal(manifest.name, `@rmq/${name}`);
    assert.equal(manifest.license, "Apache-2.0");
    assert.ok(existsSync(`${root}lib/${name}/mod.ts`), name);
  }
});
