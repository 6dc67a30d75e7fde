/** Runs the scenarios of several clients side by side against one target. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { adminCommand, type ClientName, driverCommand } from "./clients.ts";
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
  context: Context;
}

function applies(scenario: Scenario, client: ClientName, target: TargetKind): boolean {
  return scenario.not?.[client] === undefined && scenario.not?.[target] === undefined;
}

export function scenariosOf(client: ClientName, target: TargetKind, only = ""): Scenario[] {
  const all = client === "java-5.5.0" ? [...scenarios, quickstart] : scenarios;
  return all.filter((scenario) => applies(scenario, client, target) && scenario.name.includes(only));
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
  adminCommand("", join(directory, "admin"));
  const target = await startTarget(options.target, directory);
  const drivers = new Map<ClientName, Driver>();
  const admin = new Driver("admin", adminCommand(target.namesrv, join(directory, "admin")));
  try {
    for (const client of options.clients) {
      drivers.set(client, new Driver(client, driverCommand(client, target.namesrv, join(directory, client))));
    }
    const begin = (client: ClientName, scenario: Scenario): Task => {
      const context = new Context(client, drivers, admin, target, scenario.name, join(directory, client));
      return { client, scenario, started: performance.now(), context };
    };
    /** The part of a task that is told when it failed, or passed and was the last. */
    const part = async (task: Task, run: (t: Context) => Promise<void>, last: boolean): Promise<boolean> => {
      try {
        await run(task.context);
        if (last) report(task);
      } catch (error) {
        report(task, error);
        last = true;
      }
      if (last) await task.context.end();
      return !last;
    };
    const restarting: { client: ClientName; scenario: Scenario }[] = [];
    await Promise.all(options.clients.map(async (client) => {
      const all = scenariosOf(client, options.target, options.only);
      const waiting = all.filter((scenario) => !scenario.afterRestart);
      for (const scenario of all) if (scenario.afterRestart) restarting.push({ client, scenario });
      const lane = async () => {
        for (let scenario = waiting.shift(); scenario; scenario = waiting.shift()) {
          await part(begin(client, scenario), (t) => scenario!.run(t), true);
        }
      };
      await Promise.all(Array.from({ length: options.atOnce ?? 6 }, lane));
    }));
    if (restarting.length > 0) {
      // Their first halves come last, so that what they leave open does not run out before the restart.
      const tasks = restarting.map(({ client, scenario }) => begin(client, scenario));
      const open = await Promise.all(tasks.map((task) => part(task, (t) => task.scenario.run(t), false)));
      await target.restart();
      const left = tasks.filter((_, i) => open[i]);
      await Promise.all(left.map((task) => part(task, (t) => task.scenario.afterRestart!(t), true)));
    }
  } finally {
    await Promise.all([admin, ...drivers.values()].map((driver) => driver.close()));
    await target.close();
    // Logs and store tell why something failed.
    if (options.keep || outcomes.some((outcome) => outcome.error)) console.error(`kept ${directory}`);
    else rmSync(directory, { recursive: true, force: true });
  }
  return outcomes;
}
