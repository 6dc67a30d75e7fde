/** The official clients that the scenarios run with: whether they can run here, how they are built and started. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type Availability,
  cacheDirectory,
  classPath,
  hasCommand,
  type JarSet,
  javaAvailable,
} from "../../scripts/peers/jars.ts";
import type { DriverCommand } from "./driver.ts";

export type ClientName = "java-5.5.0" | "java-4.9.8" | "go-2.1.2";

export const clientNames: ClientName[] = ["java-5.5.0", "java-4.9.8", "go-2.1.2"];

const here = dirname(fileURLToPath(import.meta.url));

export function clientAvailable(client: ClientName): Availability {
  if (client === "go-2.1.2") {
    return hasCommand("go", "version") ? { ok: true, reason: "" } : { ok: false, reason: "no go on PATH" };
  }
  if (!hasCommand("javac", "-version")) return { ok: false, reason: "no javac on PATH" };
  return javaAvailable(jarSet(client));
}

export function jarSet(client: ClientName): JarSet {
  return client === "java-4.9.8" ? "client-4.9.8" : "client-5.5.0";
}

function run(command: string, args: string[], cwd: string): void {
  const result = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (result.status !== 0) {
    throw new Error(
      `${command} ${args.join(" ")} failed:\n${result.stdout ?? ""}${result.stderr ?? result.error ?? ""}`,
    );
  }
}

/** Builds what `build` leaves in its directory, once for each state of `sources`. */
function built(name: string, sources: string[], build: (directory: string) => void): string {
  const hash = createHash("sha256");
  for (const source of sources) hash.update(readFileSync(source));
  const directory = join(cacheDirectory, "interop", `${name}-${hash.digest("hex").slice(0, 16)}`);
  if (existsSync(join(directory, "complete"))) return directory;
  mkdirSync(dirname(directory), { recursive: true });
  const building = mkdtempSync(`${directory}.`);
  build(building);
  writeFileSync(join(building, "complete"), "");
  rmSync(directory, { recursive: true, force: true });
  renameSync(building, directory);
  return directory;
}

/** Compiles Java sources against a set of jars. Answers the class path to run them with. */
export function compiledJava(name: string, set: JarSet, sources: string[]): string {
  const jars = classPath(set);
  const classes = built(`${name}-${set}`, sources, (directory) => {
    run("javac", ["-nowarn", "-Xlint:-options", "-d", directory, "-cp", jars, ...sources], here);
  });
  return `${classes}:${jars}`;
}

export const smallJvm: string[] = ["-Xms32m", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"];

/** How to start the client's driver. `home` takes its logs and local offsets. */
export function driverCommand(client: ClientName, namesrv: string, home: string): DriverCommand {
  mkdirSync(home, { recursive: true });
  const log = join(home, "driver.log");
  if (client === "go-2.1.2") {
    const source = join(here, "go");
    const files = readdirSync(source).sort().map((file) => join(source, file));
    const directory = built(client, files, (to) => run("go", ["build", "-o", join(to, "driver"), "."], source));
    return { command: join(directory, "driver"), args: [namesrv], env: { HOME: home, TZ: "UTC" }, log };
  }
  const path = compiledJava("driver", jarSet(client), driverSources.filter((file) => !file.endsWith("Admin.java")));
  return { command: "java", args: javaDriver("Driver", path, namesrv, home), env: { NAMESRV_ADDR: "" }, log };
}

/** How to start the driver that holds the admin client of 5.5.0. */
export function adminCommand(namesrv: string, home: string): DriverCommand {
  mkdirSync(home, { recursive: true });
  const args = javaDriver("Admin", compiledJava("admin", "servers-5.5.0", driverSources), namesrv, home);
  return { command: "java", args, env: { NAMESRV_ADDR: "" }, log: join(home, "driver.log") };
}

const javaSource = join(here, "java");
const driverSources = readdirSync(javaSource).sort().map((file) => join(javaSource, file));

function javaDriver(main: string, path: string, namesrv: string, home: string): string[] {
  // A group's retry topic is found by rebalancing, which is due every 20 s otherwise.
  const rebalance = "-Drocketmq.client.rebalance.waitInterval=2000";
  return [...smallJvm, rebalance, "-Duser.timezone=UTC", `-Duser.home=${home}`, "-cp", path, main, namesrv];
}
