/** The one list of scenarios, the same for every client and every target. */
import { consumeScenarios } from "./consume_scenarios.ts";
import type { Context } from "./context.ts";
import { lookbackScenarios } from "./lookback_scenarios.ts";
import { sendScenarios } from "./send_scenarios.ts";

export interface Scenario {
  name: string;
  run(t: Context): Promise<void>;
  /** The second half, after the broker was stopped and started; the clients of the first half still run. */
  afterRestart?(t: Context): Promise<void>;
  /** Why only the Java clients can. */
  javaOnly?: string;
}

// Those that wait longest come first.
const slow = ["dead-letter", "retry", "push-clustering", "start-from", "classic-pull", "reset"];

export const scenarios: Scenario[] = [...sendScenarios, ...consumeScenarios, ...lookbackScenarios].sort((a, b) =>
  Number(slow.includes(b.name)) - Number(slow.includes(a.name))
);
