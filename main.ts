import { run } from "./cmd/run.ts";

await run();
