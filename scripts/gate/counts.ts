/** What a step of the gate found. */
export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
  /** One line a skipped test or step: what, and why. */
  reasons: string[];
}

/**
 * Reads the summary of `deno test` (`ok | 12 passed (3 steps) | 0 failed | 1 ignored`, where steps are the tests of a
 * `describe`) or of `bun test` (` 12 pass`, ` 0 fail`, ` 1 skip`), and the lines `skipped: what: why` that tests print.
 * Null: no summary is there.
 */
export function readCounts(output: string): Counts | null {
  const reasons = [...output.matchAll(/^skipped: (.+)$/gm)].map((match) => match[1]);
  const deno = output.match(/^(?:ok|FAILED) \| .*$/gm)?.at(-1);
  if (deno !== undefined) {
    return {
      passed: withSteps(deno, "passed"),
      failed: withSteps(deno, "failed"),
      skipped: withSteps(deno, "ignored"),
      reasons: reasons.length > 0 ? reasons : names(output, /^(.+?) \.\.\. ignored/gm),
    };
  }
  if (!/^ *\d+ pass$/m.test(output)) return null;
  return {
    passed: number(output, /^ *(\d+) pass$/m),
    failed: number(output, /^ *(\d+) fail$/m) + number(output, /^ *(\d+) errors?$/m),
    skipped: number(output, /^ *(\d+) skip$/m),
    reasons: reasons.length > 0 ? reasons : names(output, /^\(skip\) (.+)$/gm),
  };
}

/** What stands within a `describe` is a step to Deno and a test to us. */
function withSteps(summary: string, kind: string): number {
  const match = new RegExp(`(\\d+) ${kind}(?: \\((\\d+) steps?\\))?`).exec(summary);
  return Number(match?.[1] ?? 0) + Number(match?.[2] ?? 0);
}

function number(text: string, pattern: RegExp): number {
  return Number(text.match(pattern)?.[1] ?? 0);
}

function names(output: string, pattern: RegExp): string[] {
  return [...output.matchAll(pattern)].map((match) => match[1].trim());
}
