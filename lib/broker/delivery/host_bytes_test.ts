import assert from "node:assert/strict";
import { test } from "node:test";
import { hostBytes } from "./host_bytes.ts";

const bytes = (host: string) => [...hostBytes(host)];

test("IPv4 literals become four bytes", () => {
  assert.deepEqual(bytes("127.0.0.1"), [127, 0, 0, 1]);
  assert.deepEqual(bytes("::ffff:10.1.2.3"), [10, 1, 2, 3]);
});

test("IPv6 literals become sixteen bytes", () => {
  assert.deepEqual(bytes("::1"), [...new Array(15).fill(0), 1]);
  assert.deepEqual(bytes("2001:db8::ff00:42:8329").slice(0, 4), [0x20, 0x01, 0x0d, 0xb8]);
  assert.deepEqual(bytes("fe80::1%eth0").slice(14), [0, 1]);
  assert.deepEqual(bytes("::ffff:1:10.1.2.3").slice(12), [10, 1, 2, 3]);
});

test("what is no literal becomes 0.0.0.0", () => {
  for (const host of ["", "localhost", "1.2.3", "1.2.3.400", "1::2::3", "1:2:3:4:5:6:7:8:9"]) {
    assert.deepEqual(bytes(host), [0, 0, 0, 0], host);
  }
});
