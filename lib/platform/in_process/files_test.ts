import assert from "node:assert/strict";
import { test } from "node:test";
import { hostPlatform, PlatformError } from "../mod.ts";
import { MemoryFiles } from "./files.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const make = () => {
  const files = new MemoryFiles(hostPlatform().clock);
  files.makeDirectory("/a/b");
  return files;
};

test("what was written across chunks is read back, holes are zero", () => {
  const file = make().open("/a/f", { create: true });
  const written = new Uint8Array(200_000).map((_, at) => at % 251);
  file.writeAt(written, 65_000);
  const read = new Uint8Array(265_100);
  assert.equal(file.readAtSync(read, 0), 265_000);
  assert.deepEqual(read.subarray(65_000, 265_000), written);
  assert.ok(read.subarray(0, 65_000).every((byte) => byte === 0));
});

test("a file that was cut and grown again has zeros there", () => {
  const file = make().open("/a/f", { create: true });
  file.writeAt(new Uint8Array(100_000).fill(7), 0);
  file.truncate(10);
  file.truncate(100_000);
  const read = new Uint8Array(100_000);
  file.readAtSync(read, 0);
  assert.equal(read.indexOf(0), 10);
  assert.equal(read.lastIndexOf(7), 9);
});

test("directories list what is in them, and go with all of it", () => {
  const files = make();
  files.writeWhole("/a/b/x", bytes("1"));
  files.writeWhole("/a/y", bytes("2"));
  assert.deepEqual(files.list("/a"), ["b", "y"]);
  assert.equal(files.stat("/a/b")?.isDirectory, true);
  files.removeTree("/a/b");
  assert.deepEqual(files.list("/a"), ["y"]);
  assert.equal(files.readWhole("/a/b/x"), null);
});

test("a renamed file is the one that it was, and an open one goes on", () => {
  const files = make();
  const file = files.open("/a/f", { create: true });
  files.rename("/a/f", "/a/g");
  file.writeAt(bytes("late"), 0);
  assert.deepEqual(files.readWhole("/a/g"), bytes("late"));
  assert.equal(files.stat("/a/f"), null);
});

test("missing files and directories, and a second lock, are typed errors", () => {
  const files = make();
  const code = (run: () => unknown) => {
    try {
      run();
    } catch (error) {
      return error instanceof PlatformError ? error.code : error;
    }
  };
  assert.equal(code(() => files.open("/a/none")), "ENOENT");
  assert.equal(code(() => files.open("/none/f", { create: true })), "ENOENT");
  const lock = files.lock("/a/lock", "lock");
  assert.equal(code(() => files.lock("/a/lock", "lock")), "ELOCKED");
  lock.release();
  files.lock("/a/lock", "lock").release();
});

test("free space falls with what is written and comes back with what is removed", () => {
  const files = make();
  const before = files.space().freeBytes;
  files.writeWhole("/a/f", new Uint8Array(1_000_000));
  assert.ok(files.space().freeBytes <= before - 1_000_000);
  files.remove("/a/f");
  assert.equal(files.space().freeBytes, before);
});
