import { existsSync, readdirSync, readFileSync } from "node:fs";
import { bunBinary } from "./bun_binary.ts";
import { runChild } from "./child.ts";
import { type Counts, readCounts } from "./counts.ts";

/** One part of the gate. */
export interface Step {
  readonly name: string;
  /** Counts, and the output to show when something failed. */
  run(): Promise<{ counts: Counts; output: string }>;
}

const deno = Deno.execPath();
const libraries = readdirSync("lib").filter((name) => existsSync(`lib/${name}/mod.ts`));
const unitFolders = ["lib", "cmd", "scripts", "bench", "tests/golden", "tests/runtimes"].filter(hasTests);

/** Pages whose examples run. */
const PAGES = ["docs/client.md"];

/** All steps, in the order in which they run: what fails fast comes first. */
export function gateSteps(): Step[] {
  return [
    check("format", ["fmt", "--check"]),
    check("lint", ["lint"]),
    check("types", ["check"]),
    check("doc comments", ["doc", "--lint", "mod.ts", ...libraries.map((name) => `lib/${name}/mod.ts`)]),
    check("publish (dry run)", ["publish", "--dry-run", "--allow-dirty", "--no-provenance"]),
    tests("examples of the documentation", deno, docTest(), 120),
    tests("house", deno, denoTest("tests/house"), 120),
    tests("unit tests on Deno", deno, denoTest(...unitFolders), 420),
    tests(
      "unit tests on Bun",
      bunBinary,
      ["test", "--timeout", "60000", ...unitFolders.map((folder) => `./${folder}`)],
      420,
    ),
    check("build of the executable", ["run", "-A", "scripts/build.ts"]),
    tests("end to end", deno, denoTest("tests/e2e"), 180),
    tests("the client on Deno", deno, denoTest("tests/client"), 240),
    tests("the client on Bun", bunBinary, ["test", "--timeout", "60000", "./tests/client"], 240),
    tests("the client on Node", deno, ["run", "-A", "tests/client/on_node.ts"], 300),
    check("build of the npm packages", ["run", "-A", "scripts/build_npm.ts"]),
    tests("the npm packages", deno, denoTest("tests/npm"), 180),
    tests("simulated power cuts", deno, denoTest("tests/sim"), 300),
    tests("kill -9 under load", deno, denoTest("tests/crash"), 180),
    tests("hostile peers", deno, denoTest("tests/hostile"), 180),
    tests("official clients", deno, denoTest("tests/interop"), 1200),
  ];
}

function denoTest(...folders: string[]): string[] {
  return ["test", "-A", "--no-check", "--quiet", ...folders];
}

/** Runs the examples in doc comments and pages, checked by the compiler but for functions that nobody calls. */
function docTest(): string[] {
  const sources = ["lib/client", "lib/testing"].flatMap(sourcesIn).filter((path) =>
    readFileSync(path, "utf8").includes(" * ```ts")
  );
  return ["test", "--doc", "-A", "--quiet", "--no-lock", "--config", "scripts/doc_examples.json", ...sources, ...PAGES];
}

function sourcesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? sourcesIn(path) : path.endsWith(".ts") ? [path] : [];
  });
}

/** A command that passes or fails as one. */
function check(name: string, args: string[]): Step {
  return {
    name,
    async run() {
      const { code, output } = await runChild(deno, args, 300);
      const ok = code === 0;
      return { counts: { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0, reasons: [] }, output };
    },
  };
}

/** A test runner with a summary; without one, or with a bad exit code and no failed test, the step itself failed. */
function tests(name: string, runner: string | (() => string), args: string[], limitSeconds: number): Step {
  return {
    name,
    async run() {
      const { code, output } = await runChild(typeof runner === "string" ? runner : runner(), args, limitSeconds);
      const counts = readCounts(output) ?? { passed: 0, failed: 0, skipped: 0, reasons: [] };
      const nothingRan = counts.passed + counts.failed + counts.skipped === 0;
      if (counts.failed === 0 && (code !== 0 || nothingRan)) counts.failed = 1;
      return { counts, output };
    },
  };
}

function hasTests(folder: string): boolean {
  if (!existsSync(folder)) return false;
  return readdirSync(folder, { withFileTypes: true }).some((entry) =>
    entry.isDirectory() ? hasTests(`${folder}/${entry.name}`) : entry.name.endsWith("_test.ts")
  );
}
