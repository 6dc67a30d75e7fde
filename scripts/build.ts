/**
 * Makes the executable from npm packages alone: `dist/rmq` for this machine, or for another one with
 * `--target bun-linux-arm64` (its Bun comes from npm).
 */
import { mkdirSync, statSync } from "node:fs";
import { bunBinary } from "./gate/bun_binary.ts";
import { runChild } from "./gate/child.ts";
import manifest from "../deno.json" with { type: "json" };

const LIMIT_SECONDS = 180;

const output = `dist/rmq${Deno.build.os === "windows" ? ".exe" : ""}`;
mkdirSync("dist", { recursive: true });
const args = [
  "build",
  "--compile",
  "--minify",
  "--bytecode",
  "--format=esm",
  ...Deno.args,
  "main.ts",
  "--outfile",
  output,
];
const { code, output: said } = await runChild(bunBinary(), args, LIMIT_SECONDS);
if (code !== 0) {
  console.error(said);
  Deno.exit(1);
}
console.log(`${output}: version ${manifest.version}, ${Math.round(statSync(output).size / 1e6)} MB`);
