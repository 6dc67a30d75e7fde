import assert from "node:assert/strict";
import { test } from "node:test";
import { type Source, sources } from "./_sources.ts";

/** What only `lib/platform` may touch: the runtime, time and chance. */
const FORBIDDEN: readonly (readonly [word: string, pattern: RegExp])[] = [
  ["Deno", /(?<![.\w$])Deno\./g],
  ["Bun", /(?<![.\w$])Bun\./g],
  ["Date", /(?<![.\w$])Date(?![\w$])/g],
  ["performance", /(?<![.\w$])performance\./g],
  ["timers", /(?<![.\w$])(?:setTimeout|setInterval|setImmediate|queueMicrotask)\s*\(/g],
  ["Math.random", /(?<![.\w$])Math\.random/g],
  ["crypto", /(?<![.\w$])crypto\./g],
  ["globalThis", /(?<![.\w$])globalThis(?![\w$])/g],
];
/** `process` is also the name of the platform's own part; where it is declared, it is that one. */
const PROCESS = /(?<![.\w$])process\s*[.[]/g;
const OWN_PROCESS = /\{[^{}]*\bprocess\b[^{}]*\}\s*=|\bprocess\s*:|\b(?:const|let)\s+process\b/;

function found(source: Source): string[] {
  const patterns = [...FORBIDDEN];
  if (!OWN_PROCESS.test(source.code)) patterns.push(["process", PROCESS]);
  return patterns.flatMap(([word, pattern]) =>
    [...source.code.matchAll(pattern)].map((match) => `${source.path}:${lineAt(source.code, match.index)} ${word}`)
  );
}

test("time, chance and the runtime come in through the platform", () => {
  const wrong = sources("lib")
    .filter((source) => !source.isTest && !source.path.startsWith("lib/platform/"))
    .flatMap(found);
  assert.deepEqual(wrong, []);
});

test("types are strict: no any, no silenced errors", () => {
  const wrong = ["lib", "cmd", "scripts"].flatMap(sources).flatMap((source) => [
    ...[...source.code.matchAll(/(?::|<|\bas|,|\|)\s*any\b(?!\s*[(:?])/g)].map((match) =>
      `${source.path}:${lineAt(source.code, match.index)} any`
    ),
    ...[...source.text.matchAll(/@ts-(ignore|nocheck)/g)].map((match) =>
      `${source.path}:${lineAt(source.text, match.index)} ${match[0]}`
    ),
  ]);
  assert.deepEqual(wrong, []);
});

test("nothing is named Manager, Processor, Service, Util or Helper", () => {
  const wrong = ["lib", "cmd", "scripts"].flatMap(sources).flatMap((source) => [
    ...(/(manager|processor|service|utils?|helpers?)(_test)?\.ts$/.test(source.path) ? [source.path] : []),
    ...[...source.code.matchAll(/\b(?:class|interface)\s+\w*(?:Manager|Processor|Service|Util|Helper)s?\b/g)].map(
      (match) => `${source.path}: ${match[0]}`,
    ),
  ]);
  assert.deepEqual(wrong, []);
});

test("nothing is left to do in a comment", () => {
  const wrong = ["lib", "cmd", "scripts", "tests", "bench"].flatMap(sources)
    .filter((source) => !source.path.startsWith("tests/house/"))
    .flatMap((source) =>
      [...source.text.matchAll(/\b(?:TODO|FIXME|XXX)\b/g)].map((match) =>
        `${source.path}:${lineAt(source.text, match.index)} ${match[0]}`
      )
    );
  assert.deepEqual(wrong, []);
});

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}
