import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { type Files, hostPlatform, PlatformError } from "@rmq/platform";
import { withDirectory } from "./_golden.ts";
import { ConfigFile } from "./config_file.ts";

const platform = hostPlatform();

function isJson(text: string): boolean {
  JSON.parse(text);
  return true;
}

function save(file: ConfigFile, text: string): Promise<void> {
  return new Promise((resolve, reject) => file.save(text, (error) => error === null ? resolve() : reject(error)));
}

test("a saved text is read again, and the one before it is beside it", () =>
  withDirectory(async (root) => {
    const file = new ConfigFile(platform, `${root}/config/topics.json`);
    assert.equal(file.load(isJson), null);
    await save(file, '{"a":1}');
    await save(file, '{"a":2}');
    assert.equal(file.load(isJson), '{"a":2}');
    assert.equal(readFileSync(`${root}/config/topics.json.bak`, "utf8"), '{"a":1}');
  }));

for (const [damage, text] of [["missing", null], ["empty", ""], ["cut short", '{"a":']] as const) {
  test(`a file that is ${damage} gives way to its .bak`, () =>
    withDirectory(async (root) => {
      const path = `${root}/topics.json`;
      const file = new ConfigFile(platform, path);
      await save(file, '{"a":1}');
      await save(file, '{"a":2}');
      if (text === null) platform.files.remove(path);
      else writeFileSync(path, text);
      assert.equal(file.load(isJson), '{"a":1}');
    }));
}

test("saves that come while one is under way become one, with the newest state", () =>
  withDirectory(async (root) => {
    let state = 0;
    let asked = 0;
    const file = new ConfigFile(platform, `${root}/offsets.json`);
    const text = (): string => {
      asked++;
      return String(state);
    };
    const all = Array.from({ length: 10 }, () => {
      state++;
      return new Promise<void>((resolve) => file.save(text, () => resolve()));
    });
    state = 42;
    await Promise.all(all);
    assert.equal(file.load(isJson), "42");
    assert.equal(asked, 2);
  }));

test("a save that fails says so and leaves what was there", () =>
  withDirectory(async (root) => {
    const path = `${root}/offsets.json`;
    await save(new ConfigFile(platform, path), "1");
    const full: Files = {
      ...platform.files,
      open: () => {
        throw new PlatformError("ENOSPC", "no space");
      },
    };
    const file = new ConfigFile({ clock: platform.clock, files: full }, path);
    await assert.rejects(save(file, "2"), { code: "ENOSPC" });
    assert.equal(new ConfigFile(platform, path).load(isJson), "1");
  }));
