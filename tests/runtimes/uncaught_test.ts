import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { test } from "node:test";

test("what a connection's handler throws is an uncaught exception, not an error of the socket", () => {
  const script = new URL("./throwing_handler.ts", import.meta.url).pathname;
  const args = [...("deno" in process.versions ? ["run", "-A"] : []), script];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", timeout: 20_000 });
  assert.equal(status, 1);
  assert.match(stderr, /a bug in a handler/);
});
