import assert from "node:assert/strict";
import { test } from "node:test";
import { publishText, storeHostOf, TracedType } from "./trace_text.ts";

test("a send is written as Java's TraceDataEncoder of 5.5.0 writes it", () => {
  const message = {
    topic: "T",
    messageId: "ID",
    tag: "tag",
    keys: "k",
    storeHost: "h:1",
    bodyBytes: 3,
    offsetMessageId: "OFF",
  };
  const messageType = TracedType.NORMAL;
  const text = publishText({ atMs: 5, region: "R", group: "G", message, costMs: 7, messageType, success: true });
  assert.equal(text.replaceAll("\x01", "|").replaceAll("\x02", "#"), "Pub|5|R|G|T|ID|tag|k|h:1|3|7|0|OFF|true#");
});

test("an offset message id names the broker", () => {
  assert.equal(storeHostOf("7F00000100002A9F0000000000000400"), "127.0.0.1:10911");
  assert.equal(storeHostOf(""), "");
});
