import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { root, sources } from "./_sources.ts";

const MOST_LINES = 400;

test("no file is longer than 400 lines", (context) => {
  const lengths = ["lib", "cmd", "scripts", "tests", "bench"].flatMap(sources)
    .map(({ path, text }) => ({ path, lines: text.split("\n").length - 1 }))
    .sort((a, b) => b.lines - a.lines);
  const at = (part: number) => lengths[Math.floor(lengths.length * (1 - part))].lines;
  context.diagnostic(`${lengths.length} files, median ${at(0.5)} lines, 90th percentile ${at(0.9)}`);
  assert.deepEqual(lengths.filter(({ lines }) => lines > MOST_LINES), []);
});

test("what is committed names no package host, no path of a machine and nothing outside of the repository", () => {
  const tracked = execFileSync("git", ["ls-files"], { cwd: root, encoding: "utf8" }).split("\n").filter((path) =>
    /\.(ts|json|lock|md|sh|xml|java|go)$|^\.ci\//.test(path) && !path.startsWith("tests/golden/")
  );
  assert.ok(tracked.length > 100);
  const wrong = tracked.flatMap((path) => {
    // In pieces, so that this file does not find itself; a file may be gone since it was committed.
    const hosts = ["registry." + "npmjs", "/work" + "/", "../" + "shared", "/root" + "/"];
    const text = textOf(path);
    return hosts.filter((host) => text.includes(host)).map((host) => `${path}: ${host}`);
  });
  assert.deepEqual(wrong, []);
});

function textOf(path: string): string {
  try {
    return readFileSync(`${root}${path}`, "utf8");
  } catch {
    return "";
  }
}
