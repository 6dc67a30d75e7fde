import { PlatformError } from "../types.ts";
import type { Directory, Node } from "./directory.ts";

/** The names of a path from the root on; relative paths start there too. */
export function namesOf(path: string): string[] {
  const names: string[] = [];
  for (const name of path.split("/")) {
    if (name === "..") names.pop();
    else if (name !== "" && name !== ".") names.push(name);
  }
  return names;
}

/** What `path` names, or null. Throws `ENOTDIR` for a path through a file. */
export function find(root: Directory, path: string): Node | null {
  let node: Node | undefined = root;
  for (const name of namesOf(path)) {
    if (node === undefined) return null;
    if (node.kind === "file") throw new PlatformError("ENOTDIR", `${path}: not a directory`);
    node = node.entries.get(name);
  }
  return node ?? null;
}

/** The directory that holds the last name of `path`, and that name. Throws `ENOENT`, `ENOTDIR`. */
export function parentOf(root: Directory, path: string): { directory: Directory; name: string } {
  const names = namesOf(path);
  const name = names.pop();
  if (name === undefined) throw new PlatformError("EISDIR", `${path}: is the root`);
  const directory = find(root, names.join("/"));
  if (directory === null) throw new PlatformError("ENOENT", `${path}: no such file or directory`);
  if (directory.kind === "file") throw new PlatformError("ENOTDIR", `${path}: not a directory`);
  return { directory, name };
}
