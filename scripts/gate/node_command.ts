import { spawnSync } from "node:child_process";

/** The oldest Node that the client is for. */
const OLDEST = 22;

/** The words that start a Node that is recent enough: the system's own, else one from npm. */
export function nodeCommand(): string[] {
  const own = spawnSync("node", ["--version"], { encoding: "utf8" });
  const major = Number(/^v(\d+)/.exec(own.stdout ?? "")?.[1] ?? 0);
  return major >= OLDEST ? ["node"] : ["npx", "-y", "-p", `node@${OLDEST}`, "node"];
}
