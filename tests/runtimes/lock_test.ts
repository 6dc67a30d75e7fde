import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { after, test } from "node:test";
import { hostPlatform } from "@rmq/platform";

/** Takes the lock as a Java broker does, says so, and holds it until its input ends. */
const JAVA_HOLDER = `
import java.io.RandomAccessFile;
import java.nio.channels.FileLock;
public class Holder {
  public static void main(String[] args) throws Exception {
    RandomAccessFile file = new RandomAccessFile(args[0], "rw");
    FileLock lock = file.getChannel().tryLock(0, 1, false);
    System.out.println(lock == null ? "refused" : "held");
    while (lock != null && System.in.read() >= 0) { }
  }
}
`;

const directory = mkdtempSync(`${tmpdir()}/rmq-lock-`);
const started: ChildProcess[] = [];
after(() => {
  for (const child of started) child.kill("SIGKILL");
  rmSync(directory, { recursive: true, force: true });
});

const { files } = hostPlatform();
const holder = new URL("./lock_holder.ts", import.meta.url).pathname;
const us = [process.execPath, ...("deno" in process.versions ? ["run", "-A"] : []), holder];
writeFileSync(`${directory}/Holder.java`, JAVA_HOLDER);
const java = ["java", `${directory}/Holder.java`];
const hasJava = spawnSync("java", ["--version"]).status === 0;

/** Starts `command` on `path`; resolves with what it says about the lock, and the way to end it. */
async function start(command: string[], path: string): Promise<{ says: string; end: () => Promise<void> }> {
  const child = spawn(command[0], [...command.slice(1), path], { stdio: ["pipe", "pipe", "inherit"] });
  started.push(child);
  const says = await new Promise<string>((fulfil, reject) => {
    child.stdout.once("data", (chunk) => fulfil(String(chunk).trim()));
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`exit ${code}`)));
  });
  const end = (): Promise<void> =>
    new Promise((fulfil) => {
      if (child.exitCode !== null) return fulfil();
      child.once("exit", () => fulfil());
      child.stdin.end();
    });
  return { says, end };
}

for (const [name, command] of [["another process of ours", us], ["a Java process", java]] as const) {
  const skip = command === java && !hasJava ? "no java on this machine" : false;

  test(`a lock that ${name} holds is refused, and free when it ends`, { skip, timeout: 60_000 }, async () => {
    const path = `${directory}/theirs-${command.length}`;
    const other = await start([...command], path);
    assert.equal(other.says, "held");
    assert.throws(() => files.lock(path, "ours"), { code: "ELOCKED" });
    await other.end();
    files.lock(path, "ours").release();
  });

  test(`${name} is refused a lock that we hold`, { skip, timeout: 60_000 }, async () => {
    const path = `${directory}/ours-${command.length}`;
    const lock = files.lock(path, "ours");
    const refused = await start([...command], path);
    assert.equal(refused.says, "refused");
    await refused.end();
    lock.release();
    const granted = await start([...command], path);
    assert.equal(granted.says, "held");
    await granted.end();
  });
}
