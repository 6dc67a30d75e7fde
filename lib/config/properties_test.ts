import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "./config_error.ts";
import { parseProperties } from "./properties.ts";

const read = (text: string) => Object.fromEntries(parseProperties(new TextEncoder().encode(text), "x.conf"));

test("equals, colon and blank end a key, with blanks around them", () => {
  assert.deepEqual(read("a=1\nb: 2\nc 3\n  d   =  4  \ne\n=6"), { a: "1", b: "2", c: "3", d: "4  ", e: "", "": "6" });
});

test("comments and empty lines don't count, and a value may hold their signs", () => {
  assert.deepEqual(read("# x=1\n! y=2\n\n   # z=3\nq=a#b!c=d"), { q: "a#b!c=d" });
});

test("a line that ends in an odd number of backslashes goes on", () => {
  assert.deepEqual(read("a=1,\\\n   2,\\\r\n\t3\nb=x\\\\\nc=\\"), { a: "1,2,3", b: "x\\", c: "" });
  assert.deepEqual(read("a=1\\\n# no comment\nb=2"), { a: "1# no comment", b: "2" });
});

test("escapes are read as Java reads them", () => {
  assert.deepEqual(read("a\\=b\\ c=\\u00e4\\t\\n\\q\\:"), { "a=b c": "ä\t\nq:" });
});

test("bytes are ISO 8859-1, as Properties.load reads a stream", () => {
  assert.equal(parseProperties(new Uint8Array([0x61, 0x3d, 0xe4]), "x").get("a"), "ä");
});

test("the last of two lines with one key wins, and every kind of line end counts", () => {
  assert.deepEqual(read("a=1\ra=2\r\nb=3"), { a: "2", b: "3" });
});

test("a malformed unicode escape is an error that names the file", () => {
  assert.throws(() => read("a=\\u00g0"), (error) => error instanceof ConfigError && /^x\.conf: /.test(error.message));
});
