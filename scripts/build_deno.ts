/** The executable by `deno compile`, where its base binary can be downloaded. */
import { mkdirSync } from "node:fs";
import { runChild } from "./gate/child.ts";

const LIMIT_SECONDS = 300;

mkdirSync("dist", { recursive: true });
const { code, output } = await runChild(
  Deno.execPath(),
  ["compile", "-A", "--output", "dist/rmq-deno", "main.ts"],
  LIMIT_SECONDS,
);
if (code === 0) console.log("dist/rmq-deno");
else {
  console.error(output.trim());
  console.error(
    /denort|download|dl\.deno\.land|error sending request/i.test(output)
      ? "deno compile could not get its base binary (denort), which no package registry carries. Give this machine " +
        "access to the place named above, or build with `deno task build`, which needs npm packages only."
      : "deno compile failed; `deno task build` is the other way to an executable.",
  );
  Deno.exit(1);
}
