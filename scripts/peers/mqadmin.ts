/** Apache's own mqadmin 5.5.0: `deno run -A scripts/peers/mqadmin.ts clusterList -n 127.0.0.1:9876`. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { classPath } from "./jars.ts";

export interface MqadminResult {
  /** What the process exited with; mqadmin itself exits 0 even when the command failed. */
  status: number;
  output: string;
}

/** Without logback's report on its own configuration, which the broker's jar makes it print. */
function withoutLogbackNoise(output: string): string {
  return output.split("\n").filter((line) => !/^\d\d:\d\d:\d\d,\d+ \|-/.test(line)).join("\n");
}

/** Runs one command, `arguments_` as after `mqadmin` on a shell; standard output and error together. */
export function mqadmin(arguments_: string[], timeoutMs = 60_000): Promise<MqadminResult> {
  return run("org.apache.rocketmq.tools.command.MQAdminStartup", arguments_, timeoutMs);
}

/**
 * Runs commands one after the other in one JVM, which starts once. Also knows `getConsumerStatus` and
 * `resetOffsetByTimeOld`, which mqadmin has but does not offer. Answers what each printed.
 */
export async function mqadminScript(commands: string[][], timeoutMs = 120_000): Promise<string[]> {
  const source = fileURLToPath(new URL("./MqadminScript.java", import.meta.url));
  const { status, output } = await run(source, commands.map((words) => words.join("\t")), timeoutMs, true);
  const printed = output.split(/^===== \d+\n/m).slice(1);
  if (printed.length !== commands.length) throw new Error(`mqadmin stopped with ${status}; its output:\n${output}`);
  return printed;
}

function run(main: string, arguments_: string[], timeoutMs: number, atHome = false): Promise<MqadminResult> {
  const home = mkdtempSync(join(tmpdir(), "mqadmin-"));
  const child = spawn("java", [
    "-Xmx256m",
    "-XX:TieredStopAtLevel=1",
    `-Duser.home=${home}`,
    `-Drocketmq.home.dir=${home}`,
    "-cp",
    classPath("servers-5.5.0"),
    main,
    ...arguments_,
  ], {
    stdio: ["ignore", "pipe", "pipe"],
    cwd: atHome ? home : undefined,
    env: { ...process.env, ROCKETMQ_HOME: home },
  });
  let output = "";
  const take = (chunk: Uint8Array) => output += new TextDecoder().decode(chunk);
  child.stdout.on("data", take);
  child.stderr.on("data", take);
  const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
  return new Promise((resolve, reject) => {
    const done = () => {
      clearTimeout(timer);
      rmSync(home, { recursive: true, force: true });
    };
    child.once("error", (error) => {
      done();
      reject(error);
    });
    child.once("close", (code) => {
      done();
      resolve({ status: code ?? 137, output: withoutLogbackNoise(output) });
    });
  });
}

if (import.meta.main) {
  const result = await mqadmin(process.argv.slice(2));
  process.stdout.write(result.output);
  process.exitCode = result.status;
}
