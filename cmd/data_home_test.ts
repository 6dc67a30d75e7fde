import assert from "node:assert/strict";
import { test } from "node:test";
import { dataHome } from "./data_home.ts";

const user = (variables: Record<string, string> = {}) => ({
  homeDirectory: "/home/u",
  env: (name: string) => variables[name],
});

test("data lies where the system keeps that of programs", () => {
  assert.equal(dataHome(user(), "linux"), "/home/u/.local/share/rmq");
  assert.equal(dataHome(user({ XDG_DATA_HOME: "/x" }), "linux"), "/x/rmq");
  assert.equal(dataHome(user(), "darwin"), "/home/u/Library/Application Support/rmq");
  assert.equal(dataHome(user({ LOCALAPPDATA: "C:/L" }), "win32"), "C:/L/rmq");
});
