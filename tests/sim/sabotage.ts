/** Builds that break a promise of the store, made by breaking what it stands on. Each must be caught. */
import type { Clock, File, Files } from "@rmq/platform";

/** Wraps the files that a store is given. */
export type Sabotage = (files: Files, clock: Clock) => Files;

const isLog = (path: string): boolean => path.includes("/commitlog");

/** `files` with some methods replaced. */
function changed(files: Files, methods: Partial<Files>): Files {
  const target: Files = {
    open: (path, options) => files.open(path, options),
    readWhole: (path) => files.readWhole(path),
    writeWhole: (path, bytes) => files.writeWhole(path, bytes),
    rename: (from, to) => files.rename(from, to),
    remove: (path) => files.remove(path),
    removeTree: (path) => files.removeTree(path),
    makeDirectory: (path) => files.makeDirectory(path),
    list: (path) => files.list(path),
    stat: (path) => files.stat(path),
    syncDirectory: (path, done) => files.syncDirectory(path, done),
    space: (path) => files.space(path),
    lock: (path, content) => files.lock(path, content),
  };
  return { ...target, ...methods };
}

function changedFile(file: File, methods: Partial<File>): File {
  return {
    path: file.path,
    writeAt: (bytes, position) => file.writeAt(bytes, position),
    readAtSync: (into, position) => file.readAtSync(into, position),
    readAt: (into, position, done) => file.readAt(into, position, done),
    syncData: (done) => file.syncData(done),
    truncate: (length) => file.truncate(length),
    size: () => file.size(),
    close: () => file.close(),
    ...methods,
  };
}

/** Opens log files with some methods replaced. */
function changedLog(files: Files, methods: (file: File) => Partial<File>): Files {
  return changed(files, {
    open: (path, options) => {
      const file = files.open(path, options);
      return isLog(path) ? changedFile(file, methods(file)) : file;
    },
  });
}

export const sabotages: Readonly<Record<string, Sabotage>> = {
  "answers before fdatasync": (files, clock) =>
    changedLog(files, () => ({ syncData: (done) => void clock.setTimer(0, () => done(null)) })),
  "forgets the directory sync": (files, clock) =>
    changed(files, {
      syncDirectory: (path, done) =>
        isLog(path) ? void clock.setTimer(0, () => done(null)) : files.syncDirectory(path, done),
    }),
  "skips the cut at recovery": (files) =>
    changedLog(files, (file) => ({
      truncate: (length) => {
        if (length >= file.size()) file.truncate(length);
      },
    })),
};
