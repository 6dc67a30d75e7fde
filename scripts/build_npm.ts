/**
 * Makes the npm packages `dist/npm/client` and `dist/npm/testing`: one ES module each, which Node, Bun and Deno run
 * without another package, and the declarations of its types. `npm pack dist/npm/client` makes the tarball.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { bunBinary } from "./gate/bun_binary.ts";
import { runChild } from "./gate/child.ts";
import manifest from "../deno.json" with { type: "json" };

const LIMIT_SECONDS = 180;
const OUTPUT = "dist/npm";

interface Package {
  /** Folder in lib, and the name behind `@rmq/`. */
  readonly name: string;
  readonly description: string;
  /** Packages of ours that stay packages; all others become part of this one. */
  readonly needs: readonly string[];
}

const PACKAGES: readonly Package[] = [
  {
    name: "client",
    description: "An Apache RocketMQ client for Node, Bun and Deno, in TypeScript, without dependencies",
    needs: [],
  },
  {
    name: "testing",
    description: "A RocketMQ broker for tests, in the test's own process, with a clock that the test turns",
    needs: ["client"],
  },
];

rmSync(OUTPUT, { recursive: true, force: true });
const declarations = mkdtempSync(join(tmpdir(), "rmq-types-"));
try {
  // Declares the client too, and all that either of them is made of.
  await run(Deno.execPath(), ["transpile", "--declaration", "--outdir", declarations, "lib/testing/mod.ts"]);
  for (const each of PACKAGES) {
    await build(each);
    console.log(`${OUTPUT}/${each.name}: @rmq/${each.name} ${manifest.version}`);
  }
} finally {
  rmSync(declarations, { recursive: true, force: true });
}

async function build(each: Package): Promise<void> {
  const { name, needs } = each;
  const folder = join(OUTPUT, name);
  mkdirSync(folder, { recursive: true });
  const external = needs.flatMap((needed) => ["--external", `@rmq/${needed}`]);
  const output = `--outfile=${folder}/mod.js`;
  await run(bunBinary(), ["build", "--target=node", "--format=esm", ...external, output, `lib/${name}/mod.ts`]);
  copyDeclarations(each, join(folder, "types"));
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(packageJson(each), null, 2)}\n`);
  copyFileSync("LICENSE", join(folder, "LICENSE"));
  const links = /\[([^\]]+)\]\((?!#|https:)[^)]+\)/g;
  writeFileSync(join(folder, "README.md"), readFileSync("docs/client.md", "utf8").replace(links, "$1"));
}

function packageJson({ name, description, needs }: Package): object {
  const { version, license } = manifest;
  const dependencies = Object.fromEntries(needs.map((needed) => [`@rmq/${needed}`, version]));
  return {
    name: `@rmq/${name}`,
    version,
    description,
    license,
    keywords: ["rocketmq", "message queue", "apache rocketmq"],
    type: "module",
    exports: { ".": { types: `./types/${name}/mod.d.ts`, default: "./mod.js" } },
    engines: { node: ">=22" },
    ...(needs.length === 0 ? {} : { dependencies }),
  };
}

/** Copies the declarations that the package's own lead to, with imports that npm's users can follow. */
function copyDeclarations({ name, needs }: Package, target: string): void {
  const wanted = [`${name}/mod.d.ts`];
  const seen = new Set(wanted);
  for (let path = wanted.pop(); path !== undefined; path = wanted.pop()) {
    const text = readFileSync(join(declarations, "lib", path), "utf8");
    const folder = dirname(path);
    const copied = text.replace(/^\/\/\/ <amd-module .*\n/, "").replace(
      // Lines of comments begin with an asterisk: examples stay as they are.
      /^(?! *\*)(.*(?:from |import\())"(\.[^"]+|@rmq\/[^"]+)"/gm,
      (found, before: string, specifier: string) => {
        if (needs.some((needed) => specifier === `@rmq/${needed}`)) return found;
        const next = specifier.startsWith(".") ? join(folder, specifier) : `${specifier.slice("@rmq/".length)}/mod.ts`;
        const declared = next.replace(/\.ts$/, ".d.ts");
        if (!seen.has(declared)) wanted.push(declared);
        seen.add(declared);
        const path = relative(folder, next).replace(/\.ts$/, ".js");
        return `${before}"${path.startsWith(".") ? path : `./${path}`}"`;
      },
    );
    mkdirSync(join(target, folder), { recursive: true });
    writeFileSync(join(target, path), copied);
  }
}

async function run(command: string, args: string[]): Promise<void> {
  const { code, output } = await runChild(command, args, LIMIT_SECONDS);
  if (code !== 0) throw new Error(`${command} ${args[0]} failed:\n${output}`);
}
