/** The quick-start producer and consumer of Apache's documentation (quickstart/, unchanged), compiled and run. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ClientName, compiledJava, jarSet, smallJvm } from "./clients.ts";

const here = dirname(fileURLToPath(import.meta.url));

/** Runs a main class until it exits or `enough` says so. Answers its output. */
function runMain(
  classPath: string,
  main: string,
  namesrv: string,
  home: string,
  enough: (output: string) => boolean,
): Promise<string> {
  const child = spawn("java", [...smallJvm, `-Duser.home=${home}`, "-cp", classPath, main], {
    env: { ...process.env, NAMESRV_ADDR: namesrv },
    stdio: ["ignore", "pipe", "pipe"],
  });
  return new Promise((resolve, reject) => {
    let output = "";
    const decoder = new TextDecoder();
    const take = (chunk: Uint8Array) => {
      output += decoder.decode(chunk, { stream: true });
      if (enough(output)) child.kill("SIGKILL");
    };
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`${main} was not done after 90 s; its output ends:\n${output.slice(-2000)}`));
    }, 90_000);
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.once("error", reject);
    child.once("close", () => {
      clearTimeout(timer);
      resolve(output);
    });
  });
}

function places(output: string, line: RegExp, place: RegExp): Set<string> {
  const found = new Set<string>();
  for (const each of output.split("\n")) {
    const match = line.test(each) ? place.exec(each) : null;
    if (match) found.add(`${match[1]}@${match[2]}`);
  }
  return found;
}

/** 1000 messages are acknowledged, and the consumer gets each at its acknowledged queue and offset. */
export async function runQuickstart(client: ClientName, namesrv: string, home: string): Promise<void> {
  const sources = ["Producer.java", "Consumer.java"].map((file) => join(here, "quickstart", file));
  const classPath = compiledJava("quickstart", jarSet(client), sources);
  const name = "org.apache.rocketmq.example.quickstart";
  const sent = await runMain(classPath, `${name}.Producer`, namesrv, home, () => false);
  const acknowledged = places(sent, /sendStatus=SEND_OK/, /queueId=(\d+)\], queueOffset=(\d+)/);
  assert.equal(acknowledged.size, 1000, sent.slice(-2000));
  const received = (output: string) => places(output, /Receive New Messages/, /queueId=(\d+),.* queueOffset=(\d+)/);
  const output = await runMain(
    classPath,
    `${name}.Consumer`,
    namesrv,
    home,
    (output) => output.split("Receive New Messages").length > 1000 && received(output).size >= 1000,
  );
  assert.deepEqual([...received(output)].sort(), [...acknowledged].sort());
}
