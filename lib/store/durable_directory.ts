import { type Files, PlatformError } from "@rmq/platform";
import { settled } from "./segments.ts";

/**
 * Makes directories, with their parents, such that a power cut does not take them away again. Their own entries are
 * synced even when they were there: an earlier run may have died before it did so.
 */
export async function makeDirectoriesDurably(files: Files, paths: readonly string[]): Promise<void> {
  const parents = new Set<string>();
  for (const path of paths) {
    const made: string[] = [path];
    for (let above = parentOf(path); above !== null && files.stat(above) === null; above = parentOf(above)) {
      made.push(above);
    }
    files.makeDirectory(path);
    for (const each of made.reverse()) parents.add(parentOf(each) ?? each);
  }
  for (const parent of parents) {
    try {
      await settled((done) => files.syncDirectory(parent, done));
    } catch (error) {
      // A directory above ours may not be readable to us; then nobody but its owner can make it durable.
      if (!(error instanceof PlatformError) || error.code !== "EACCES" && error.code !== "EPERM") throw error;
    }
  }
}

function parentOf(path: string): string | null {
  const trimmed = path.replace(/\/+$/, "");
  const slash = trimmed.lastIndexOf("/");
  if (slash < 0) return trimmed === "" || trimmed === "." ? null : ".";
  return slash === 0 ? (trimmed === "" ? null : "/") : trimmed.slice(0, slash);
}
