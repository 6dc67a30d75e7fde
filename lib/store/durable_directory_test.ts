import assert from "node:assert/strict";
import test from "node:test";
import { simulation } from "@rmq/platform/simulated";
import { makeDirectoriesDurably, withParents } from "./durable_directory.ts";

test("directories that a run made and did not live to sync are durable after the next one", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const world = simulation({ seed });
    world.platform.files.makeDirectory("/srv/data/store");
    const { files } = world.crash({ powerCut: false });
    await world.finish(makeDirectoriesDurably(files, withParents("/srv/data/store")));
    const after = world.crash({ powerCut: true });
    assert.ok(after.files.stat("/srv/data/store"), `seed ${seed}`);
  }
});

test("relative paths have no parents above the working directory", () => {
  assert.deepEqual(withParents("a/b"), ["a", "a/b"]);
  assert.deepEqual(withParents("./a/"), ["./a/"]);
  assert.deepEqual(withParents("/"), []);
});
