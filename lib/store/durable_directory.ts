import { type Files, PlatformError } from "@rmq/platform";
import { settled } from "./segments.ts";

/**
 * Makes a directory, with its parents, such that a power cut does not take it away again. The entry of the directory
 * itself is synced even when it was there: an earlier run may have died before it did so.
 */
export async function makeDirectoryDurably(files: Files, path: string): Promise<void> {
  const made: string[] = [path];
  for (let above = parentOf(path); above !== null && files.stat(above) === null; above = parentOf(above)) {
    made.push(above);
  }
  files.makeDirectory(path);
  for (const each of made.reverse()) {
    const parent = parentOf(each);
    if (parent === null) continue;
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
