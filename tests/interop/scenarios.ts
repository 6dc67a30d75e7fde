/** The one list of scenarios, the same for every client and every target. */
import { adminScenarios } from "./admin_scenarios.ts";
import { consumeScenarios } from "./consume_scenarios.ts";
import type { ClientName } from "./clients.ts";
import type { Context } from "./context.ts";
import { filterScenarios } from "./filter_scenarios.ts";
import { lookbackScenarios } from "./lookback_scenarios.ts";
import { requestScenarios } from "./request_scenarios.ts";
import { retryScenarios } from "./retry_scenarios.ts";
import { traceScenarios } from "./trace_scenarios.ts";
import { sendScenarios } from "./send_scenarios.ts";
import type { TargetKind } from "./target.ts";
import { timerScenarios } from "./timer_scenarios.ts";
import { transactionScenarios } from "./transaction_scenarios.ts";

export interface Scenario {
  name: string;
  run(t: Context): Promise<void>;
  /** The second half, after the broker was stopped and started; the clients of the first half still run. */
  afterRestart?(t: Context): Promise<void>;
  /** Clients that can't and servers that don't, and why. */
  not?: Partial<Record<ClientName | TargetKind, string>>;
}

// Those that wait longest come first.
const slow = [
  "reset",
  "reset-offline",
  "reset-online",
  "retry",
  "retry-levels",
  "dead-letter",
  "transaction-undecided",
  "request-dead-requester",
  "push-clustering",
];

const all: Scenario[] = [
  ...sendScenarios,
  ...consumeScenarios,
  ...transactionScenarios,
  ...timerScenarios,
  ...filterScenarios,
  ...traceScenarios,
  ...retryScenarios,
  ...requestScenarios,
  ...lookbackScenarios,
  ...adminScenarios,
];

/** Begun in this order. */
export const scenarios: Scenario[] = all.sort((a, b) => place(a) - place(b));

function place({ name }: Scenario): number {
  return slow.includes(name) ? slow.indexOf(name) : slow.length;
}
