import { existsSync, readdirSync } from "node:fs";

let found: string | null = null;

/**
 * The pinned Bun, from its npm package: the binary lies in the platform's package (`@oven/bun-linux-x64` …), of which
 * more than one may be there (glibc, musl, baseline); the first that runs is taken. Throws when none does.
 */
export function bunBinary(): string {
  if (found !== null) return found;
  const installed = "node_modules/.deno";
  const folders = existsSync(installed) ? readdirSync(installed).filter((name) => name.startsWith("@oven+bun-")) : [];
  for (const folder of folders.sort((a, b) => a.length - b.length)) {
    const name = folder.slice("@oven+".length, folder.lastIndexOf("@"));
    for (const file of ["bun", "bun.exe"]) {
      const path = `${Deno.cwd()}/${installed}/${folder}/node_modules/@oven/${name}/bin/${file}`;
      if (existsSync(path) && runs(path)) return found = path;
    }
  }
  throw new Error("No Bun in node_modules: run `deno install` in the repository's root and try again.");
}

function runs(path: string): boolean {
  try {
    return new Deno.Command(path, { args: ["--version"], stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}
