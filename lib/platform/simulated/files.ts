import { type Done, type File, type FileInfo, type Files, PlatformError } from "../types.ts";
import { Directory, type Node } from "./directory.ts";
import { errorOf } from "./faults.ts";
import { type FileWorld, SimulatedFile } from "./file.ts";
import { Inode } from "./inode.ts";
import { find, namesOf, parentOf } from "./tree.ts";

/** The file system as one simulated process sees it. */
export class SimulatedFiles implements Files {
  readonly #world: FileWorld;

  constructor(world: FileWorld) {
    this.#world = world;
  }

  open(path: string, { create = false, readOnly = false }: { create?: boolean; readOnly?: boolean } = {}): File {
    this.#strike("open", path);
    const node = this.#find(path);
    if (node?.kind === "directory") throw new PlatformError("EISDIR", `${path}: is a directory`);
    return new SimulatedFile(path, node ?? this.#create(path, create), readOnly, this.#world);
  }

  readWhole(path: string): Uint8Array | null {
    if (this.#find(path) === null) return null;
    return this.#with(path, { readOnly: true }, (file) => {
      const bytes = new Uint8Array(file.size());
      file.readAtSync(bytes, 0);
      return bytes;
    });
  }

  writeWhole(path: string, bytes: Uint8Array): void {
    this.#with(path, { create: true }, (file) => {
      file.truncate(0);
      file.writeAt(bytes, 0);
    });
  }

  rename(from: string, to: string): void {
    this.#strike("rename", from);
    const source = parentOf(this.#root, from);
    const target = parentOf(this.#root, to);
    const node = source.directory.entries.get(source.name);
    if (node === undefined) throw new PlatformError("ENOENT", `${from}: no such file or directory`);
    const replaced = target.directory.entries.get(target.name);
    if (replaced === node) return;
    if (replaced !== undefined) mayReplace(replaced, node, to);
    Directory.change([{ ...source, node: null }, { ...target, node }]);
    if (replaced?.kind === "file") this.#world.disk.drop(replaced);
  }

  remove(path: string): void {
    this.#strike("remove", path);
    const node = this.#find(path);
    if (node === null) return;
    if (node.kind === "directory") throw new PlatformError("EISDIR", `${path}: is a directory`);
    this.#unlink(path);
  }

  removeTree(path: string): void {
    this.#strike("remove", path);
    const node = this.#find(path);
    if (node === null) return;
    if (node.kind === "directory") { for (const name of [...node.entries.keys()]) this.removeTree(`${path}/${name}`); }
    if (namesOf(path).length > 0) this.#unlink(path);
  }

  makeDirectory(path: string): void {
    this.#strike("makeDirectory", path);
    let at = "";
    for (const name of namesOf(path)) {
      at += `/${name}`;
      const node = this.#find(at);
      if (node === null) Directory.change([{ ...parentOf(this.#root, at), node: new Directory() }]);
      else if (node.kind === "file") {
        throw new PlatformError(namesOf(path).join("/") === at.slice(1) ? "EEXIST" : "ENOTDIR", `${at}: is a file`);
      }
    }
  }

  list(path: string): string[] {
    const node = this.#find(path);
    if (node === null) return [];
    if (node.kind === "file") throw new PlatformError("ENOTDIR", `${path}: not a directory`);
    return [...node.entries.keys()].sort();
  }

  stat(path: string): FileInfo | null {
    const node = this.#find(path);
    if (node === null) return null;
    const isFile = node.kind === "file";
    const [size, modifiedMs] = isFile ? [node.length, node.modifiedMs] : [0, 0];
    return { isFile, isDirectory: !isFile, size, modifiedMs };
  }

  syncDirectory(path: string, done: Done): void {
    const { disk, scheduler, life } = this.#world;
    const node = this.#find(path);
    const mark = node?.kind === "directory" ? node.mark() : [];
    scheduler.after(life, disk.latencyMs.sync, () => {
      if (node === null) return done(new PlatformError("ENOENT", `${path}: no such directory`));
      const fault = disk.faults.take("syncDirectory", path);
      if (fault !== null) return done(errorOf(fault, path));
      if (node.kind === "directory") node.synced(mark);
      done(null);
    });
  }

  space(_path: string): { totalBytes: number; freeBytes: number } {
    const { totalBytes, freeBytes } = this.#world.disk;
    return { totalBytes, freeBytes };
  }

  lock(path: string, content: string): { release(): void } {
    const { disk, life } = this.#world;
    const file = this.open(path, { create: true });
    const inode = this.#find(path);
    if (inode?.kind !== "file" || !disk.lock(inode, life)) {
      file.close();
      throw new PlatformError("ELOCKED", `${path} is locked by another process`);
    }
    file.truncate(0);
    file.writeAt(new TextEncoder().encode(content), 0);
    let held = true;
    return {
      release: () => {
        if (!held) return;
        held = false;
        disk.unlock(inode, life);
        file.close();
      },
    };
  }

  get #root(): Directory {
    return this.#world.disk.root;
  }

  #find(path: string): Node | null {
    this.#world.life.mustLive();
    return find(this.#root, path);
  }

  #strike(op: "open" | "rename" | "remove" | "makeDirectory", path: string): void {
    this.#world.life.mustLive();
    this.#world.disk.faults.strike(op, path);
  }

  #create(path: string, wanted: boolean): Inode {
    if (!wanted) throw new PlatformError("ENOENT", `${path}: no such file or directory`);
    const node = new Inode();
    node.modifiedMs = this.#world.nowMs();
    node.uses = 1;
    Directory.change([{ ...parentOf(this.#root, path), node }]);
    return node;
  }

  #unlink(path: string): void {
    const entry = parentOf(this.#root, path);
    const node = entry.directory.entries.get(entry.name);
    Directory.change([{ ...entry, node: null }]);
    if (node?.kind === "file") this.#world.disk.drop(node);
  }

  #with<T>(path: string, options: { create?: boolean; readOnly?: boolean }, use: (file: File) => T): T {
    const file = this.open(path, options);
    try {
      return use(file);
    } finally {
      file.close();
    }
  }
}

function mayReplace(replaced: Node, node: Node, to: string): void {
  if (replaced.kind === "file" && node.kind === "directory") {
    throw new PlatformError("ENOTDIR", `${to}: not a directory`);
  }
  if (replaced.kind === "directory" && node.kind === "file") throw new PlatformError("EISDIR", `${to}: is a directory`);
  if (replaced.kind === "directory" && replaced.entries.size > 0) {
    throw new PlatformError("ENOTEMPTY", `${to}: directory not empty`);
  }
}
