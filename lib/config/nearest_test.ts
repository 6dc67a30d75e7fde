import assert from "node:assert/strict";
import { test } from "node:test";
import { nearestName } from "./nearest.ts";

test("the nearest name has the fewest edits, whatever the case", () => {
  const names = ["listenPort", "haListenPort", "brokerName", "brokerId"];
  assert.equal(nearestName("LISTENPORT", names), "listenPort");
  assert.equal(nearestName("haListenPrt", names), "haListenPort");
  assert.equal(nearestName("brokername", names), "brokerName");
  assert.equal(nearestName("x", []), undefined);
});
