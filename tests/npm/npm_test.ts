/** The npm packages, as their users have them: packed, installed without a registry, type-checked, and run. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, test } from "node:test";
import { bunBinary } from "../../scripts/gate/bun_binary.ts";
import { nodeCommand } from "../../scripts/gate/node_command.ts";

const BUILT = new URL("../../dist/npm/", import.meta.url).pathname;
const PAGE = new URL("../../docs/client.md", import.meta.url).pathname;
const EXAMPLE = new URL("_user.ts", import.meta.url).pathname;
/** Without these lines types could be wrong and the check would not see it. */
const WRONG_USE = `import { connect } from "@rmq/client";\nconst mq = await connect(1);\nconsole.log(mq.sent);\n`;

let folder = "";

before(() => {
  folder = mkdtempSync(join(tmpdir(), "rmq-npm-"));
  writeFileSync(join(folder, "package.json"), `{ "name": "user", "private": true, "type": "module" }\n`);
  const packed = ["client", "testing"].map((name) => {
    const said = succeed(["npm", "pack", "--silent", join(BUILT, name)]);
    return `./${said.trim().split("\n").at(-1)}`;
  });
  succeed(["npm", "install", "--offline", "--no-audit", "--no-fund", "--ignore-scripts", ...packed]);
  cpSync(EXAMPLE, join(folder, "user.ts"));
  // Node 22 does not know `await using`; the packages stay what they are.
  succeed([bunBinary(), "build", "--external=@rmq/*", "--target=node", "user.ts", "--outfile=user.mjs"]);
});

after(() => rmSync(folder, { recursive: true, force: true }));

test("Node runs them", () => assert.match(succeed([...nodeCommand(), "user.mjs"]), /^received order 7$/m));

test("Bun runs them", () => assert.match(succeed([bunBinary(), "user.mjs"]), /^received order 7$/m));

test("Deno runs them", () => {
  assert.match(succeed([process.execPath, "run", "-A", "user.mjs"]), /^received order 7$/m);
});

test("the documented tests pass under the runners that they are for", () => {
  const page = readFileSync(PAGE, "utf8");
  const example = (head: string, file: string): string => {
    const code = page.split(`\n${head}`)[1]?.match(/```[a-z ]+\n([^]*?)```/)?.[1] ?? assert.fail(`no example: ${head}`);
    writeFileSync(join(folder, file), code);
    return file;
  };
  succeed([process.execPath, "test", "-A", example("Deno:", "deno_test.ts")]);
  succeed([bunBinary(), "test", example("Bun:", "bun_test.ts")]);
  succeed([...nodeCommand(), "--test", example("Node, ", "node_test.mjs")]);
});

test("their types say what may be written and what not", () => {
  succeed([process.execPath, "check", "user.ts"]);
  writeFileSync(join(folder, "wrong.ts"), WRONG_USE);
  const { status, stderr } = run([process.execPath, "check", "wrong.ts"]);
  assert.notEqual(status, 0);
  assert.match(stderr, /TS2345[^]*TS2339/);
});

test("the client needs no other package", () => {
  const manifest = JSON.parse(readFileSync(join(folder, "node_modules/@rmq/client/package.json"), "utf8"));
  assert.deepEqual(Object.keys(manifest.dependencies ?? {}), []);
  const text = readFileSync(join(folder, "node_modules/@rmq/client/mod.js"), "utf8");
  const imported = [...text.matchAll(/^import .*from "([^"]+)"/gm)].map(([, specifier]) => specifier);
  assert.deepEqual(imported.filter((specifier) => !specifier.startsWith("node:")), []);
});

function succeed(command: string[]): string {
  const { status, stdout, stderr } = run(command);
  assert.equal(status, 0, `${command.join(" ")}:\n${stdout}${stderr}`);
  return stdout;
}

function run([command, ...args]: string[]): { status: number | null; stdout: string; stderr: string } {
  const env = { ...process.env, NO_COLOR: "1" };
  return spawnSync(command, args, { cwd: folder, encoding: "utf8", timeout: 90_000, env });
}
