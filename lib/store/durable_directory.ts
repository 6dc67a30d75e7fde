import { type Files, PlatformError } from "@rmq/platform";
import { settled } from "./segments.ts";

const NOT_OURS: ReadonlySet<string> = new Set(["EACCES", "EPERM", "EROFS", "EINVAL"]);

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
      // A directory above ours may not be readable to us, or can't be written: then it is not ours to make durable.
      if (!(error instanceof PlatformError) || !NOT_OURS.has(error.code)) throw error;
    }
  }
}

/**
 * A directory and those on the way to it, to be made durable: an earlier run may have made all of them and died before it
 * synced any.
 */
export function withParents(path: string): string[] {
  const all: string[] = [];
  for (let each: string | null = path; each !== null && each !== "/" && each !== "."; each = parentOf(each)) {
    all.push(each);
  }
  return all.reverse();
}

function parentOf(path: string): string | null {
  const trimmed = path.replace(/\/+$/, "");
  const slash = trimmed.lastIndexOf("/");
  if (slash < 0) return trimmed === "" || trimmed === "." ? null : ".";
  return slash === 0 ? (trimmed === "" ? null : "/") : trimmed.slice(0, slash);
}
