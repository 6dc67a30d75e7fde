/**
 * The gate: everything that must hold, in one command (`deno task test`). The last line is `N passed, N failed,
 * N skipped`. Words after the command pick the steps whose names contain one of them (`deno task test unit`).
 */
import type { Counts } from "./gate/counts.ts";
import { gateSteps, type Step } from "./gate/steps.ts";

const SHOWN_LINES = 150;

const sum: Counts = { passed: 0, failed: 0, skipped: 0, reasons: [] };
const wanted = Deno.args;
for (const step of gateSteps()) {
  if (wanted.length === 0 || wanted.some((word) => step.name.toLowerCase().includes(word.toLowerCase()))) {
    await take(step);
  }
}
if (sum.reasons.length > 0) console.log(`\nSkipped:\n${sum.reasons.map((reason) => `  ${reason}`).join("\n")}`);
if (sum.passed + sum.failed + sum.skipped === 0) console.log(`No step is named like ${wanted.join(", ")}.`);
console.log(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
Deno.exit(sum.failed === 0 && sum.passed > 0 ? 0 : 1);

async function take(step: Step): Promise<void> {
  console.log(`… ${step.name}`);
  const start = performance.now();
  const { counts, output } = await step.run().catch((error: unknown) => ({
    counts: { passed: 0, failed: 1, skipped: 0, reasons: [] },
    output: String(error),
  }));
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  if (counts.failed > 0) console.log(output.split("\n").slice(-SHOWN_LINES).join("\n"));
  console.log(
    `${counts.failed > 0 ? "✗" : "✓"} ${step.name}: ${counts.passed} passed, ${counts.failed} failed, ` +
      `${counts.skipped} skipped (${seconds} s)`,
  );
  sum.passed += counts.passed;
  sum.failed += counts.failed;
  sum.skipped += counts.skipped;
  sum.reasons.push(...counts.reasons.map((reason) => `${step.name}: ${reason}`));
}
