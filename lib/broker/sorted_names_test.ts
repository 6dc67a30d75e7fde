import assert from "node:assert/strict";
import test from "node:test";
import { SortedNames } from "./sorted_names.ts";

test("names that come and go leave the list in order", () => {
  const all = new Set(["%RETRY%b", "a", "Z", "_x"]);
  const names = new SortedNames();
  names.add("ignored before the first list");
  assert.deepEqual(names.list(() => all), ["%RETRY%b", "Z", "_x", "a"]);
  for (const name of ["b", "A", "zz", "%"]) {
    all.add(name);
    names.add(name);
  }
  for (const name of ["Z", "%", "zz"]) {
    all.delete(name);
    names.remove(name);
  }
  assert.deepEqual(names.list(() => all), [...all].sort());
});
