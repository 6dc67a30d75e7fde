import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { withCodes } from "../../scripts/docs/codes_table.ts";
import { configurationPage } from "../../scripts/docs/configuration_page.ts";
import { root } from "./_sources.ts";

const read = (path: string) => readFileSync(`${root}${path}`, "utf8");
const pages = [
  "README.md",
  ...readdirSync(`${root}docs`).filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`),
];

test("docs/configuration.md is what the table of keys says now (deno task docs writes it)", () => {
  assert.equal(read("docs/configuration.md"), configurationPage());
});

test("docs/compatibility.md lists the requests that are served now (deno task docs writes it)", async () => {
  const page = read("docs/compatibility.md");
  assert.equal(page, await withCodes(page));
});

test("every task that a page names exists", () => {
  const { tasks } = JSON.parse(read("deno.json"));
  for (const page of pages) {
    for (const [, name] of read(page).matchAll(/\bdeno task ([\w:]+)/g)) {
      assert.ok(Object.hasOwn(tasks, name), `${page}: ${name}`);
    }
  }
});

test("every command of rmq that a page shows exists", () => {
  const commands = ["standalone", "namesrv", "broker", "completion", "help"];
  for (const page of pages) {
    for (const [, block] of read(page).matchAll(/```(?:sh|bash|console)\n([^]*?)```/g)) {
      for (const [, name] of block.matchAll(/^(?:\$ )?(?:\S*\/)?rmq ([a-z]\w*)/gm)) {
        assert.ok(commands.includes(name), `${page}: rmq ${name}`);
      }
    }
  }
});

test("every link between pages leads to a file", () => {
  for (const page of pages) {
    for (const [, target] of read(page).matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
      const path = new URL(target, `file:///${page}`).pathname;
      assert.ok(existsSync(`${root}${path.slice(1)}`), `${page}: ${target}`);
    }
  }
});

test("every path of this repository that a page names exists", () => {
  for (const page of pages) {
    for (const [, path] of read(page).matchAll(/`((?:lib|cmd|scripts|tests|bench|docs)\/[\w./-]+)`/g)) {
      assert.ok(existsSync(`${root}${path}`), `${page}: ${path}`);
    }
  }
});
