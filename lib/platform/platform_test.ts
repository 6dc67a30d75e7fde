import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { after } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import type { Subject } from "./_suite.ts";
import { clockScenarios } from "./_suite_clock.ts";
import { fileScenarios } from "./_suite_files.ts";
import { netScenarios } from "./_suite_net.ts";
import { hostPlatform, localNet, memoryFiles, turnedClock } from "./mod.ts";

const root = mkdtempSync(`${tmpdir()}/rmq-platform-`);
after(() => rmSync(root, { recursive: true, force: true }));
let directories = 0;

const platform = hostPlatform();
const host: Subject = {
  name: "host",
  platform,
  tls: true,
  directory: () => {
    const path = `${root}/${directories++}`;
    platform.files.makeDirectory(path);
    return path;
  },
  finish: (outcome) => outcome,
  pass: (ms) => wait(ms),
};

clockScenarios(host);
fileScenarios(host);
netScenarios(host);

const clock = turnedClock(platform.clock);
const files = memoryFiles(clock);
const inProcess: Subject = {
  name: "in process",
  platform: { ...platform, clock, files, net: localNet((run) => clock.afterTurn(run)) },
  tls: false,
  directory: () => {
    const path = `/${directories++}`;
    files.makeDirectory(path);
    return path;
  },
  finish: (outcome) => outcome,
  pass: (ms) => clock.advance(ms),
};

clockScenarios(inProcess);
fileScenarios(inProcess);
netScenarios(inProcess);
