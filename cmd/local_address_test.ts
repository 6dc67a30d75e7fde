import assert from "node:assert/strict";
import { test } from "node:test";
import { localAddress } from "./local_address.ts";

const at = (address: string, name = "eth0") => ({
  name,
  address,
  family: address.includes(":") ? 6 as const : 4 as const,
  loopback: address.startsWith("127.") || address === "::1",
});

test("a public IPv4 address goes first, then the last private one", () => {
  assert.equal(localAddress([at("127.0.0.1"), at("10.0.0.1"), at("203.0.113.5"), at("192.168.1.1")]), "203.0.113.5");
  assert.equal(localAddress([at("127.0.0.1"), at("10.0.0.1"), at("2001:db8::1"), at("172.20.0.3")]), "172.20.0.3");
});

test("without IPv4 a global IPv6 address, then a link-local one, then loopback", () => {
  assert.equal(localAddress([at("::1"), at("fe80::1"), at("2001:db8::1")]), "2001:db8::1");
  assert.equal(localAddress([at("fe80::1"), at("fe80::2")]), "fe80::1");
  assert.equal(localAddress([at("127.0.0.1"), at("::1")]), "127.0.0.1");
});

test("bridges of containers don't count", () => {
  assert.equal(localAddress([at("10.0.0.1"), at("172.17.0.1", "docker0"), at("172.18.0.1", "br-12ab")]), "10.0.0.1");
});
