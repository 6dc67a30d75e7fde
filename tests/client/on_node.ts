/** Runs the behaviour suite on Node 22: bundled, since Node leaves types that are more than annotations alone. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { bunBinary } from "../../scripts/gate/bun_binary.ts";
import { nodeCommand } from "../../scripts/gate/node_command.ts";

const root = new URL("../../", import.meta.url).pathname;
const folder = new URL(".", import.meta.url).pathname;
const wanted = process.argv.slice(2);
const tests = readdirSync(folder).filter((name) =>
  name.endsWith("_test.ts") && (wanted.length === 0 || wanted.some((word) => name.includes(word)))
);
const out = mkdtempSync(`${tmpdir()}/rmq-client-node-`);
try {
  const built = spawnSync(
    bunBinary(),
    [
      "build",
      "--target=node",
      "--format=esm",
      "--entry-naming=[name].mjs",
      `--outdir=${out}`,
      ...tests.map((name) => folder + name),
    ],
    { cwd: root, encoding: "utf8" },
  );
  if (built.status !== 0) throw new Error(built.stderr);
  const node = nodeCommand();
  // One after the other: a server that is started again needs its port, which a neighbour might have been given.
  const files = tests.map((name) => `${out}/${name.replace(/\.ts$/, ".mjs")}`);
  const run = spawnSync(node[0], [
    ...node.slice(1),
    "--test",
    "--test-concurrency=1",
    "--test-timeout=90000",
    "--test-reporter=tap",
    ...files,
  ], {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, RMQ_EXECUTABLE: `${root}dist/rmq` },
    timeout: 280_000,
  });
  process.stdout.write(`${run.stdout}${run.stderr}`);
  const count = (what: string): number => Number(new RegExp(`^# ${what} (\\d+)$`, "m").exec(run.stdout)?.[1] ?? 0);
  process.stdout.write(
    ` ${count("pass")} pass\n ${count("fail") + count("cancelled")} fail\n ${count("skipped")} skip\n`,
  );
  process.exitCode = run.status === 0 ? 0 : 1;
} finally {
  rmSync(out, { recursive: true, force: true });
}
