import { CommanderError } from "commander";
import { hostPlatform } from "@rmq/platform";
import { splitKeyFlags } from "./key_flags.ts";
import { buildProgram, longFlags, withCompletion } from "./program.ts";
import { explain } from "./user_error.ts";

/** Runs the command line of this process. Exits with 2 after a mistake of the user's, with 1 after one of ours. */
export async function run(): Promise<void> {
  const platform = hostPlatform();
  const { process } = platform;
  try {
    const keys: Record<string, string> = {};
    const program = buildProgram(platform, keys);
    const split = splitKeyFlags(process.args, longFlags(program));
    Object.assign(keys, split.keys);
    if (split.own[0] === "completion" || split.own[0] === "complete") await withCompletion(program);
    await program.parseAsync(split.own, { from: "user" });
  } catch (error) {
    // Commander has printed its own line; help and version are no mistakes.
    if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : 2);
    const lines = explain(error);
    if (lines !== null) {
      process.write("err", lines.map((line) => `rmq: ${line}\n`).join(""));
      process.exit(2);
    }
    process.write("err", `rmq: ${error instanceof Error ? error.stack ?? error.message : String(error)}\n`);
    process.exit(1);
  }
}
