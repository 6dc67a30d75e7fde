/** Runs the scenarios of several clients side by side against one target. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ClientName, driverCommand } from "./clients.ts";
import { Context } from "./context.ts";
import { Driver } from "./driver.ts";
import { runQuickstart } from "./quickstart.ts";
import { type Scenario, scenarios } from "./scenarios.ts";
import { startTarget, type TargetKind } from "./target.ts";

export interface Outcome {
  client: ClientName;
  scenario: string;
  milliseconds: number;
  /** Absent when the scenario passed. */
  error?: Error;
}

export interface SuiteOptions {
  target: TargetKind;
  clients: ClientName[];
  /** Only scenarios whose names contain this. */
  only?: string;
  /** Scenarios of one client that run at the same time. */
  atOnce?: number;
  onOutcome?: (outcome: Outcome) => void;
  /** Keeps the directory with logs and store. */
  keep?: boolean;
}

/** Run with processes of its own, beside the drivers. */
const quickstart: Scenario = { name: "quickstart", run: (t) => runQuickstart(t.client, t.target.namesrv, t.home) };

interface Task {
  client: ClientName;
  scenario: Scenario;
  started: number;
  context?: Context;
}

function applies(scenario: Scenario, client: ClientName): boolean {
  return !scenario.javaOnly || client.startsWith("java");
}

export function scenariosOf(client: ClientName, only = ""): Scenario[] {
  const all = client === "java-5.5.0" ? [...scenarios, quickstart] : scenarios;
  return all.filter((scenario) => applies(scenario, client) && scenario.name.includes(only));
}

/** Resolves when all has run; failures are outcomes, an exception means that the target or a driver did not start. */
export async function runSuite(options: SuiteOptions): Promise<Outcome[]> {
  const directory = mkdtempSync(join(tmpdir(), `interop-${options.target}-`));
  const outcomes: Outcome[] = [];
  const report = (task: Task, error?: unknown) => {
    const outcome: Outcome = {
      client: task.client,
      scenario: task.scenario.name,
      milliseconds: performance.now() - task.started,
      error: error === undefined ? undefined : error instanceof Error ? error : new Error(String(error)),
    };
    outcomes.push(outcome);
    options.onOutcome?.(outcome);
  };
  // Building blocks this process, so all of it comes before anything runs.
  for (const client of options.clients) driverCommand(client, "", join(directory, client));
  const target = await startTarget(options.target, directory);
  const drivers: Driver[] = [];
  try {
    const restarting: Task[] = [];
    await Promise.all(options.clients.map(async (client) => {
      const driver = new Driver(client, driverCommand(client, target.namesrv, join(directory, client)));
      drivers.push(driver);
      const waiting = scenariosOf(client, options.only);
      const lane = async () => {
        for (let scenario = waiting.shift(); scenario; scenario = waiting.shift()) {
          const task: Task = { client, scenario, started: performance.now() };
          task.context = new Context(client, driver, target, scenario.name, join(directory, client));
          try {
            await scenario.run(task.context);
            if (scenario.afterRestart) restarting.push(task);
            else report(task);
          } catch (error) {
            report(task, error);
          }
          if (!scenario.afterRestart) await task.context.end();
        }
      };
      await Promise.all(Array.from({ length: options.atOnce ?? 4 }, lane));
    }));
    if (restarting.length > 0) {
      await target.restart();
      await Promise.all(restarting.map(async (task) => {
        try {
          await task.scenario.afterRestart!(task.context!);
          report(task);
        } catch (error) {
          report(task, error);
        }
        await task.context!.end();
      }));
    }
  } finally {
    await Promise.all(drivers.map((driver) => driver.close()));
    await target.close();
    // Logs and store tell why something failed.
    if (options.keep || outcomes.some((outcome) => outcome.error)) console.error(`kept ${directory}`);
    else rmSync(directory, { recursive: true, force: true });
  }
  return outcomes;
}
