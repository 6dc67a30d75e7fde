// The examples of Apache's documentation (rocketmq-example 5.5.0, as published) against `rmq standalone`, or what
// INTEROP_TARGET names; INTEROP_ONLY picks some by a part of their names.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { jarDirectory, javaAvailable } from "../../scripts/peers/jars.ts";
import { freePort } from "../../scripts/peers/server_process.ts";
import { type Example, exampleChains, Stage } from "./examples.ts";
import { type ExampleTarget, startExampleTarget, usualPort, usualPortIsFree } from "./examples_target.ts";
import { targetAvailable, type TargetKind } from "./target.ts";

const kind: TargetKind = process.env.INTEROP_TARGET === "apache" ? "apache" : "rmq";
const only = process.env.INTEROP_ONLY ?? "";
const available = [targetAvailable(kind), javaAvailable("examples-5.5.0")].find((each) => !each.ok);
const usual = await usualPortIsFree();
const limit = { timeout: 300_000 };

function reasonToSkip(fixedAddress = false): string {
  if (available) return available.reason;
  return fixedAddress && !usual ? `its source names port ${usualPort}, which is taken` : "";
}

const picked = exampleChains.map((chain) => chain.filter((example) => example.name.includes(only)));
const chains = picked.map((chain) => chain.filter((example) => !reasonToSkip(example.fixedAddress)));

describe(`Apache's examples with ${kind}`, limit, () => {
  const directory = mkdtempSync(join(tmpdir(), `examples-${kind}-`));
  /** Undefined, or the error with which an example failed. */
  const outcomes = new Map<string, Promise<unknown>>();
  const begin = new Map<string, () => Promise<unknown>>();
  let lanes: Promise<unknown> = Promise.resolve();
  let target: ExampleTarget | undefined;

  async function attempt(example: Example): Promise<unknown> {
    const stage = new Stage(target!);
    try {
      await example.run(stage);
    } catch (error) {
      return error;
    } finally {
      await stage.end();
    }
  }

  /**
   * An example's error is an outcome: its test tells it, and those after it run all the same. Examples have their clients'
   * limits of 3 s, which a cold Java on a busy machine exceeds, so that each gets a second try.
   */
  async function outcome(example: Example): Promise<unknown> {
    const first = await attempt(example);
    if (!first) return undefined;
    console.error(`${example.name}, first try: ${first}`);
    return await attempt(example);
  }

  for (const example of chains.flat()) {
    outcomes.set(
      example.name,
      new Promise((resolve) => begin.set(example.name, () => outcome(example).then(resolve))),
    );
  }

  before(async () => {
    if (available) return;
    jarDirectory("examples-5.5.0");
    target = await startExampleTarget(kind, directory, usual ? usualPort : await freePort());
    const waiting = [...chains];
    const lane = async () => {
      for (let chain = waiting.shift(); chain; chain = waiting.shift()) {
        for (const example of chain) await begin.get(example.name)?.();
      }
    };
    // Java programs that start together wait longer for the machine than their own timeouts allow.
    lanes = Promise.all([lane(), lane()]);
  });

  after(async () => {
    await lanes;
    await target?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  for (const example of picked.flat()) {
    const reason = reasonToSkip(example.fixedAddress);
    if (reason) {
      it(`${example.name} (${reason})`, { skip: true }, () => {});
      continue;
    }
    it(example.name, limit, async () => {
      const error = await outcomes.get(example.name);
      if (error) throw error;
    });
  }
});
