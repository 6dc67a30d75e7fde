/** `deno run -A tests/interop/run.ts --target apache|rmq [--client NAME] [--only TEXT] [--keep]` */
import { parseArgs } from "node:util";
import { clientAvailable, type ClientName, clientNames } from "./clients.ts";
import { runSuite } from "./suite.ts";
import { targetAvailable, type TargetKind } from "./target.ts";

const { values } = parseArgs({
  options: {
    target: { type: "string", default: "rmq" },
    client: { type: "string" },
    only: { type: "string", default: "" },
    "at-once": { type: "string", default: "6" },
    keep: { type: "boolean", default: false },
  },
});
if (values.target !== "apache" && values.target !== "rmq") {
  console.error(`--target ${values.target}: apache and rmq are known`);
  process.exit(2);
}
const target: TargetKind = values.target;
const available = targetAvailable(target);
if (!available.ok) {
  console.error(`cannot start ${target}: ${available.reason}`);
  process.exit(2);
}
const wanted: ClientName[] = clientNames.filter((name) => !values.client || name.includes(values.client));
const clients = wanted.filter((name) => {
  const can = clientAvailable(name);
  if (!can.ok) console.log(`skip ${name}: ${can.reason}`);
  return can.ok;
});
const started = performance.now();
const outcomes = await runSuite({
  target,
  clients,
  only: values.only,
  atOnce: Number(values["at-once"]),
  keep: values.keep,
  onOutcome({ client, scenario, milliseconds, error }) {
    console.log(`${error ? "FAIL" : "ok  "} ${client.padEnd(10)} ${scenario} (${(milliseconds / 1000).toFixed(1)} s)`);
    if (error) console.log(`     ${error.message.replaceAll("\n", "\n     ")}`);
  },
});
const failed = outcomes.filter((outcome) => outcome.error).length;
console.log(
  `${outcomes.length - failed} passed, ${failed} failed against ${target} in ` +
    `${((performance.now() - started) / 1000).toFixed(0)} s`,
);
process.exit(failed === 0 && outcomes.length > 0 ? 0 : 1);
