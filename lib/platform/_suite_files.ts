import assert from "node:assert/strict";
import { test } from "node:test";
import { later, pattern, type Subject } from "./_suite.ts";
import { type File, PlatformError } from "./types.ts";

/** Files and directories. */
export function fileScenarios(subject: Subject): void {
  const { files } = subject.platform;
  const named = (sentence: string) => `${subject.name}: ${sentence}`;

  const read = async (file: File, length: number, position: number): Promise<Uint8Array> => {
    const into = new Uint8Array(length);
    const done = later<[PlatformError | null, number]>();
    file.readAt(into, position, (error, bytesRead) => done.settle([error, bytesRead]));
    const [error, bytesRead] = await subject.finish(done.promise);
    if (error !== null) throw error;
    return into.subarray(0, bytesRead);
  };
  const readSync = (file: File, length: number, position: number): Uint8Array => {
    const into = new Uint8Array(length);
    return into.subarray(0, file.readAtSync(into, position));
  };
  const sync = async (file: File): Promise<void> => {
    const done = later<PlatformError | null>();
    file.syncData(done.settle);
    assert.equal(await subject.finish(done.promise), null);
  };
  const fails = (code: string, run: () => unknown): void => {
    assert.throws(run, (error) => error instanceof PlatformError && error.code === code);
  };

  test(named("what was written is read back, at any position, both ways"), async () => {
    const file = files.open(`${subject.directory()}/a`, { create: true });
    const bytes = pattern(100_000);
    assert.equal(file.writeAt(bytes, 0), bytes.length);
    assert.equal(file.writeAt(pattern(10, 99), 50_000), 10);
    bytes.set(pattern(10, 99), 50_000);
    assert.deepEqual(readSync(file, 100_000, 0), bytes);
    assert.deepEqual(await read(file, 30_000, 45_000), bytes.subarray(45_000, 75_000));
    assert.equal(file.size(), 100_000);
    file.close();
  });

  test(named("reads at the end are short, and beyond it empty"), async () => {
    const file = files.open(`${subject.directory()}/a`, { create: true });
    file.writeAt(pattern(10), 0);
    assert.deepEqual(readSync(file, 8, 6), pattern(10).subarray(6));
    assert.equal(readSync(file, 8, 10).length, 0);
    assert.equal((await read(file, 8, 6)).length, 4);
    assert.equal((await read(file, 8, 1000)).length, 0);
    file.close();
  });

  test(named("a write beyond the end leaves a hole of zeros"), () => {
    const file = files.open(`${subject.directory()}/a`, { create: true });
    file.writeAt(pattern(4), 0);
    file.writeAt(pattern(4), 1_000_000);
    assert.equal(file.size(), 1_000_004);
    assert.deepEqual(readSync(file, 8, 0).subarray(4), new Uint8Array(4));
    assert.deepEqual(readSync(file, 100, 999_950).subarray(0, 50), new Uint8Array(50));
    assert.deepEqual(readSync(file, 10, 1_000_000), pattern(4));
    file.close();
  });

  test(named("truncating down forgets, and growing again shows zeros"), () => {
    const file = files.open(`${subject.directory()}/a`, { create: true });
    file.writeAt(pattern(10_000), 0);
    file.truncate(5_001);
    assert.equal(file.size(), 5_001);
    file.truncate(10_000);
    assert.equal(file.size(), 10_000);
    const bytes = readSync(file, 10_000, 0);
    assert.deepEqual(bytes.subarray(0, 5_001), pattern(10_000).subarray(0, 5_001));
    assert.deepEqual(bytes.subarray(5_001), new Uint8Array(4_999));
    file.close();
  });

  test(named("a sync completes, several at once too"), async () => {
    const directory = subject.directory();
    const opened = ["a", "b", "c"].map((name) => files.open(`${directory}/${name}`, { create: true }));
    for (const file of opened) file.writeAt(pattern(5000), 0);
    await Promise.all([...opened, ...opened].map(sync));
    const done = later<PlatformError | null>();
    files.syncDirectory(directory, done.settle);
    assert.equal(await subject.finish(done.promise), null);
    for (const file of opened) file.close();
  });

  test(named("a sync of a directory that is not there fails with ENOENT"), async () => {
    const done = later<PlatformError | null>();
    files.syncDirectory(`${subject.directory()}/none`, done.settle);
    assert.equal((await subject.finish(done.promise))?.code, "ENOENT");
  });

  test(
    named("a file that is closed while reads and syncs are in flight completes them, and refuses new ones"),
    async () => {
      const directory = subject.directory();
      const file = files.open(`${directory}/a`, { create: true });
      file.writeAt(pattern(200_000), 0);
      const reads = [0, 50_000, 100_000, 150_000].map((position) => read(file, 50_000, position));
      const synced = sync(file);
      file.close();
      // A descriptor freed too early would be this one's.
      const other = files.open(`${directory}/b`, { create: true });
      other.writeAt(pattern(200_000, 5), 0);
      const parts = await Promise.all(reads);
      await synced;
      parts.forEach((part, i) => assert.deepEqual(part, pattern(200_000).subarray(i * 50_000, (i + 1) * 50_000)));
      fails("EBADF", () => file.writeAt(pattern(1), 0));
      fails("EBADF", () => file.readAt(new Uint8Array(1), 0, () => {}));
      fails("EBADF", () => file.size());
      file.close();
      other.close();
    },
  );

  test(named("many reads at once all complete with their own bytes"), async () => {
    const file = files.open(`${subject.directory()}/a`, { create: true });
    const bytes = pattern(64_000);
    file.writeAt(bytes, 0);
    const parts = await Promise.all(Array.from({ length: 64 }, (_, i) => read(file, 1000, i * 1000)));
    parts.forEach((part, i) => assert.deepEqual(part, bytes.subarray(i * 1000, i * 1000 + 1000)));
    file.close();
  });

  test(named("errors carry the POSIX code"), () => {
    const directory = subject.directory();
    fails("ENOENT", () => files.open(`${directory}/none`));
    fails("ENOENT", () => files.open(`${directory}/none/a`, { create: true }));
    fails("ENOENT", () => files.rename(`${directory}/none`, `${directory}/b`));
    fails("ENOENT", () => files.writeWhole(`${directory}/none/a`, pattern(1)));
    files.writeWhole(`${directory}/file`, pattern(1));
    fails("ENOTDIR", () => files.open(`${directory}/file/below`, { create: true }));
    fails("EISDIR", () => files.open(directory));
    fails("EISDIR", () => files.readWhole(directory));
    fails("ENOTDIR", () => files.list(`${directory}/file`));
    fails("EEXIST", () => files.makeDirectory(`${directory}/file`));
    const readOnly = files.open(`${directory}/file`, { readOnly: true });
    assert.throws(() => readOnly.writeAt(pattern(1), 0), PlatformError);
    readOnly.close();
  });

  test(named("directories: made with parents, listed in order, removed with all below"), () => {
    const directory = subject.directory();
    files.makeDirectory(`${directory}/x/y/z`);
    files.makeDirectory(`${directory}/x/y/z`);
    for (const name of ["b", "a", "10", "9"]) files.writeWhole(`${directory}/x/${name}`, pattern(3));
    assert.deepEqual(files.list(`${directory}/x`), ["10", "9", "a", "b", "y"]);
    assert.deepEqual(files.list(`${directory}/none`), []);
    assert.equal(files.stat(`${directory}/x`)?.isDirectory, true);
    files.removeTree(`${directory}/x`);
    files.removeTree(`${directory}/x`);
    assert.equal(files.stat(`${directory}/x`), null);
    assert.deepEqual(files.list(directory), []);
  });

  test(named("rename replaces, remove ignores what is absent, stat tells size and time"), () => {
    const directory = subject.directory();
    files.writeWhole(`${directory}/a`, pattern(10));
    files.writeWhole(`${directory}/b`, pattern(20));
    files.rename(`${directory}/a`, `${directory}/b`);
    assert.deepEqual(files.readWhole(`${directory}/b`), pattern(10));
    assert.equal(files.readWhole(`${directory}/a`), null);
    const found = files.stat(`${directory}/b`);
    assert.equal(found?.size, 10);
    assert.equal(found?.isFile, true);
    const now = subject.platform.clock.nowMs();
    assert.ok(found !== null && found.modifiedMs <= now + 1000 && found.modifiedMs > now - 60_000);
    files.remove(`${directory}/b`);
    files.remove(`${directory}/b`);
    assert.equal(files.stat(`${directory}/b`), null);
  });

  test(named("a file that was removed while open stays readable and writable"), () => {
    const directory = subject.directory();
    const file = files.open(`${directory}/a`, { create: true });
    file.writeAt(pattern(100), 0);
    files.remove(`${directory}/a`);
    file.writeAt(pattern(100, 3), 100);
    assert.deepEqual(readSync(file, 100, 100), pattern(100, 3));
    assert.deepEqual(files.list(directory), []);
    file.close();
  });

  test(named("writeWhole replaces a longer file"), () => {
    const path = `${subject.directory()}/a`;
    files.writeWhole(path, pattern(1000));
    files.writeWhole(path, pattern(3));
    assert.deepEqual(files.readWhole(path), pattern(3));
    files.writeWhole(path, new Uint8Array(0));
    assert.equal(files.readWhole(path)?.length, 0);
  });

  test(named("a second lock of one path is refused until the first is released, and its content is left"), () => {
    const path = `${subject.directory()}/lock`;
    const lock = files.lock(path, "lock");
    fails("ELOCKED", () => files.lock(path, "other"));
    lock.release();
    lock.release();
    const again = files.lock(path, "second");
    fails("ELOCKED", () => files.lock(path, "other"));
    again.release();
    assert.equal(new TextDecoder().decode(files.readWhole(path) ?? undefined), "second");
    fails("ENOENT", () => files.lock(`${path}-none/lock`, ""));
  });

  test(named("space tells total and free bytes"), () => {
    const { totalBytes, freeBytes } = files.space(subject.directory());
    assert.ok(totalBytes > 0 && freeBytes > 0 && freeBytes <= totalBytes);
  });
}
