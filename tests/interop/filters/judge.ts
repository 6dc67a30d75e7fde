/** Apache's own filter classes as the judge of ours: FilterJudge.java on 5.5.0's jars. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Availability, classPath, hasCommand, javaAvailable } from "../../../scripts/peers/jars.ts";

const source = join(dirname(fileURLToPath(import.meta.url)), "FilterJudge.java");

const LIMIT_MS = 300_000;

/** The judge is compiled as it is started, which takes a JDK. */
export function judgeAvailable(): Availability {
  const java = javaAvailable("servers-5.5.0");
  if (!java.ok || hasCommand("javac", "-version")) return java;
  return { ok: false, reason: "no javac on PATH" };
}

/** The judge's answer to each line. Lines and answers are files: a pipe both ways could fill up on both ends. */
export function judge(lines: readonly string[]): string[] {
  const directory = mkdtempSync(join(tmpdir(), "rmq-filters-"));
  const [questions, verdicts] = [join(directory, "questions"), join(directory, "verdicts")];
  try {
    writeFileSync(questions, lines.join("\n") + "\n");
    const args = ["-cp", classPath("servers-5.5.0"), source, questions, verdicts];
    const { status, stderr } = spawnSync("java", args, { encoding: "utf8", timeout: LIMIT_MS });
    if (status !== 0) throw new Error(`the judge failed: ${stderr.slice(0, 2000)}`);
    const answers = readFileSync(verdicts, "utf8").trimEnd().split("\n");
    if (answers.length !== lines.length) throw new Error(`${answers.length} answers to ${lines.length} lines`);
    return answers;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A text as a word of a line. */
export function word(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}
