import type { Subject } from "../_suite.ts";
import { clockScenarios } from "../_suite_clock.ts";
import { fileScenarios } from "../_suite_files.ts";
import { netScenarios } from "../_suite_net.ts";
import { simulation } from "./mod.ts";

let directories = 0;

for (const seed of [1, 2, 3]) {
  const world = simulation({ seed });
  const simulated: Subject = {
    name: `simulated, seed ${seed}`,
    platform: world.platform,
    tls: false,
    directory: () => {
      const path = `/${directories++}`;
      world.platform.files.makeDirectory(path);
      return path;
    },
    finish: (outcome) => world.finish(outcome),
    pass: (ms) => world.advance(ms),
  };
  clockScenarios(simulated);
  fileScenarios(simulated);
  netScenarios(simulated);
}
