// The scenarios against dist/rmq, or what INTEROP_TARGET names; INTEROP_ONLY picks some by a part of their names.
// What is absent here is skipped, with the reason.
import { after, before, describe, it } from "node:test";
import { clientAvailable, clientNames } from "./clients.ts";
import { type Outcome, runSuite, scenariosOf } from "./suite.ts";
import { targetAvailable, type TargetKind } from "./target.ts";

const target: TargetKind = process.env.INTEROP_TARGET === "apache" ? "apache" : "rmq";
const only = process.env.INTEROP_ONLY ?? "";
const missingTarget = targetAvailable(target);
const limit = { timeout: 600_000 };

describe(`interop with ${target}`, limit, () => {
  const able = clientNames.filter((client) => missingTarget.ok && clientAvailable(client).ok);
  const arrived = new Map<string, (outcome: Outcome) => void>();
  const outcomes = new Map<string, Promise<Outcome>>();
  for (const client of able) {
    for (const scenario of scenariosOf(client, target, only)) {
      const key = `${client} ${scenario.name}`;
      outcomes.set(key, new Promise((resolve) => arrived.set(key, resolve)));
    }
  }
  let failedStart: unknown;
  let suite: Promise<unknown> = Promise.resolve();

  before(() => {
    if (able.length === 0) return;
    const onOutcome = (outcome: Outcome) => arrived.get(`${outcome.client} ${outcome.scenario}`)?.(outcome);
    suite = runSuite({ target, clients: able, only, onOutcome }).catch((error) => {
      failedStart = error;
      for (const [key, resolve] of arrived) {
        const [client] = clientNames.filter((name) => key.startsWith(name));
        resolve({ client, scenario: key, milliseconds: 0, error });
      }
    });
  });

  // The suite still has servers to stop and files to remove.
  after(() => suite);

  for (const client of clientNames) {
    const reason = missingTarget.ok ? clientAvailable(client).reason : missingTarget.reason;
    for (const scenario of scenariosOf(client, target, only)) {
      const name = `${client}: ${scenario.name}`;
      if (reason) {
        it(`${name} (${reason})`, { skip: true }, () => {});
        continue;
      }
      it(name, limit, async () => {
        const outcome = await outcomes.get(`${client} ${scenario.name}`)!;
        if (failedStart) throw failedStart;
        if (outcome.error) throw outcome.error;
      });
    }
  }
});
