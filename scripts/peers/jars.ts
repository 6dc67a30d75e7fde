/** Apache's jars from Maven Central, kept in `.cache/peers` of the repository for the next run. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** One file under `maven/` each: name server, broker and tools 5.5.0, the two Java clients, the examples. */
export type JarSet = "servers-5.5.0" | "examples-5.5.0" | "client-5.5.0" | "client-4.9.8";

export interface Availability {
  ok: boolean;
  /** Why not; empty when ok. */
  reason: string;
}

const here = dirname(fileURLToPath(import.meta.url));
export const repositoryRoot: string = join(here, "..", "..");
export const cacheDirectory: string = join(repositoryRoot, ".cache");

export function hasCommand(command: string, versionFlag: string): boolean {
  const result = spawnSync(command, [versionFlag], { stdio: "ignore" });
  return result.error === undefined && result.status === 0;
}

export function jarsCached(set: JarSet): boolean {
  return existsSync(join(cacheDirectory, "peers", set, "complete"));
}

/** What running these jars needs: Java, and Maven unless the jars are there already. */
export function javaAvailable(...sets: JarSet[]): Availability {
  if (!hasCommand("java", "-version")) return { ok: false, reason: "no java on PATH" };
  if (sets.every(jarsCached)) return { ok: true, reason: "" };
  if (!hasCommand("mvn", "-version")) return { ok: false, reason: "no mvn on PATH and the jars are not cached" };
  return { ok: true, reason: "" };
}

/** The directory that holds the jars, fetched if need be. Several processes may ask at once. */
export function jarDirectory(set: JarSet): string {
  const directory = join(cacheDirectory, "peers", set);
  if (jarsCached(set)) return directory;
  mkdirSync(dirname(directory), { recursive: true });
  const fetching = `${directory}.${process.pid}`;
  rmSync(fetching, { recursive: true, force: true });
  const result = spawnSync("mvn", [
    "-q",
    "-B",
    "-f",
    join(here, "maven", `${set}.xml`),
    "dependency:copy-dependencies",
    "-DincludeScope=runtime",
    `-DoutputDirectory=${fetching}`,
  ], { encoding: "utf8" });
  if (result.status !== 0) {
    rmSync(fetching, { recursive: true, force: true });
    throw new Error(`mvn could not fetch ${set}:\n${result.stdout ?? ""}${result.stderr ?? ""}`.slice(0, 4000));
  }
  writeFileSync(join(fetching, "complete"), readdirSync(fetching).join("\n"));
  if (jarsCached(set)) {
    rmSync(fetching, { recursive: true, force: true });
    return directory;
  }
  rmSync(directory, { recursive: true, force: true });
  renameSync(fetching, directory);
  return directory;
}

/** A class path with every jar of the set. */
export function classPath(set: JarSet): string {
  return join(jarDirectory(set), "*");
}
